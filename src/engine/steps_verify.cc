// Looking at what there is now.
#include "engine/steps_verify.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "engine/switch_plan.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kConnecting{5000};
constexpr Milliseconds kPoll{20};

// `orig` is nullptr where there is nobody to ask.
class VerifySwitch : public Step {
 public:
  VerifySwitch(Node* orig, Node& next, const std::vector<Follower>& followers,
               Environment& environment)
      : orig_(orig), next_(next), followers_(followers), clock_(environment.clock) {}

  std::string kind() const override { return "verify_switch"; }
  json parameters() const override {
    return json{{"host", next_.spec().host}, {"port", next_.spec().port}};
  }
  std::string name() const override { return kind(); }
  std::string description() const override { return "read everything back"; }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }

  Status apply(const json& /*found*/, Deadline deadline) override {
    wrong_.clear();
    look_at_writes(next_, ReadOnly::kOff, deadline);
    if (orig_ != nullptr) look_at_writes(*orig_, ReadOnly::kOn, deadline);
    look_at_vip(next_, VipPresence::kPresent, deadline);
    if (orig_ != nullptr) look_at_vip(*orig_, VipPresence::kAbsent, deadline);
    look_at_replicas(deadline);
    if (wrong_.empty()) return {};
    return Error{Code::kRefused, fmt::format("read back: {}", fmt::join(wrong_, "; "))};
  }

  // It only looks.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  void look_at_writes(Node& node, ReadOnly wanted, Deadline deadline) {
    Result<MysqlServer*> server = node.mysql(deadline);
    const Result<ReadOnlyState> state = server.ok() ? server.value()->read_only_state(deadline)
                                                    : Result<ReadOnlyState>{server.error()};
    if (!state.ok()) {
      wrong_.push_back(fmt::format("whether {} takes writes is not known: {}", node.title(),
                                   state.error().message));
    } else if (state.value().blocks_writes() != (wanted != ReadOnly::kOff)) {
      wrong_.push_back(fmt::format("{} {}", node.title(),
                                   wanted == ReadOnly::kOff ? "takes no writes" : "takes writes"));
    }
  }

  void look_at_vip(Node& node, VipPresence wanted, Deadline deadline) {
    if (!node.moves_a_vip()) return;
    Result<VipDriver*> driver = node.vip(deadline);
    const Result<VipPresence> seen =
        driver.ok() ? driver.value()->status(deadline) : Result<VipPresence>{driver.error()};
    if (!seen.ok()) {
      wrong_.push_back(fmt::format("whether {} has the virtual IP is not known: {}", node.title(),
                                   seen.error().message));
    } else if (seen.value() != wanted) {
      wrong_.push_back(fmt::format("{} {} the virtual IP", node.title(),
                                   wanted == VipPresence::kPresent ? "does not have" : "has"));
    }
  }

  // All at the same time: there may be fifty, and each may be connecting still.
  void look_at_replicas(Deadline deadline) {
    std::vector<std::future<std::string>> looks;
    for (const Follower& follower : followers_) {
      looks.push_back(std::async(std::launch::async, [this, &node = *follower.node, deadline] {
        return wrong_with_replica(node, deadline);
      }));
    }
    for (std::future<std::string>& look : looks) {
      std::string wrong = look.get();
      if (!wrong.empty()) wrong_.push_back(std::move(wrong));
    }
  }

  // Empty where nothing is.
  [[nodiscard]] std::string wrong_with_replica(Node& node, Deadline deadline) const {
    const Deadline soon = clock_.deadline_after(kConnecting).capped(deadline);
    for (;;) {
      Result<MysqlServer*> server = node.mysql(deadline);
      const Result<ServerState> state = server.ok() ? server.value()->replication().state(deadline)
                                                    : Result<ServerState>{server.error()};
      if (!state.ok()) {
        return fmt::format("whether {} replicates is not known: {}", node.title(),
                           state.error().message);
      }
      const std::string why = why_not_replicating(state.value());
      if (why.empty()) return "";
      const bool may_come = state.value().replica.has_value() &&
                            state.value().replica->receiver == ReceiverState::kConnecting;
      if (!may_come || clock_.passed(soon)) return fmt::format("{} {}", node.title(), why);
      clock_.sleep_until(std::min(clock_.now() + kPoll, soon.at()));
    }
  }

  static std::string why_not_replicating(const ServerState& state) {
    if (!state.replica.has_value()) return "replicates from nobody";
    const ReplicaState& replica = *state.replica;
    if (replica.receiver != ReceiverState::kRunning) {
      return fmt::format("does not receive from {}:{}: {}", replica.source_host,
                         replica.source_port, replica.receiver_error.text);
    }
    if (!replica.applier_running) {
      return fmt::format("does not apply what it receives: {}", replica.applier_error.text);
    }
    return "";
  }

  Node* orig_;
  Node& next_;
  const std::vector<Follower>& followers_;
  Clock& clock_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::unique_ptr<Step> verify_switch(const SwitchRoles& roles, Environment& environment) {
  return std::make_unique<VerifySwitch>(roles.orig, *roles.next, roles.followers, environment);
}

std::unique_ptr<Step> verify_failover(Node& next, const std::vector<Follower>& followers,
                                      Environment& environment) {
  return std::make_unique<VerifySwitch>(nullptr, next, followers, environment);
}

}  // namespace mha
