// Looking, deciding, and running the plan.
#include "engine/failover.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/client_threads.h"
#include "engine/dead_master.h"
#include "engine/failover_cast.h"
#include "engine/failover_problems.h"
#include "engine/look_again.h"
#include "engine/mha_locks.h"
#include "engine/mha_state.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{5'000};
// A second, and what a round trip and a busy machine may add.
constexpr Milliseconds kOthersWaitForLocks{1'500};
constexpr Milliseconds kInterruptSeenWithin{50};

Outcome nothing_changed(Error error) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = std::move(error);
  return outcome;
}

}  // namespace

struct Failover::Parts {
  Parts(const FailoverRequest& wanted, EventFiles& logs, Environment& around)
      : request(wanted), files(logs), environment(around), began(around.clock.now()) {}

  const FailoverRequest& request;
  EventFiles& files;
  Environment& environment;
  TimePoint began;
  Discovery discovery;
  Topology topology;
  std::size_t candidate = 0;
  DeathReport death;
  FailoverRoles roles;
  FailoverState state;
  std::optional<TimePoint> writable_again;
  TimePoint keep_locks_until;
  std::string journal_path;
  std::vector<std::string> events;  // FailoverSummary's
  bool turned_back = false;         // begun, and undone before the point of no return

  Result<std::vector<Problem>> look();
  void read_events();
  Status take_locks();
  void fill(Plan& plan, Journal& journal);
  [[nodiscard]] PlanBudget budget() const;
  [[nodiscard]] std::vector<std::string> errant() const;
  [[nodiscard]] std::string fenced_for_nothing() const;
  [[nodiscard]] std::string applied_for_nothing() const;
};

Failover::Failover(const FailoverRequest& request, EventFiles& files, Environment& environment)
    : parts_(new Parts(request, files, environment)) {}
Failover::~Failover() = default;

Result<std::vector<Problem>> Failover::look() {
  Phase looking(parts_->environment.observer,
                fmt::format("look at {} hosts, and whether {} is dead",
                            parts_->request.cluster.hosts.size(), parts_->request.dead_host));
  Result<std::vector<Problem>> problems = parts_->look();
  looking.end(problems.status());
  return problems;
}

Result<std::vector<Problem>> Failover::Parts::look() {
  const Result<std::size_t> dead = find_host(request.cluster, request.dead_host, request.dead_port);
  if (!dead.ok()) return dead.error();
  discovery = discover_survivors(request.cluster, dead.value(), kLook, environment);
  const std::vector<HostView>& views = discovery.views;
  Result<Topology> found = topology_around(views, dead.value());
  if (!found.ok()) return found.error();
  topology = std::move(found).value();
  death = confirm_death(discovery, dead.value(), request.death_patience, environment);
  for (const std::string& line : death.evidence) environment.log.info("{}", line);
  const Result<std::size_t> chosen = choose_successor(views, topology, request.wish);
  if (!chosen.ok()) return chosen.error();
  candidate = chosen.value();
  roles =
      cast_failover(discovery, dead.value(), candidate, replica_like(views[candidate]), request);
  read_events();
  roles.fence.host_answers = death.host_answers;
  const bool needs_answer = request.salvage == SalvageMode::kRequire ||
                            !may_call_meanwhile(*roles.orig, roles.fence, roles.fencing);
  if (!needs_answer) roles.call = death.host_call.get();
  roles.script =
      failover_script(request.cluster, roles.orig->spec(), roles.next->spec(),
                      death.host_answers ? SshReach::kReachable : SshReach::kUnreachable);
  if (goes_on_without_address(views[candidate], request)) {
    environment.log.warning("{}: {}; the failover goes on, and tries the virtual IP in its turn",
                            views[candidate].host.title(), views[candidate].vip_error);
  }
  roles.keep_as = saved_events_path(request.cluster, roles.orig->spec(), environment);
  return failover_problems(
      {views, topology, candidate, death, read_failover_marks(request.cluster, environment.clock)},
      request);
}

