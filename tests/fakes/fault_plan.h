// Counts and records every call that the fakes of one test receive, and makes chosen ones fail.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace mha {

// When a failing call fails: with nothing done yet, or with all of it done and only the answer
// lost.
enum class FaultTime { kBefore, kAfter };

// One plan is shared by all fakes of a test, so that "fail call k" counts over all of them. A fake
// says before() and after() around the effect of each call, or wraps it in around(). Thread-safe.
class FaultPlan {
 public:
  static constexpr std::size_t kAlways = std::numeric_limits<std::size_t>::max();

  // Call number `k` fails, counted from 1.
  void fail_call(std::size_t k, FaultTime when, Error error) {
    const std::lock_guard lock{mutex_};
    faults_.push_back({k, "", when, std::move(error), 1});
  }

  // The next `times` calls whose text contains `part` fail.
  void fail_matching(std::string part, FaultTime when, Error error, std::size_t times = kAlways) {
    const std::lock_guard lock{mutex_};
    faults_.push_back({0, std::move(part), when, std::move(error), times});
  }

  // No further call fails; the count and the record go on.
  void clear_faults() {
    const std::lock_guard lock{mutex_};
    faults_.clear();
  }

  // Is told of each call before it begins, in the caller's thread, which may be kept waiting: no
  // lock of a fake is held. To be set while nobody calls.
  std::function<void(const std::string& call)> on_begin;

  // Counts and records the call.
  [[nodiscard]] std::optional<Error> before(const std::string& call) {
    if (on_begin) on_begin(call);
    const std::lock_guard lock{mutex_};
    calls_.push_back(call);
    return take(calls_.size(), call, FaultTime::kBefore);
  }

  // For the call that before() recorded last under this text.
  [[nodiscard]] std::optional<Error> after(const std::string& call) {
    const std::lock_guard lock{mutex_};
    std::size_t number = calls_.size();
    while (number > 0 && calls_[number - 1] != call) --number;
    return take(number, call, FaultTime::kAfter);
  }

  // `effect` gives a Status or a Result; so does this, with the planned fault in its place.
  template <typename Effect>
  auto around(const std::string& call, Effect effect) -> decltype(effect()) {
    if (std::optional<Error> fault = before(call)) return *std::move(fault);
    auto outcome = effect();
    if (std::optional<Error> fault = after(call)) return *std::move(fault);
    return outcome;
  }

  // The texts of all calls so far, in order, those that failed among them.
  [[nodiscard]] std::vector<std::string> calls() const {
    const std::lock_guard lock{mutex_};
    return calls_;
  }

  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return calls_.size();
  }

 private:
  struct Fault {
    std::size_t number;  // 0: any
    std::string part;
    FaultTime when;
    Error error;
    std::size_t times;
  };

  std::optional<Error> take(std::size_t number, const std::string& call, FaultTime when) {
    for (Fault& fault : faults_) {
      const bool hit = fault.when == when && fault.times > 0 &&
                       (fault.number == 0 || fault.number == number) &&
                       call.find(fault.part) != std::string::npos;
      if (!hit) continue;
      if (fault.times != kAlways) --fault.times;
      return fault.error;
    }
    return std::nullopt;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::vector<Fault> faults_;
};

}  // namespace mha
