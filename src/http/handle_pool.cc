// Taking from and giving to a list.
#include "http/handle_pool.h"

#include <algorithm>
#include <utility>

namespace mha {
namespace {

// More threads than these at once are served as well, by handles that do not stay.
constexpr std::size_t kMostIdle = 16;

}  // namespace

KeptHandle HandlePool::take(const std::string& origin) {
  KeptHandle handle;
  {
    const std::lock_guard lock{mutex_};
    auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const KeptHandle& idle) {
      return idle.origins.contains(origin);
    });
    if (found == idle_.rend()) found = idle_.rbegin();
    if (found != idle_.rend()) {
      handle = std::move(*found);
      idle_.erase(std::next(found).base());
    }
  }
  if (handle.curl == nullptr) handle.curl.reset(curl_easy_init());
  handle.origins.insert(origin);
  return handle;
}

void HandlePool::give_back(KeptHandle handle) {
  curl_easy_reset(handle.curl.get());  // connections stay, secrets and pointers go
  const std::lock_guard lock{mutex_};
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(handle));
}

}  // namespace mha
