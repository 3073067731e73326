// Whether the operator asked us to stop (Ctrl-C, SIGTERM): long work looks at it between its parts.
#pragma once

#include <atomic>

namespace mha {

// Set from a signal handler, read from anywhere.
class Interrupt {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

}  // namespace mha
