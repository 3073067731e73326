// Looking, catching up, and running the plan.
#include "engine/switchover.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "core/client_threads.h"
#include "core/undo_session.h"
#include "engine/look_again.h"
#include "engine/mha_locks.h"
#include "engine/mha_state.h"
#include "engine/switch_plan.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{10'000};
// The candidate is caught up where what the master has now takes it no longer than this.
constexpr Milliseconds kCaughtUp{1'000};
constexpr Milliseconds kProbe{3'000};
constexpr Milliseconds kPrepare{2'000};

Outcome nothing_changed(Error error) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = std::move(error);
  return outcome;
}

json host_json(const NodeSpec& node) { return json{{"host", node.host}, {"port", node.port}}; }

}  // namespace

struct Switchover::Parts {
  const SwitchRequest& request;
  Environment& environment;
  Discovery discovery;
  Topology topology;
  std::size_t candidate = 0;
  SwitchRoles roles;
  Handover handover;
  std::optional<TimePoint::duration> downtime;
  std::string journal;  // path

  Result<std::vector<Problem>> look();
  [[nodiscard]] const HostView& orig_view() const { return discovery.views[topology.master]; }
  [[nodiscard]] const HostView& next_view() const { return discovery.views[candidate]; }

  void cast_roles();
  [[nodiscard]] Result<std::string> master_gtids() const;
  std::vector<std::string> vip_holders();
  Status take_locks();
  Status catch_up();
  Status read_events();
  void prepare_vip() const;
  void fill(Plan& plan);
  [[nodiscard]] json header() const;
  [[nodiscard]] PlanBudget budget() const;
};

Switchover::Switchover(const SwitchRequest& request, Environment& environment)
    : parts_(new Parts{request, environment, {}, {}, 0, {}, {}, std::nullopt, {}}) {}
Switchover::~Switchover() = default;

Result<std::vector<Problem>> Switchover::look() {
  Phase looking(parts_->environment.observer,
                fmt::format("look at {} hosts", parts_->request.cluster.hosts.size()));
  Result<std::vector<Problem>> problems = parts_->look();
  looking.end(problems.status());
  return problems;
}

Result<std::vector<Problem>> Switchover::Parts::look() {
  discovery = discover(request.cluster, kLook, request.running_updates_limit, environment);
  const std::vector<HostView>& views = discovery.views;
  Result<Topology> found = find_topology(views);
  if (!found.ok()) return found.error();
  topology = std::move(found).value();
  const Result<std::size_t> chosen = choose_candidate(views, topology, request.wish);
  if (!chosen.ok()) return chosen.error();
  candidate = chosen.value();
  cast_roles();
  prepare_vip();
  std::future<std::vector<std::string>> holders =
      std::async(std::launch::async, [this] { return vip_holders(); });
  const Result<std::string> gtids = master_gtids();
  const Status events = read_events();
  const std::vector<std::string> other_holders = holders.get();
  if (!gtids.ok()) return gtids.error();
  if (!events.ok()) return events.error();
  return switch_problems({views, topology, candidate, gtids.value(), other_holders,
                          read_failover_marks(request.cluster, environment.clock)},
                         request.limits);
}

void Switchover::Parts::cast_roles() {
  roles.orig = discovery.nodes[topology.master].get();
  roles.next = discovery.nodes[candidate].get();
  roles.orig->set_role("original master");
  roles.next->set_role("new master");
  roles.orig->pair_with(roles.next->spec());
  roles.next->pair_with(roles.orig->spec());
  const HostView& orig = orig_view();
  const HostView& next = next_view();
  const ReplicaState like = next.state.replica.value_or(ReplicaState{});
  roles.gtid_use = like.gtid_use;
  roles.orig_replicates = orig.state.replica.has_value();
  roles.events = orig.state.event_scheduler;
  roles.semi_sync_source = orig.state.semi_sync.source_enabled;
  roles.semi_sync_replica = next.state.semi_sync.replica_enabled;
  roles.forgets_source = !next.host.skip_reset_slave;
  roles.vip_on_orig = orig.vip.value_or(VipPresence::kAbsent);
  roles.vip_on_next = next.vip.value_or(VipPresence::kAbsent);
  roles.exempt_clients = orig.exempt_clients;
  roles.orig_master = request.limits.orig_master;
  roles.script = online_script(request.cluster, roles.orig->spec(), roles.next->spec(),
                               request.limits.orig_master);
  roles.followers =
      find_followers(discovery, topology.master, candidate, like, request.limits.orig_master);
  for (const Follower& follower : roles.followers) {
    if (follower.node != roles.orig) follower.node->set_role("replica");
  }
}

Result<std::string> Switchover::Parts::master_gtids() const {
  const Deadline deadline = environment.clock.deadline_after(kLook);
  Result<MysqlServer*> server = roles.orig->mysql(deadline);
  if (!server.ok()) return server.error();
  Result<SourcePosition> position = server.value()->replication().own_position(deadline);
  if (!position.ok()) return position.error();
  return std::move(position.value().gtids);
}

// An error is one of the candidate's host, which its view tells of already.
std::vector<std::string> Switchover::Parts::vip_holders() {
  if (!roles.next->moves_a_vip()) return {};
  const Deadline deadline = environment.clock.deadline_after(kProbe);
  Result<VipDriver*> driver = roles.next->vip(deadline);
  if (!driver.ok()) return {};
  Result<std::vector<std::string>> holders = driver.value()->other_holders(deadline);
  if (!holders.ok()) {
    environment.log.warning("who else has the virtual IP is not known: {}",
                            holders.error().message);
    return {};
  }
  return std::move(holders).value();
}

// As MHA's own online switch does: the monitor's lock on the master, the failover's on each replica
// (M:lib/MHA/MasterRotate.pm). They keep masterha_manager and other switches away, and end with our
// sessions.
Status Switchover::Parts::take_locks() {
  std::vector<LockWish> wishes;
  std::vector<std::size_t> living;
  for (std::size_t i = 0; i < discovery.nodes.size(); ++i) {
    if (!discovery.views[i].living()) continue;
    living.push_back(i);
    wishes.push_back(
        {discovery.nodes[i].get(), i == topology.master ? kMhaMonitorLock : kMhaFailoverLock});
  }
  const Deadline deadline = environment.clock.deadline_after(kLook);
  const Status locked =
      take_mha_locks(wishes, "masterha_manager or another switch is at work", deadline);
  return locked.ok() ? still_as_seen(discovery, living, deadline) : locked;
}

Status Switchover::Parts::catch_up() {
  const Deadline end = environment.clock.deadline_after(request.limits.behind);
  for (;;) {
    Result<MysqlServer*> orig = roles.orig->mysql(end);
    if (!orig.ok()) return orig.error();
    Result<MysqlServer*> next = roles.next->mysql(end);
    if (!next.ok()) return next.error();
    const Result<SourcePosition> now = orig.value()->replication().own_position(end);
    if (!now.ok()) return now.error();
    const TimePoint began = environment.clock.now();
    const Status applied =
        next.value()->replication().wait_until_applied(now.value(), roles.gtid_use, end);
    if (!applied.ok()) {
      return applied.error().with_context(fmt::format("{} does not catch up", roles.next->title()));
    }
    if (environment.clock.now() - began <= kCaughtUp) return {};
    if (environment.interrupt.requested()) {
      return Error{Code::kRefused, "interrupted by the operator"};
    }
  }
}

Status Switchover::Parts::read_events() {
  Result<MasterEvents> events =
      enabled_events(*roles.orig, environment.clock.deadline_after(kLook));
  if (!events.ok()) return events.error();
  roles.master_events = std::move(events).value();
  return {};
}

// What costs time to start (sudo) is started while we look, and is running when clients wait. It
// does nothing by itself, and ends with the session. vip_holders() asks the network who has the
// address.
void Switchover::Parts::prepare_vip() const {
  const Deadline soon = environment.clock.deadline_after(kPrepare);
  if (roles.vip_on_orig == VipPresence::kPresent && roles.orig->moves_a_vip()) {
    if (Result<VipDriver*> driver = roles.orig->vip(soon); driver.ok()) {
      driver.value()->prepare_remove(soon);
    }
  }
  if (roles.vip_on_next == VipPresence::kAbsent && roles.next->moves_a_vip()) {
    if (Result<VipDriver*> driver = roles.next->vip(soon); driver.ok()) {
      driver.value()->prepare_assign_ahead(soon);
    }
  }
}

void Switchover::Parts::fill(Plan& plan) {
  add_steps_before(plan, roles, handover, request.max_downtime, request.limits.long_writers,
                   environment);
  plan.mark_point_of_no_return([this] { return to_json(handover); });
  add_steps_after(plan, roles, handover, environment);
}

json Switchover::Parts::header() const {
  const ReplicaState like = next_view().state.replica.value_or(ReplicaState{});
  return json{
      {"engine", "native"},
      {"application", request.cluster.application},
      {"conf", request.cluster.conf_file},
      {"orig_master", host_json(roles.orig->spec())},
      {"new_master", host_json(roles.next->spec())},
      {"orig_master_is_new_slave", request.limits.orig_master == OrigMaster::kBecomesReplica},
      {"orig_replicates", roles.orig_replicates},
      {"events", roles.events},
      {"master_events", to_json(roles.master_events)},
      {"semi_sync", roles.semi_sync_source && roles.semi_sync_replica},
      {"like", replica_to_json(like)}};
}

PlanBudget Switchover::Parts::budget() const {
  const HostSettings& settings = roles.orig->settings();
  Milliseconds undo = settings.operation_timeout;
  // What its stop may take, its start for the original may take as well.
  if (roles.script.has_value()) undo += request.max_downtime;
  // By position a replica first has to apply what it is behind.
  const Milliseconds forward = undo + request.max_downtime + request.limits.behind;
  return {environment.clock.deadline_after(forward), undo};
}

std::vector<std::string> Switchover::describe() {
  Plan plan(parts_->environment.clock, parts_->environment.log, parts_->environment.interrupt);
  parts_->fill(plan);
  return plan.describe();
}

Outcome Switchover::run() {
  Parts& parts = *parts_;
  Environment& environment = parts.environment;
  Phase catching_up(environment.observer,
                    fmt::format("let {} catch up", parts.roles.next->title()));
  Status ready = parts.take_locks();
  if (ready.ok()) ready = parts.catch_up();
  catching_up.end(ready);
  if (!ready.ok()) return nothing_changed(ready.error().with_context("nothing was changed"));
  if (environment.interrupt.requested()) {
    return nothing_changed(
        Error{Code::kRefused, "interrupted by the operator; nothing was changed"});
  }
  const NodeSpec& orig = parts.roles.orig->spec();
  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(environment.state_dir, kSwitchOperation,
                          journal_subject(orig.host, orig.port), parts.header(), environment.clock);
  if (!journal.ok()) {
    return nothing_changed(journal.error().with_context("without a journal nothing is begun"));
  }
  parts.journal = journal.value()->path();
  if (environment.observer != nullptr) environment.observer->operation_began(parts.journal);
  reserve_for_undo(*parts.roles.orig, environment.clock, environment.log);
  Plan plan(environment.clock, environment.log, environment.interrupt);
  plan.watch(environment.observer);
  parts.fill(plan);
  Outcome outcome = plan.run(*journal.value(), parts.budget(), [&parts, &environment] {
    environment.log.info("Putting everything back as it was found");
    for (const std::unique_ptr<Node>& node : parts.discovery.nodes) {
      fall_back_for_undo(*node, environment.clock);
    }
  });
  parts.downtime = plan.hurried();
  note_summary(*journal.value(), summary(), environment.log);
  return outcome;
}

OperationSummary Switchover::summary() const {
  const Parts& parts = *parts_;
  OperationSummary summary;
  if (parts.roles.orig == nullptr) return summary;
  summary.orig_master = parts.orig_view().host.title();
  summary.new_master = parts.next_view().host.title();
  summary.downtime = parts.downtime;
  summary.journal = parts.journal;
  return summary;
}

}  // namespace mha
