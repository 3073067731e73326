// The one place that reads the time and sleeps.
#include "cli/system_clock.h"

#include <thread>

namespace mha {

TimePoint SystemClock::now() const { return std::chrono::steady_clock::now(); }
WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }
void SystemClock::sleep_until(TimePoint at) { std::this_thread::sleep_until(at); }

}  // namespace mha
