// The real clock.
#pragma once

#include "ports/clock.h"

namespace mha {

class SystemClock : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  void sleep_until(TimePoint at) override;
};

}  // namespace mha
