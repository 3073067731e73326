// Port for time: nothing outside its adapters reads a clock or sleeps.
#pragma once

#include <chrono>

#include "base/deadline.h"

namespace mha {

using WallTime = std::chrono::system_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic.
  [[nodiscard]] virtual TimePoint now() const = 0;
  // For people and for files only; may jump.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  virtual void sleep_until(TimePoint at) = 0;

  [[nodiscard]] Deadline deadline_after(Milliseconds span) const { return Deadline{now() + span}; }
  [[nodiscard]] Milliseconds remaining(Deadline deadline) const {
    return deadline.remaining(now());
  }
  [[nodiscard]] bool passed(Deadline deadline) const { return deadline.passed(now()); }
  void sleep_for(Milliseconds span) { sleep_until(now() + span); }
};

}  // namespace mha
