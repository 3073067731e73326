// One thread for each server.
#include "engine/mha_locks.h"

#include <future>
#include <utility>

namespace mha {

Status take_mha_locks(const std::vector<LockWish>& wishes, const std::string& otherwise,
                      Deadline deadline) {
  std::vector<std::future<Status>> taking;
  for (const LockWish& wish : wishes) {
    taking.push_back(std::async(std::launch::async, [&wish, &otherwise, deadline]() -> Status {
      Result<MysqlServer*> server = wish.node->mysql(deadline);
      if (!server.ok()) return server.error();
      const Status taken = server.value()->take_lock(wish.name, deadline);
      if (taken.ok()) return taken;
      return taken.error().with_context(otherwise);
    }));
  }
  Status first;
  for (std::future<Status>& one : taking) {
    Status taken = one.get();
    if (first.ok()) first = std::move(taken);
  }
  return first;
}

}  // namespace mha
