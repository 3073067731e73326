// A thread that connects, and looking at what has come of it.
#include "engine/host_call.h"

#include <algorithm>
#include <utility>

namespace mha {
namespace {

// What was true so long ago may have changed.
constexpr Milliseconds kLongAgo{1'000};
// Enough for a host that is there; clients wait meanwhile.
constexpr Milliseconds kMoment{300};

}  // namespace

HostCall::HostCall(const SshTarget& host, Deadline until, Environment& environment)
    : host_(host), environment_(environment), begin_(environment.clock.now()) {
  calling_ = std::async(std::launch::async, [this, until] { return call(until); });
}

HostCall::~HostCall() = default;

HostCall::Ended HostCall::call(Deadline until) const {
  Ended ended;
  Result<std::unique_ptr<RemoteShell>> shell = environment_.ports.shell.connect(host_, until);
  if (shell.ok()) ended.shell = std::move(shell).value();
  ended.at = std::min(environment_.clock.now(), until.at());
  return ended;
}

std::unique_ptr<RemoteShell> HostCall::take_if_answered() {
  if (!ended_.has_value()) {
    if (calling_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return nullptr;
    ended_ = calling_.get();
  }
  Clock& clock = environment_.clock;
  if (ended_->shell == nullptr && clock.now() - ended_->at >= kLongAgo) {
    ended_ = call(clock.deadline_after(kMoment));
  }
  return take();
}

std::unique_ptr<RemoteShell> HostCall::wait_and_take() {
  if (!ended_.has_value()) ended_ = calling_.get();
  return take();
}

std::unique_ptr<RemoteShell> HostCall::take() { return std::move(ended_->shell); }

Milliseconds HostCall::called() const {
  const TimePoint end = ended_.has_value() ? ended_->at : environment_.clock.now();
  return std::chrono::duration_cast<Milliseconds>(end - begin_);
}

}  // namespace mha
