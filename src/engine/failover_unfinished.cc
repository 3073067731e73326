// A failover that its process has not finished: undone or carried on from its journal.
#include <fmt/core.h>

#include <utility>

#include "core/steps_mysql.h"
#include "engine/failover_cast.h"
#include "engine/failover_problems.h"
#include "engine/mha_locks.h"
#include "engine/steps_script.h"
#include "engine/unfinished.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{5'000};
constexpr Milliseconds kForward{600'000};

std::unique_ptr<Step> build_step(const std::string& kind, Node& node, Handover& handover,
                                 FailoverState& state, EventFiles& files, Journal& none,
                                 Environment& environment) {
  if (kind == "ensure_receiver_stopped") return ensure_receiver_stopped(node, environment);
  if (kind == "ensure_not_following") return ensure_not_following(node, handover, environment.log);
  if (kind == "ensure_has_latest") {
    return ensure_has_latest({&node, {}, {}, "", LogBin::kOn}, state, files, none, environment);
  }
  return nullptr;
}

// Where the new master's own history begins.
BinlogCoordinates own_end(const json& facts) {
  const Result<FailoverState> state = failover_state_from_json(facts);
  return state.ok() ? state.value().after_salvage : BinlogCoordinates{};
}

}  // namespace

std::optional<JournalFile> find_unfinished_failover(const Cluster& cluster,
                                                    const Environment& environment) {
  return find_unfinished(kFailoverOperation, cluster, environment);
}

Result<Remedy> remedy_for_failover(const Cluster& cluster, const JournalFile& journal,
                                   Environment& environment) {
  return find_remedy(cluster, journal, own_end, environment);
}

Outcome roll_back_failover(const Cluster& cluster, const JournalFile& journal,
                           Environment& environment) {
  const Result<Remedy> remedy = remedy_for_failover(cluster, journal, environment);
  if (!remedy.ok()) return refuse(remedy.error().message);
  if (remedy.value() == Remedy::kCarryOn) return not_to_be_rolled_back(journal);
  Handover handover;
  FailoverState state;
  state.applied = applied_by_us(journal);
  const std::unique_ptr<Journal> none = make_null_journal();
  RemoteEventFiles files(environment.scripts);
  return roll_back_unfinished(cluster, journal, environment,
                              [&](const std::string& kind, const json& /*parameters*/, Node& node) {
                                return build_step(kind, node, handover, state, files, *none,
                                                  environment);
                              });
}

ResumedFailover resume_failover(const FailoverRequest& request, const JournalFile& journal,
                                EventFiles& files, Environment& environment) {
  ResumedFailover resumed;
  const auto refused = [&resumed](std::string why) {
    resumed.outcome = refuse(std::move(why));
    return resumed;
  };
  const Result<Remedy> remedy = remedy_for_failover(request.cluster, journal, environment);
  if (!remedy.ok()) return refused(remedy.error().message);
  if (remedy.value() == Remedy::kRollBack) {
    return refused(fmt::format("{} is not past its point of no return: it is to be rolled back",
                               journal.path));
  }
  Result<FailoverState> state =
      failover_state_from_json(handover_facts(journal).value_or(json::object()));
  if (!state.ok()) return refused(state.error().message);
  const json& header = journal.records.front();
  const std::optional<std::size_t> dead = index_of(request.cluster, header, "orig_master");
  const std::optional<std::size_t> next = index_of(request.cluster, header, "new_master");
  if (!dead.has_value() || !next.has_value()) {
    return refused(fmt::format("{} names hosts that the conf does not", journal.path));
  }
  const auto locked = keep_failovers_away(request.cluster, dead, kOthersLocks, environment);
  if (!locked.ok()) return refused(locked.error().message);
  Discovery discovery = discover_survivors(request.cluster, *dead, kLook, environment);
  const HostView& new_master = discovery.views[*next];
  if (!new_master.living()) {
    return refused(fmt::format("the new master {} is {}: {}", new_master.host.title(),
                               to_string(new_master.reach), new_master.why));
  }
  const Status writable = take_writes_at_last(*discovery.nodes[*next], environment);
  if (!writable.ok()) return refused(writable.error().message);
  const ReplicaState like = replica_from_json(header.value("like", json::object()));
  FailoverRoles roles = cast_failover(discovery, *dead, *next, like, request);
  for (Follower& one : find_pointed_already(discovery, *dead, *next)) {
    roles.followers.push_back(std::move(one));
  }
  roles.semi_sync_replica = header.value("semi_sync", false);
  roles.keep_as = header.value("keep_as", "");
  const bool host_answers = state.value().fence.host_answers;
  roles.script = failover_script(request.cluster, roles.orig->spec(), roles.next->spec(),
                                 host_answers ? SshReach::kReachable : SshReach::kUnreachable);

  json new_header = header;
  new_header["resumes"] = journal.path;
  const NodeSpec& orig = roles.orig->spec();
  Result<std::unique_ptr<Journal>> own = create_file_journal(
      environment.state_dir, kFailoverOperation, journal_subject(orig.host, orig.port),
      std::move(new_header), environment.clock);
  if (!own.ok()) return refused(own.error().message);
  if (environment.observer != nullptr) environment.observer->operation_began(own.value()->path());
  Plan plan(environment.clock, environment.log, environment.interrupt);
  plan.watch(environment.observer);
  FailoverState& known = state.value();
  plan.mark_point_of_no_return([&known] { return to_json(known); });
  plan.add(ensure_writable(*roles.next, environment.log));
  add_failover_steps_after(plan, roles, {known, files, *own.value(), environment});
  const Milliseconds prompt = roles.next->settings().operation_timeout;
  const PlanBudget budget{environment.clock.deadline_after(kForward), prompt, prompt};
  resumed.outcome = plan.run(*own.value(), budget, [] {});
  tell_who_was_not_asked(discovery, {*dead, *next}, resumed.outcome);
  close_journal(journal, "carried on", environment);

  resumed.summary.orig_master = discovery.views[*dead].host.title();
  resumed.summary.new_master = new_master.host.title();
  for (const Follower& follower : roles.followers) {
    resumed.summary.new_replicas.push_back(follower.node->spec().host);
  }
  resumed.summary.fence = known.fence;
  resumed.summary.salvage = known.salvage;
  resumed.summary.events = header.value("disabled_events", std::vector<std::string>{});
  resumed.operation_summary = operation_summary_of(resumed.summary);
  const std::vector<HostView>& views = discovery.views;
  for (std::string& one :
       left_with_strangers(views, {*dead, find_sources(views)}, resumed.summary.new_master)) {
    resumed.operation_summary.leftovers.push_back(std::move(one));
  }
  resumed.operation_summary.journal = own.value()->path();
  return resumed;
}

}  // namespace mha
