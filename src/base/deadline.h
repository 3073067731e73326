// A point in time after which a call must have returned; every remote call takes one.
#pragma once

#include <algorithm>
#include <chrono>

namespace mha {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

class Deadline {
 public:
  explicit Deadline(TimePoint at) : at_(at) {}

  [[nodiscard]] TimePoint at() const { return at_; }
  [[nodiscard]] bool passed(TimePoint now) const { return now >= at_; }
  // Never negative, rounded up: a call that waits this long does not wake before the deadline.
  [[nodiscard]] Milliseconds remaining(TimePoint now) const {
    return std::max(Milliseconds{0}, std::chrono::ceil<Milliseconds>(at_ - now));
  }
  // The earlier one: a part never outlives the whole.
  [[nodiscard]] Deadline capped(Deadline other) const { return Deadline{std::min(at_, other.at_)}; }

 private:
  TimePoint at_;
};

}  // namespace mha
