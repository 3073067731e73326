// Fencing at once, before the promotion, and after it.
#include "engine/steps_fence.h"

#include <fmt/core.h>

#include <utility>

#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// What the four moments have in common: the fence over a session, and the verdict.
class FenceStep : public ServerStep {
 public:
  FenceStep(FenceOrder order, FailoverState& state, Journal& journal, Environment& environment)
      : ServerStep(order.orig, environment.log),
        order_(std::move(order)),
        state_(state),
        journal_(journal),
        environment_(environment) {}

  Pace pace() const override { return Pace::kPatient; }

 protected:
  [[nodiscard]] const FenceOrder& order() const { return order_; }
  [[nodiscard]] FenceVerdict& verdict() { return state_.fence; }
  void climb(FenceRequest request) { verdict() = fence(node(), request, journal_, environment_); }
  void climb_without_host() { verdict() = fence_without_host(node(), journal_, environment_); }
  // A host that has answered the call, which gives its session for the address.
  void climb_over(std::unique_ptr<RemoteShell> shell, std::string late) {
    log().info("the host of {} answers SSH after all", node().title());
    node().adopt_shell(std::move(shell));
    FenceRequest request = order_.request;
    request.host_answers = true;
    request.late = std::move(late);
    climb(std::move(request));
  }
  void give_up() {
    leave_unfenced(node(), verdict(), order_.call->called(), journal_, environment_);
  }
  [[nodiscard]] bool is_fenced() const {
    return state_.fence.state() == FenceState::kFenced ||
           // By the address alone where there is one: most clients come that way.
           (state_.fence.state() == FenceState::kAddressFenced && node().moves_a_vip());
  }
  void say() {
    const std::string text = verdict().text();
    if (is_fenced()) {
      log().info("{}: {}", node().title(), text);
    } else {
      log().warning("{}: {}; unfenced_failover=proceed goes on", node().title(), text);
    }
  }

 private:
  FenceOrder order_;
  FailoverState& state_;
  Journal& journal_;
  Environment& environment_;
};

class EnsureFenced : public FenceStep {
 public:
  using FenceStep::FenceStep;

  std::string kind() const override { return "ensure_fenced"; }
  std::string description() const override {
    return fmt::format("fence {}: over SSH, by the network's interface, by shutdown_script",
                       node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    if (order().call != nullptr) {
      climb_without_host();
      return {};
    }
    climb(order().request);
    if (!is_fenced()) {
      const std::string text = verdict().text();
      if (order().fencing == Fencing::kRequired) {
        return Error{Code::kRefused,
                     fmt::format("{}: {}; --require_fencing ends the failover here: power it off, "
                                 "then run this again without it",
                                 node().title(), text)};
      }
      if (node().settings().unfenced_failover == UnfencedFailover::kRefuse) {
        return Error{Code::kRefused,
                     fmt::format("{}: {}; unfenced_failover=refuse ends the failover here",
                                 node().title(), text)};
      }
    }
    say();
    return {};
  }
};

class EnsureFencedByNow : public FenceStep {
 public:
  using FenceStep::FenceStep;

  std::string kind() const override { return "ensure_fenced_by_now"; }
  std::string description() const override {
    return fmt::format("fence {} over SSH if its host, silent so far, answers by now",
                       node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    if (std::unique_ptr<RemoteShell> shell = order().call->take_if_answered()) {
      climb_over(std::move(shell), "");
      say();
    }
    return {};
  }
};

class EnsureFenceSettled : public FenceStep {
 public:
  using FenceStep::FenceStep;

  std::string kind() const override { return "ensure_fence_settled"; }
  std::string description() const override {
    return fmt::format("know whether {} is fenced", node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    if (verdict().host_answers) return {};
    if (std::unique_ptr<RemoteShell> shell = order().call->take_if_answered()) {
      climb_over(std::move(shell), "");
    } else {
      give_up();
    }
    say();
    return {};
  }
};

class EnsureFencedLate : public FenceStep {
 public:
  EnsureFencedLate(FenceOrder order, const Node& next, FailoverState& state, Journal& journal,
                   Environment& environment)
      : FenceStep(std::move(order), state, journal, environment), next_(next) {}

  std::string kind() const override { return "ensure_fenced_late"; }
  std::string description() const override {
    return fmt::format("fence {} over SSH if its host answers at last", node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    if (verdict().host_answers) return {};
    std::unique_ptr<RemoteShell> shell = order().call->wait_and_take();
    if (shell == nullptr) return {};
    climb_over(std::move(shell),
               fmt::format("only once {} took writes: until then {} may have taken some as well",
                           next_.title(), node().title()));
    say();
    return {};
  }

 private:
  const Node& next_;
};

class EnsureShutDown : public ServerStep {
 public:
  EnsureShutDown(Node& orig, FenceRequest request, const FailoverState& state,
                 Environment& environment)
      : ServerStep(orig, environment.log),
        request_(std::move(request)),
        state_(state),
        environment_(environment) {}

  std::string kind() const override { return "ensure_shut_down"; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    return fmt::format("run shutdown_script for {}, unless the fence has", node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    return shut_down(node(), request_, state_.fence, environment_).value_or(Status{});
  }

 private:
  FenceRequest request_;
  const FailoverState& state_;
  Environment& environment_;
};

}  // namespace

bool may_call_meanwhile(const Node& orig, const FenceRequest& request, Fencing fencing) {
  return !request.host_answers && fencing == Fencing::kWanted &&
         orig.settings().unfenced_failover == UnfencedFailover::kProceed &&
         request.shutdown_script.empty();
}

std::unique_ptr<Step> ensure_fenced(FenceOrder order, FailoverState& state, Journal& journal,
                                    Environment& environment) {
  return std::make_unique<EnsureFenced>(std::move(order), state, journal, environment);
}
std::unique_ptr<Step> ensure_fenced_by_now(FenceOrder order, FailoverState& state, Journal& journal,
                                           Environment& environment) {
  return std::make_unique<EnsureFencedByNow>(std::move(order), state, journal, environment);
}
std::unique_ptr<Step> ensure_fence_settled(FenceOrder order, FailoverState& state, Journal& journal,
                                           Environment& environment) {
  return std::make_unique<EnsureFenceSettled>(std::move(order), state, journal, environment);
}
std::unique_ptr<Step> ensure_fenced_late(FenceOrder order, const Node& next, FailoverState& state,
                                         Journal& journal, Environment& environment) {
  return std::make_unique<EnsureFencedLate>(std::move(order), next, state, journal, environment);
}
std::unique_ptr<Step> ensure_shut_down(Node& orig, FenceRequest request, const FailoverState& state,
                                       Environment& environment) {
  return std::make_unique<EnsureShutDown>(orig, std::move(request), state, environment);
}

}  // namespace mha