// Which of them were enabled only the dead master could have told.
void Failover::Parts::read_events() {
  const Deadline deadline = environment.clock.deadline_after(kLook);
  Result<MysqlServer*> server = roles.next->mysql(deadline);
  const Result<std::vector<ScheduledEvent>> all =
      server.ok() ? server.value()->replication().scheduled_events(deadline)
                  : Result<std::vector<ScheduledEvent>>{server.error()};
  if (!all.ok()) {
    environment.log.warning("the events of {} are not known: {}", roles.next->title(),
                            all.error().message);
    return;
  }
  for (const ScheduledEvent& event : all.value()) {
    if (event.status != EventStatus::kDisabledOnReplica) continue;
    events.push_back(fmt::format("{}.{}", event.schema, event.name));
  }
}

// As MHA's own failover does (M:lib/MHA/MasterFailover.pm): the failover's lock on each replica.
Status Failover::Parts::take_locks() {
  std::vector<LockWish> wishes;
  std::vector<std::size_t> replicas;
  for (Node* replica : roles.replicas) {
    wishes.push_back({replica, kMhaFailoverLock});
    for (std::size_t i = 0; i < discovery.nodes.size(); ++i) {
      if (discovery.nodes[i].get() == replica) replicas.push_back(i);
    }
  }
  const Deadline deadline = environment.clock.deadline_after(kLook);
  const Status locked =
      take_mha_locks(wishes, "masterha_manager or another failover is at work", deadline);
  return locked.ok() ? still_as_seen(discovery, replicas, deadline) : locked;
}

void Failover::Parts::fill(Plan& plan, Journal& journal) {
  const FailoverWorkshop workshop{state, files, journal, environment};
  add_failover_steps_before(plan, roles, request.catch_up_at_most, workshop);
  plan.mark_point_of_no_return([this] { return to_json(state); });
  add_failover_steps_after(plan, roles, workshop);
}

PlanBudget Failover::Parts::budget() const {
  const Milliseconds undo = roles.next->settings().operation_timeout;
  return {environment.clock.deadline_after(undo + request.catch_up_at_most), undo, undo};
}

std::vector<std::string> Failover::describe() {
  Plan plan(parts_->environment.clock, parts_->environment.log, parts_->environment.interrupt);
  const std::unique_ptr<Journal> none = make_null_journal();
  parts_->fill(plan, *none);
  return plan.describe();
}

Outcome Failover::run() {
  Parts& parts = *parts_;
  Environment& environment = parts.environment;
  if (const Status locked = parts.take_locks(); !locked.ok()) {
    return nothing_changed(locked.error().with_context("nothing was changed"));
  }
  if (environment.interrupt.requested()) {
    return nothing_changed(
        Error{Code::kRefused, "interrupted by the operator; nothing was changed"});
  }
  const NodeSpec& orig = parts.roles.orig->spec();
  Result<std::unique_ptr<Journal>> journal = create_file_journal(
      environment.state_dir, kFailoverOperation, journal_subject(orig.host, orig.port),
      failover_header(parts.request.cluster, parts.roles,
                      replica_like(parts.discovery.views[parts.candidate]), parts.events),
      environment.clock);
  if (!journal.ok()) {
    return nothing_changed(journal.error().with_context("without a journal nothing is begun"));
  }
  parts.journal_path = journal.value()->path();
  if (environment.observer != nullptr) environment.observer->operation_began(parts.journal_path);
  Plan plan(environment.clock, environment.log, environment.interrupt);
  plan.watch(environment.observer);
  parts.fill(plan, *journal.value());
  const TimePoint started = environment.clock.now();
  Outcome outcome = plan.run(*journal.value(), parts.budget(), [&parts, &environment] {
    environment.log.info("Putting the replicas back as they were found");
    for (const std::unique_ptr<Node>& node : parts.discovery.nodes) node->forget_sessions();
  });
  parts.turned_back = outcome.ending == Ending::kUndone || outcome.ending == Ending::kNotUndone;
  if (plan.hurried().has_value()) parts.writable_again = started + *plan.hurried();
  note_summary(*journal.value(), operation_summary(), environment.log);
  parts.keep_locks_until = environment.clock.now() + kOthersWaitForLocks;
  return outcome;
}

