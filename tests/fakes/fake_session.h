// One session on a fake MySQL server: how a call reaches it, fails, or ends it.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "fakes/fake_mysql_state.h"
#include "fakes/fault_plan.h"
#include "ports/clock.h"

namespace mha {

// Records "mysql NAME CALL ..." in the fault plan. A call on a dead session is neither counted nor
// recorded: it reaches no server.
class FakeSession {
 public:
  // `clock` may be null: then no call takes time, and deadlines are not looked at. `flow` lets
  // transactions move between servers; it takes their locks.
  FakeSession(FakeMysqlState& state, std::string name, const std::string& user, FaultPlan& faults,
              Clock* clock, std::function<void()> flow)
      : state_(state),
        name_(std::move(name)),
        faults_(faults),
        clock_(clock),
        flow_(std::move(flow)) {
    const std::lock_guard lock{state_.mutex};
    identity_ = state_.identity;
    identity_.connection_id = state_.next_id++;
    state_.sessions[identity_.connection_id] = {
        identity_.connection_id, user, "10.0.0.1:50000", "Sleep", 0, "", ""};
  }
  ~FakeSession() {
    const std::lock_guard lock{state_.mutex};
    state_.remove_thread(identity_.connection_id);
  }
  FakeSession(const FakeSession&) = delete;
  FakeSession& operator=(const FakeSession&) = delete;

  [[nodiscard]] const ServerIdentity& identity() const { return identity_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  FakeMysqlState& state() { return state_; }
  Clock* clock() { return clock_; }
  // Not from within an effect.
  void flow() { flow_(); }

  // One call: the session alive, the fault plan, the server alive, the effect, under the server's
  // lock. kTimeout and kUnreachable end the session.
  template <typename Effect>
  auto call(const std::string& what, Deadline deadline, Effect effect) -> decltype(effect()) {
    return run(what, [&](const std::string& text) -> decltype(effect()) {
      return reach(what, text, deadline, effect);
    });
  }

  // As call(), for what transactions have to move for: `effect` changes something, then they move,
  // and `check` says what came of it.
  template <typename Effect, typename Check>
  Status call_and_check(const std::string& what, Deadline deadline, Effect effect, Check check) {
    return run(what, [&](const std::string& text) -> Status {
      if (Status done = reach(what, text, deadline, effect); !done.ok()) return done;
      flow_();
      const std::lock_guard lock{state_.mutex};
      return check();
    });
  }

  // A wait in the server: until `reached` gives a status instead of nullopt. kTimeout where it does
  // not before the deadline; the session lives on then.
  template <typename Reached>
  Status wait(const std::string& what, Deadline deadline, Reached reached) {
    bool waited = false;
    Status outcome = run(what, [&](const std::string& text) -> Status {
      std::optional<Status> found;
      Status reachable = reach(what, text, deadline, [&]() -> Status {
        found = reached();
        return {};
      });
      while (reachable.ok() && !found.has_value()) {
        if (clock_ == nullptr || clock_->passed(deadline)) {
          waited = true;
          return Error{Code::kTimeout, fmt::format("{} on {}: not in time", what, name_)};
        }
        clock_->sleep_for(Milliseconds{10});
        flow_();
        const std::lock_guard lock{state_.mutex};
        if (state_.on_call) state_.on_call(state_, text + " (waiting)");
        if (state_.health == FakeHealth::kDown) return broken();
        found = reached();
      }
      return reachable.ok() ? *found : reachable;
    });
    if (waited) dead_ = false;
    return outcome;
  }

  Error timed_out(const std::string& what, Deadline deadline) {
    if (clock_ != nullptr) clock_->sleep_until(deadline.at());
    return {Code::kTimeout, fmt::format("{} on {}: no answer in time", what, name_)};
  }

 private:
  Error broken() const {
    return {Code::kUnreachable, fmt::format("the connection to {} is lost", name_)};
  }

  template <typename Body>
  auto run(const std::string& what, Body body) -> decltype(body(what)) {
    if (dead_) return broken();
    const std::string text = fmt::format("mysql {} {}", name_, what);
    auto outcome = faults_.around(text, [&] { return body(text); });
    if (!outcome.ok()) {
      const Code code = outcome.error().code;
      dead_ = code == Code::kTimeout || code == Code::kUnreachable;
    }
    return outcome;
  }

  template <typename Effect>
  auto reach(const std::string& what, const std::string& text, Deadline deadline, Effect effect)
      -> decltype(effect()) {
    // A call within another's effect has the server's lock already, and the flow's comes before
    // that.
    if (!inside_) flow_();
    const std::lock_guard lock{state_.mutex};
    if (state_.on_call) state_.on_call(state_, text);
    const bool killed = !state_.sessions.contains(identity_.connection_id);
    if (killed || state_.health == FakeHealth::kDown) return broken();
    const bool late = clock_ != nullptr && clock_->passed(deadline);
    if (late || state_.health == FakeHealth::kSilent) return timed_out(what, deadline);
    const bool outermost = !std::exchange(inside_, true);
    auto outcome = effect();
    if (outermost) inside_ = false;
    return outcome;
  }

  FakeMysqlState& state_;
  std::string name_;
  FaultPlan& faults_;
  Clock* clock_;
  std::function<void()> flow_;
  ServerIdentity identity_;
  bool dead_ = false;
  bool inside_ = false;  // an effect
};

}  // namespace mha
