// Trying a call of a cloud's interface again where that may help, and waiting for what it promised.
#pragma once

#include <algorithm>
#include <utility>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"

namespace mha {

enum class Again { kNo, kYes };

// One attempt, and whether another could end otherwise: yes for what the network or a busy server
// did (time-outs, 5xx, throttling) to a request that may be sent twice, no for an answer that
// stands.
template <typename T>
struct Attempt {
  Result<T> result;
  Again again = Again::kNo;
};

constexpr Milliseconds kFirstPause{50};
constexpr Milliseconds kLongestPause{1000};

// What one attempt may take, so that a server that hangs leaves time for another: half of what is
// left, between 1 s and 5 s.
inline Deadline attempt_deadline(const Clock& clock, Deadline deadline) {
  const Milliseconds half = clock.remaining(deadline) / 2;
  return clock.deadline_after(std::clamp(half, Milliseconds{1000}, Milliseconds{5000}))
      .capped(deadline);
}

// Calls `attempt(Deadline) -> Attempt<T>` until it says kNo, with growing pauses. Where the time is
// over before that, the last answer, which is never a success that was not had.
template <typename Call>
auto with_retries(Clock& clock, Deadline deadline, Call attempt)
    -> decltype(attempt(deadline).result) {
  Milliseconds pause = kFirstPause;
  for (;;) {
    auto answer = attempt(attempt_deadline(clock, deadline));
    if (answer.again == Again::kNo || clock.remaining(deadline) <= pause) {
      return std::move(answer.result);
    }
    clock.sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

// Asks `seen() -> Result<bool>` until it is true: true; an error: that error; false when the time
// is over. The first question is asked at once.
template <typename Question>
Result<bool> poll_until(Clock& clock, Deadline deadline, Question seen) {
  Milliseconds pause = kFirstPause;
  for (;;) {
    Result<bool> answer = seen();
    if (!answer.ok() || answer.value() || clock.remaining(deadline) <= pause) return answer;
    clock.sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace mha