void Failover::outlast_who_waits() {
  const Environment& environment = parts_->environment;
  while (!environment.interrupt.requested() && environment.clock.now() < parts_->keep_locks_until) {
    environment.clock.sleep_until(
        std::min(parts_->keep_locks_until, environment.clock.now() + kInterruptSeenWithin));
  }
}

// A replica that is not to lead does not stop the failover by what it alone has; it is left to do.
std::vector<std::string> Failover::Parts::errant() const {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < discovery.views.size(); ++i) {
    if (i == topology.master || i == candidate) continue;
    const std::string own = own_transactions(discovery.views[i], discovery.views);
    if (own.empty()) continue;
    found.push_back(fmt::format(
        "{} has transactions of its own that no other server has: {}; bring them to the new master "
        "(empty ones, where their rows are there), or rebuild it",
        discovery.views[i].host.title(), own));
  }
  return found;
}

// A fence is not undone: nobody would make a master of a server that was given up. But where no
// other has come in its place, clients have none.
std::string Failover::Parts::fenced_for_nothing() const {
  const FenceVerdict& fence = state.fence;
  const bool is_fenced = fence.address_off || fence.server_down || fence.powered_off;
  if (!turned_back || !is_fenced) return "";
  return fmt::format(
      "{0} stays fenced ({1}), and there is no new master: run this again once the cause is "
      "mended; "
      "or, where {0} is to go on, start its server, see that it takes writes, and add the virtual "
      "IP there by hand",
      roles.orig->title(), fence.text());
}

std::string Failover::Parts::applied_for_nothing() const {
  if (!turned_back || !state.applied.has_value() || state.applied->whole) return "";
  const HostView& next = discovery.views[candidate];
  const GtidUse gtid_use = replica_like(next).gtid_use;
  if (is_told_of_applied(next.identity.family, gtid_use)) return "";
  return applied_in_part_text(roles.next->spec(), roles.orig->title());
}

FailoverSummary Failover::summary() const {
  const Parts& parts = *parts_;
  FailoverSummary summary;
  if (parts.roles.orig == nullptr) return summary;
  summary.orig_master = parts.discovery.views[parts.topology.master].host.title();
  summary.new_master = parts.discovery.views[parts.candidate].host.title();
  for (const Follower& follower : parts.roles.followers) {
    summary.new_replicas.push_back(follower.node->spec().host);
  }
  summary.evidence = parts.death.evidence;
  summary.fence = parts.state.fence;
  summary.salvage = parts.state.salvage;
  if (!parts.turned_back) summary.events = parts.events;
  return summary;
}

OperationSummary Failover::operation_summary() const {
  OperationSummary summary = operation_summary_of(this->summary());
  if (parts_->writable_again.has_value())
    summary.downtime = *parts_->writable_again - parts_->began;
  summary.journal = parts_->journal_path;
  for (const std::string& one : parts_->errant()) summary.leftovers.push_back(one);
  if (parts_->roles.orig != nullptr && !parts_->turned_back) {
    for (std::string& one :
         left_with_strangers(parts_->discovery.views, parts_->topology, summary.new_master)) {
      summary.leftovers.push_back(std::move(one));
    }
  }
  if (std::string applied = parts_->applied_for_nothing(); !applied.empty()) {
    summary.leftovers.push_back(std::move(applied));
  }
  if (std::string fenced = parts_->fenced_for_nothing(); !fenced.empty()) {
    summary.leftovers.push_back(std::move(fenced));
  }
  return summary;
}

}  // namespace mha
