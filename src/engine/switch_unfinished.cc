// A switch that its process has not finished: undone or carried on from its journal.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/mha_locks.h"
#include "engine/steps_follow.h"
#include "engine/steps_script.h"
#include "engine/steps_server.h"
#include "engine/switch_plan.h"
#include "engine/switchover.h"
#include "engine/unfinished.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{10'000};
constexpr Milliseconds kForward{60'000};
constexpr Milliseconds kScript{10'000};

// Its own kinds; the rest is the core's.
std::unique_ptr<Step> build_engine_step(const std::string& kind, Node& node, Handover& handover,
                                        Log& log) {
  if (kind == "ensure_events_off") return ensure_events_off(node, log);
  if (kind == "ensure_semi_sync_freed") return ensure_semi_sync_freed(node, log);
  if (kind == "ensure_not_following") return ensure_not_following(node, handover, log);
  return nullptr;
}

// Where the new master's own history begins.
BinlogCoordinates own_end(const json& facts) {
  const Result<Handover> handover = handover_from_json(facts);
  return handover.ok() ? handover.value().next_begin.binlog : BinlogCoordinates{};
}

}  // namespace

std::optional<JournalFile> find_unfinished_switch(const Cluster& cluster,
                                                  const Environment& environment) {
  return find_unfinished(kSwitchOperation, cluster, environment);
}

Result<Remedy> remedy_for_switch(const Cluster& cluster, const JournalFile& journal,
                                 Environment& environment) {
  return find_remedy(cluster, journal, own_end, environment);
}

Outcome roll_back_switch(const Cluster& cluster, const JournalFile& journal,
                         Environment& environment) {
  const Result<Remedy> remedy = remedy_for_switch(cluster, journal, environment);
  if (!remedy.ok()) return refuse(remedy.error().message);
  if (remedy.value() == Remedy::kCarryOn) return not_to_be_rolled_back(journal);
  Handover handover;
  const StepBuilder builder = [&](const std::string& kind, const json& parameters,
                                  Node& node) -> std::unique_ptr<Step> {
    if (kind == kStopScriptKind) {
      return rebuild_stop_script(cluster, parameters, node, environment);
    }
    return build_engine_step(kind, node, handover, environment.log);
  };
  const bool has_script = std::any_of(
      cluster.hosts.begin(), cluster.hosts.end(),
      [](const ClusterHost& host) { return !host.scripts.master_ip_online_change.empty(); });
  return roll_back_unfinished(cluster, journal, environment, builder,
                              has_script ? kScript : Milliseconds{0});
}

Outcome resume_switch(const SwitchRequest& request, const JournalFile& journal,
                      Environment& environment) {
  const Result<Remedy> remedy = remedy_for_switch(request.cluster, journal, environment);
  if (!remedy.ok()) return refuse(remedy.error().message);
  if (remedy.value() == Remedy::kRollBack) {
    return refuse(fmt::format("{} is not past its point of no return: it is to be rolled back",
                              journal.path));
  }
  Result<Handover> handover = handover_from_json(handover_facts(journal).value_or(json{}));
  if (!handover.ok()) return refuse(handover.error().message);
  const Discovery discovery =
      discover(request.cluster, kLook, request.running_updates_limit, environment);
  const json& header = journal.records.front();
  const std::optional<std::size_t> orig = index_of(request.cluster, header, "orig_master");
  const std::optional<std::size_t> next = index_of(request.cluster, header, "new_master");
  if (!orig.has_value() || !next.has_value()) {
    return refuse(fmt::format("{} names hosts that the conf does not", journal.path));
  }
  const auto locked = keep_failovers_away(request.cluster, orig, kOthersLocks, environment);
  if (!locked.ok()) return refuse(locked.error().message);
  const Status writable = take_writes_at_last(*discovery.nodes[*next], environment);
  if (!writable.ok()) return refuse(writable.error().message);
  const ReplicaState like = replica_from_json(header.value("like", json::object()));
  SwitchRoles roles;
  roles.orig = discovery.nodes[*orig].get();
  roles.next = discovery.nodes[*next].get();
  roles.orig->set_role("original master");
  roles.next->set_role("new master");
  roles.orig->pair_with(roles.next->spec());
  roles.next->pair_with(roles.orig->spec());
  roles.gtid_use = like.gtid_use;
  roles.events = header.value("events", false);
  roles.master_events = events_from_json(header.value("master_events", json::object()));
  roles.semi_sync_source = header.value("semi_sync", false);
  roles.semi_sync_replica = roles.semi_sync_source;
  roles.forgets_source = !discovery.views[*next].host.skip_reset_slave;
  roles.vip_on_orig = discovery.views[*orig].vip.value_or(VipPresence::kPresent);
  roles.orig_master = header.value("orig_master_is_new_slave", true) ? OrigMaster::kBecomesReplica
                                                                     : OrigMaster::kStaysAlone;
  roles.script =
      online_script(request.cluster, roles.orig->spec(), roles.next->spec(), roles.orig_master);
  roles.followers = find_followers(discovery, *orig, *next, like, roles.orig_master);
  for (Follower& one : find_pointed_already(discovery, *orig, *next)) {
    roles.followers.push_back(std::move(one));
  }
  for (const Follower& follower : roles.followers) {
    if (follower.node != roles.orig) follower.node->set_role("replica");
  }

  json new_header = header;
  new_header["resumes"] = journal.path;
  Result<std::unique_ptr<Journal>> own =
      create_file_journal(environment.state_dir, kSwitchOperation,
                          journal_subject(roles.orig->spec().host, roles.orig->spec().port),
                          std::move(new_header), environment.clock);
  if (!own.ok()) return refuse(own.error().message);
  if (environment.observer != nullptr) environment.observer->operation_began(own.value()->path());
  Plan plan(environment.clock, environment.log, environment.interrupt);
  plan.watch(environment.observer);
  add_steps_of_resume(plan, roles, handover.value(), environment);
  const PlanBudget budget{environment.clock.deadline_after(kForward),
                          roles.orig->settings().operation_timeout};
  Outcome outcome = plan.run(*own.value(), budget, [] {});
  tell_who_was_not_asked(discovery, {*orig, *next}, outcome);
  close_journal(journal, "carried on", environment);
  return outcome;
}

}  // namespace mha
