// Whether the operator asked us to stop (Ctrl-C, SIGTERM): long work looks at it between its parts.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace mha {

// Set from a signal handler, read from anywhere.
class Interrupt {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  // Asks `also` as well from now on. Before any thread that reads.
  void watch(std::function<bool()> also) { also_ = std::move(also); }
  [[nodiscard]] bool requested() const {
    return requested_.load(std::memory_order_relaxed) || (also_ && also_());
  }

 private:
  std::atomic<bool> requested_{false};
  std::function<bool()> also_;
};

}  // namespace mha
