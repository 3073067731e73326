// Putting the steps together.
#include "engine/failover_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/steps_mysql.h"
#include "core/steps_vip.h"
#include "engine/steps_follow.h"
#include "engine/steps_rejoin.h"
#include "engine/steps_server.h"
#include "engine/steps_verify.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kPrepare{2'000};

// ensure_vip_present, against a holder that could not be fenced where the operator has set to go
// on: only the fence can tell, which runs after the plan is made.
class EnsureVipTaken : public Step {
 public:
  EnsureVipTaken(Node& next, const FailoverState& state, Log& log)
      : next_(next), state_(state), log_(log) {}

  std::string kind() const override { return step(OtherHolder::kRefuse)->kind(); }
  json parameters() const override { return step(OtherHolder::kRefuse)->parameters(); }
  std::string name() const override { return step(OtherHolder::kRefuse)->name(); }
  std::string description() const override { return step(OtherHolder::kRefuse)->description(); }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }
  Status apply(const json& found, Deadline deadline) override {
    const bool may_take_over = !state_.fence.address_off &&
                               next_.settings().unfenced_failover == UnfencedFailover::kProceed;
    return step(may_take_over ? OtherHolder::kTakeOver : OtherHolder::kRefuse)
        ->apply(found, deadline);
  }
  // The new master takes writes by now: without the address no client would find the only writer.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  [[nodiscard]] std::unique_ptr<Step> step(OtherHolder other_holder) const {
    return ensure_vip_present(next_, other_holder, log_);
  }

  Node& next_;
  const FailoverState& state_;
  Log& log_;
};

// What costs time to start behind sudo, while others work. Changes nothing, and is only about time.
class PrepareVip : public Step {
 public:
  PrepareVip(Node& next, Environment& environment) : next_(next), clock_(environment.clock) {}

  std::string kind() const override { return "prepare_vip"; }
  json parameters() const override {
    return json{{"host", next_.spec().host}, {"port", next_.spec().port}};
  }
  std::string name() const override { return fmt::format("{} {}", kind(), next_.spec().host); }
  std::string description() const override {
    return fmt::format("make ready to add the virtual IP to {}", next_.title());
  }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }
  Status apply(const json& /*found*/, Deadline deadline) override {
    const Deadline soon = clock_.deadline_after(kPrepare).capped(deadline);
    // An error is the later step's to meet again, and to say.
    if (Result<VipDriver*> driver = next_.vip(soon); driver.ok()) {
      driver.value()->prepare_assign_ahead(soon);
    }
    return {};
  }
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  Node& next_;
  Clock& clock_;
};

FenceOrder fence_order(const FailoverRoles& roles) {
  return {*roles.orig, roles.fence, roles.fencing, roles.call};
}

}  // namespace

void add_failover_steps_before(Plan& plan, const FailoverRoles& roles, Milliseconds at_most,
                               const FailoverWorkshop& workshop) {
  Environment& environment = workshop.environment;
  Log& log = environment.log;
  Node& next = *roles.next;
  plan.mark_hurry_begin(at_most);
  // Where it could not be fenced, what it still writes must reach nobody any more: both at once.
  std::vector<std::unique_ptr<Step>> first;
  first.push_back(ensure_fenced(fence_order(roles), workshop.state, workshop.journal, environment));
  for (Node* replica : roles.replicas)
    first.push_back(ensure_receiver_stopped(*replica, environment));
  if (next.moves_a_vip()) first.push_back(std::make_unique<PrepareVip>(next, environment));
  plan.add_together(std::move(first));

  if (roles.script.has_value() && roles.script->stop.has_value()) {
    plan.add(ensure_failover_stop_script_ran(*roles.orig, *roles.script->stop, environment));
  }
  if (roles.super_read_only) plan.add(ensure_writable_for_us(next, log));
  plan.add(ensure_has_latest({&next, roles.replicas, roles.places, roles.keep_as + ".relay",
                              roles.log_bin, roles.may_fail},
                             workshop.state, workshop.files, workshop.journal, environment));
  plan.add(ensure_not_following(next, workshop.state.handover, log));
  if (roles.call != nullptr) {
    plan.add(
        ensure_fenced_by_now(fence_order(roles), workshop.state, workshop.journal, environment));
  }
  plan.add(ensure_salvaged(
      {&next, roles.orig, roles.binlog_dirs, roles.places, roles.keep_as + ".binlog", roles.salvage,
       roles.log_bin, roles.binlog_servers},
      workshop.state, workshop.files, workshop.journal, environment));
  if (roles.call != nullptr) {
    plan.add(
        ensure_fence_settled(fence_order(roles), workshop.state, workshop.journal, environment));
  }
  plan.mark_handover([&state = workshop.state] { return to_json(state); });
  plan.add(ensure_writable(next, log));
}

void add_failover_steps_after(Plan& plan, const FailoverRoles& roles,
                              const FailoverWorkshop& workshop) {
  Environment& environment = workshop.environment;
  Log& log = environment.log;
  Node& next = *roles.next;
  std::vector<std::unique_ptr<Step>> at_once;
  if (next.moves_a_vip()) {
    at_once.push_back(std::make_unique<EnsureVipTaken>(next, workshop.state, log));
  }
  if (roles.semi_sync_replica) at_once.push_back(ensure_semi_sync_off_for_now(next, log));
  plan.add_together(std::move(at_once));
  if (roles.script.has_value() && roles.script->start.has_value()) {
    plan.add(ensure_failover_start_script_ran(next, *roles.script->start, environment));
  }
  plan.mark_hurry_end();

  std::vector<NodeSpec> helpers;
  for (const Node* replica : roles.replicas) helpers.push_back(replica->spec());
  std::vector<std::unique_ptr<Step>> behind;
  std::vector<std::unique_ptr<Step>> others;
  for (const Follower& follower : roles.followers) {
    RejoinRequest request{follower.request, helpers, roles.places,
                          fmt::format("{}.{}", roles.keep_as, follower.node->spec().host),
                          roles.log_bin};
    std::unique_ptr<Step> step = ensure_rejoined(*follower.node, std::move(request), workshop.state,
                                                 workshop.files, environment);
    const bool is_behind =
        std::find(roles.behind.begin(), roles.behind.end(), follower.node) != roles.behind.end();
    (is_behind ? behind : others).push_back(std::move(step));
  }
  if (roles.forgets_source) others.push_back(ensure_source_forgotten(next, log));
  plan.add_together(std::move(behind));
  plan.add_together(std::move(others));
  if (roles.semi_sync_replica) {
    const Milliseconds patience = roles.followers.empty() ? Milliseconds{0} : kSemiSyncReplicasCome;
    plan.add(ensure_semi_sync_source(next, patience, environment.clock, log));
  }
  if (roles.call != nullptr) {
    plan.add(ensure_fenced_late(fence_order(roles), next, workshop.state, workshop.journal,
                                environment));
  }
  if (roles.salvage != SalvageMode::kOff) {
    plan.add(verify_salvage(*roles.orig, workshop.state));
  }
  plan.add(verify_failover(next, roles.followers, environment));
  if (!roles.fence.shutdown_script.empty()) {
    plan.add(ensure_shut_down(*roles.orig, roles.fence, workshop.state, environment));
  }
}

}  // namespace mha
