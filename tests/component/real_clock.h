// The clock of the machine, for tests with real servers.
#pragma once

#include <thread>

#include "ports/clock.h"

namespace mha {

class RealClock : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override { return std::chrono::system_clock::now(); }
  void sleep_until(TimePoint at) override { std::this_thread::sleep_until(at); }
};

}  // namespace mha
