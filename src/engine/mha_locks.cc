// One thread for each server.
#include "engine/mha_locks.h"

#include <future>
#include <utility>

#include "core/client_threads.h"

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

Result<std::vector<std::unique_ptr<Node>>> keep_failovers_away(const Cluster& cluster,
                                                               std::optional<std::size_t> except,
                                                               Milliseconds patience,
                                                               Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(patience);
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::future<Status>> taking;
  for (std::size_t i = 0; i < cluster.hosts.size(); ++i) {
    if (i == except) continue;
    nodes.push_back(std::make_unique<Node>(cluster.hosts[i].node, environment.ports));
    taking.push_back(
        std::async(std::launch::async, [node = nodes.back().get(), deadline]() -> Status {
          Result<MysqlServer*> server = node->mysql(deadline);
          if (!server.ok()) return {};
          const Status taken = server.value()->take_lock(kMhaFailoverLock, deadline);
          const bool has_another = !taken.ok() && taken.error().code == Code::kRefused;
          return has_another ? taken.error().with_context("another failover is at work") : Status{};
        }));
  }
  Status first;
  for (std::future<Status>& one : taking) {
    Status taken = one.get();
    if (first.ok()) first = std::move(taken);
  }
  if (!first.ok()) return first.error();
  return nodes;
}

}  // namespace mha
