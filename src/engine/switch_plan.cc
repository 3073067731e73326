// Putting the steps together.
#include "engine/switch_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/host_name.h"
#include "core/steps_clients.h"
#include "core/steps_exempt.h"
#include "core/steps_mysql.h"
#include "core/steps_vip.h"
#include "engine/steps_server.h"
#include "engine/steps_verify.h"
#include "engine/topology.h"

namespace mha {
namespace {

constexpr Milliseconds kEndClients{5000};

// Named as the replicas name their sources now: by address where they do so.
std::string name_of_source(const NodeSpec& next, const std::string& source_now) {
  return parse_address(source_now).has_value() && !next.ip.empty() ? next.ip : next.host;
}

Follower make_follower(const HostView& view, Node& node, const HostView& next,
                       const ReplicaState& like) {
  NewSource source;
  source.host = name_of_source(next.host.node, like.source_host);
  source.port = next.host.node.port;
  source.user = view.host.repl_user;
  source.password = view.host.repl_password;
  source.gtid_use = like.gtid_use;
  source.connect_retry = like.connect_retry;
  source.security = like.security;
  return {&node, {std::move(source), next.own_addresses, FollowRequest::OldSource::kMustBeDone}};
}

std::unique_ptr<Step> no_clients(Node& node, const char* occasion, Thoroughness thoroughness,
                                 Environment& environment) {
  // Clients wait already: none is given time to leave by itself.
  return ensure_no_clients(node, occasion, {Milliseconds{0}, kEndClients, thoroughness},
                           environment.clock, environment.log, environment.interrupt);
}

bool keeps_semi_sync(const SwitchRoles& roles) {
  return roles.semi_sync_source && roles.semi_sync_replica;
}

}  // namespace

std::vector<Follower> find_followers(const Discovery& discovery, std::size_t orig, std::size_t next,
                                     const ReplicaState& like, OrigMaster orig_master) {
  const std::vector<HostView>& views = discovery.views;
  const auto sources = find_sources(views);
  std::vector<Follower> followers;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (i == next || i == orig || sources[i] != orig) continue;
    followers.push_back(
        make_follower(views[i], *discovery.nodes[i], views[next], *views[i].state.replica));
  }
  if (orig_master == OrigMaster::kBecomesReplica) {
    followers.push_back(make_follower(views[orig], *discovery.nodes[orig], views[next], like));
    followers.back().request.old_source = FollowRequest::OldSource::kIsIt;
  }
  return followers;
}

std::vector<Follower> find_pointed_already(const Discovery& discovery, std::size_t orig,
                                           std::size_t next) {
  const std::vector<HostView>& views = discovery.views;
  const auto sources = find_sources(views);
  std::vector<Follower> followers;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (i == next || i == orig || sources[i] != next) continue;
    followers.push_back(
        make_follower(views[i], *discovery.nodes[i], views[next], *views[i].state.replica));
  }
  return followers;
}

