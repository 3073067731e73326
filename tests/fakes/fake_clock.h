// A clock that stands still until a test, or the code under test by sleeping, moves it.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

#include "ports/clock.h"

namespace mha {

// sleep_until() returns at once and the time is then `at`. Thread-safe.
class FakeClock : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  // 2024-01-01 00:00:00 UTC when the clock was made; goes with now().
  [[nodiscard]] WallTime wall_now() const override {
    const std::lock_guard lock{mutex_};
    return kWallStart + std::chrono::duration_cast<WallTime::duration>(now_ - kStart);
  }
  void sleep_until(TimePoint at) override {
    const std::lock_guard lock{mutex_};
    slept_ += std::max(TimePoint::duration::zero(), at - now_);
    now_ = std::max(now_, at);
  }

  // What a call to the outside costs: fakes call it from their answers.
  void advance(TimePoint::duration span) {
    const std::lock_guard lock{mutex_};
    now_ += span;
  }
  // Since the clock was made, by sleeping and by advance().
  [[nodiscard]] Milliseconds elapsed() const {
    return std::chrono::duration_cast<Milliseconds>(now() - kStart);
  }
  // By sleeping alone.
  [[nodiscard]] Milliseconds slept() const {
    const std::lock_guard lock{mutex_};
    return std::chrono::duration_cast<Milliseconds>(slept_);
  }

 private:
  // Not the epoch, so that a default TimePoint is a time long past and not "now".
  static constexpr TimePoint kStart{std::chrono::hours{1000}};
  static constexpr WallTime kWallStart{std::chrono::seconds{1704067200}};

  mutable std::mutex mutex_;
  TimePoint now_ = kStart;
  TimePoint::duration slept_{};
};

}  // namespace mha