void add_steps_before(Plan& plan, const SwitchRoles& roles, Handover& handover,
                      Milliseconds max_downtime, LongWriters blockers, Environment& environment) {
  Log& log = environment.log;
  Node& orig = *roles.orig;
  Node& next = *roles.next;
  plan.add(ensure_read_only(next, log));
  if (roles.events) plan.add(ensure_events_off(orig, log));
  // Else it would log what the new master takes, and its own replicas would get that from it.
  if (roles.orig_replicates) plan.add(ensure_replication_stopped(orig, log));
  // It has no replicas yet: its first COMMITs would wait for their time-out.
  if (keeps_semi_sync(roles)) plan.add(ensure_semi_sync_freed(next, log));

  plan.mark_hurry_begin(max_downtime);
  if (roles.semi_sync_source) plan.add(ensure_semi_sync_freed(orig, log));
  if (roles.script.has_value() && roles.script->stop.has_value()) {
    plan.add(ensure_stop_script_ran(orig, *roles.script->stop, roles.orig_master, next.spec(),
                                    environment));
  }
  // Read-only before the kill: killing first commits rows that nobody acknowledged (facts:
  // servers.md).
  plan.add(ensure_frozen(orig, blockers, environment.ports.mysql, log));
  // Before the address goes: without it the server's RST cannot reach the client (facts: mha.md).
  plan.add(no_clients(orig, "with writes off",
                      orig.moves_a_vip() ? Thoroughness::kTold : Thoroughness::kGone, environment));
  // From the address's leaving to its coming a client's packets are lost, and each costs it a
  // time-out: what can be done before or meanwhile is not done in between. Whom read_only does not
  // bind is ended and watched for before the candidate leaves its source.
  const bool all_are_bound = roles.exempt_clients.empty();
  plan.add(ensure_caught_up(next, orig, "with writes off", roles.gtid_use, handover, log));
  std::vector<std::unique_ptr<Step>> meanwhile;
  if (orig.moves_a_vip()) {
    const bool on_both =
        roles.vip_on_orig == VipPresence::kPresent && roles.vip_on_next == VipPresence::kPresent;
    meanwhile.push_back(ensure_vip_absent(
        orig, roles.vip_on_orig, on_both ? OtherHolder::kTakeOver : OtherHolder::kRefuse, log));
    // Those that come back until it has gone.
    meanwhile.push_back(
        no_clients(orig, "while the virtual IP goes", Thoroughness::kTold, environment));
  }
  if (all_are_bound) meanwhile.push_back(ensure_not_following(next, handover, log));
  plan.add_together(std::move(meanwhile));
  if (orig.moves_a_vip()) {
    plan.add(no_clients(orig, "with the virtual IP off", Thoroughness::kGone, environment));
  }
  // Nobody can write by now: this is the end of the old master's history.
  if (all_are_bound) {
    plan.add(ensure_at_end(next, orig, roles.gtid_use, handover, log));
  } else {
    plan.add(ensure_no_exempt_writer(orig, roles.exempt_clients, environment.clock, log));
    plan.add(ensure_caught_up(next, orig, "to its end", roles.gtid_use, handover, log));
    plan.add(ensure_not_following(next, handover, log));
  }
  plan.mark_handover([&handover] { return to_json(handover); });
  plan.add(ensure_writable(next, log));
}

void add_steps_after(Plan& plan, const SwitchRoles& roles, Handover& handover,
                     Environment& environment) {
  Log& log = environment.log;
  Node& next = *roles.next;
  if (roles.script.has_value() && roles.script->start.has_value()) {
    plan.add(ensure_start_script_ran(next, *roles.script->start, environment));
  }
  // Where the script has moved it, this finds it done.
  if (next.moves_a_vip()) plan.add(ensure_vip_present(next, OtherHolder::kRefuse, log));
  plan.mark_hurry_end();

  // By position, what the original master gets as a replica and logs must come to nobody who is
  // still to be pointed to a place in the new master's log: that one's turn is after theirs. With
  // semi-sync it has to be made a replica of that kind first.
  const bool by_position = std::any_of(
      roles.followers.begin(), roles.followers.end(),
      [](const Follower& follower) { return follower.request.source.gtid_use == GtidUse::kNone; });
  std::vector<std::unique_ptr<Step>> repointing;
  std::vector<std::unique_ptr<Step>> then;
  const bool semi_sync = keeps_semi_sync(roles);
  if (semi_sync) repointing.push_back(ensure_semi_sync_replica(*roles.orig, log));
  if (roles.forgets_source) repointing.push_back(ensure_source_forgotten(next, log));
  for (const Follower& follower : roles.followers) {
    const bool is_last = (by_position || semi_sync) && follower.node == roles.orig;
    auto& when = is_last ? then : repointing;
    when.push_back(ensure_follows(*follower.node, follower.request, handover, log));
  }
  plan.add_together(std::move(repointing));
  plan.add_together(std::move(then));
  if (!roles.master_events.enabled.empty()) {
    plan.add(ensure_events_enabled(next, roles.master_events, log));
  }
  if (roles.events) plan.add(ensure_events_on(next, log));
  if (semi_sync) {
    const Milliseconds patience = roles.followers.empty() ? Milliseconds{0} : kSemiSyncReplicasCome;
    plan.add(ensure_semi_sync_source(next, patience, environment.clock, log));
  }
  plan.add(verify_switch(roles, environment));
}

void add_steps_of_resume(Plan& plan, const SwitchRoles& roles, Handover& handover,
                         Environment& environment) {
  Log& log = environment.log;
  plan.mark_point_of_no_return([&handover] { return to_json(handover); });
  plan.add(ensure_read_only(*roles.orig, log));
  if (roles.orig->moves_a_vip()) {
    plan.add(ensure_vip_absent(*roles.orig, roles.vip_on_orig, OtherHolder::kRefuse, log));
  }
  plan.add(ensure_writable(*roles.next, log));
  add_steps_after(plan, roles, handover, environment);
}

}  // namespace mha
