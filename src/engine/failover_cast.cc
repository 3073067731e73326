// Casting.
#include "engine/failover_cast.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "engine/dead_master.h"

namespace mha {
namespace {

using nlohmann::json;

json host_json(const NodeSpec& node) { return json{{"host", node.host}, {"port", node.port}}; }

}  // namespace

ReplicaState replica_like(const HostView& candidate) {
  return candidate.state.replica.value_or(ReplicaState{});
}

FailoverRoles cast_failover(Discovery& discovery, std::size_t dead, std::size_t candidate,
                            const ReplicaState& like, const FailoverRequest& request) {
  const std::vector<HostView>& views = discovery.views;
  FailoverRoles roles;
  roles.orig = discovery.nodes[dead].get();
  roles.next = discovery.nodes[candidate].get();
  roles.orig->set_role("dead master");
  roles.next->set_role("new master");
  roles.orig->pair_with(roles.next->spec());
  roles.next->pair_with(roles.orig->spec());
  roles.followers = find_followers(discovery, dead, candidate, like, OrigMaster::kStaysAlone);
  roles.replicas.push_back(roles.next);
  const HostView& next = views[candidate];
  for (Follower& follower : roles.followers) {
    follower.node->set_role("replica");
    roles.replicas.push_back(follower.node);
    if (!next.state.log_replica_updates) {
      follower.request.source_logs = FollowRequest::SourceLogs::kItsOwn;
    }
    const auto own = std::find_if(discovery.nodes.begin(), discovery.nodes.end(),
                                  [&](const auto& node) { return node.get() == follower.node; });
    const HostView& view = views[static_cast<std::size_t>(own - discovery.nodes.begin())];
    if (view.host.ignore_fail) roles.may_fail.push_back(follower.node);
    if (follower.request.source.gtid_use != GtidUse::kNone) continue;
    const bool lacks = std::any_of(views.begin(), views.end(), [&view](const HostView& other) {
      return other.replicates() && has_received_more(other, view);
    });
    const bool by_relay_log =
        view.identity.family == ServerFamily::kMysql || !next.state.log_replica_updates;
    if (lacks && by_relay_log) roles.behind.push_back(follower.node);
  }
  roles.forgets_source = !next.host.skip_reset_slave;
  roles.super_read_only = next.state.read_only.super_read_only.value_or(false);
  roles.semi_sync_replica = next.state.semi_sync.replica_enabled;
  roles.fence.shutdown_script = views[dead].host.scripts.shutdown;
  roles.fencing = request.fencing;
  roles.salvage = request.salvage;
  roles.binlog_dirs = views[dead].host.binlog_dirs;
  roles.places = {views[dead].host.client_bindir, views[dead].host.remote_workdir};
  roles.fence.pid_file = views[dead].host.pid_file;
  roles.binlog_servers = request.cluster.binlog_servers;
  roles.log_bin = next.host.disable_log_bin ? LogBin::kOff : LogBin::kOn;
  return roles;
}

json failover_header(const Cluster& cluster, const FailoverRoles& roles, const ReplicaState& like,
                     const std::vector<std::string>& events) {
  return json{{"engine", "native"},
              {"application", cluster.application},
              {"conf", cluster.conf_file},
              {"orig_master", host_json(roles.orig->spec())},
              {"new_master", host_json(roles.next->spec())},
              {"semi_sync", roles.semi_sync_replica},
              {"keep_as", roles.keep_as},
              {"disabled_events", events},
              {"like", replica_to_json(like)}};
}

OperationSummary operation_summary_of(const FailoverSummary& facts) {
  OperationSummary summary;
  summary.orig_master = facts.orig_master;
  summary.new_master = facts.new_master;
  const Salvage& salvage = facts.salvage;
  const std::vector<std::string>& found = salvage.events.transactions;
  const bool are_there =
      salvage.ending == Salvage::Ending::kSaved || salvage.ending == Salvage::Ending::kInPart;
  if (are_there) summary.salvaged = found;
  if (salvage.ending == Salvage::Ending::kFailed) summary.lost = found;
  summary.saved_file = salvage.events.file;
  if (!facts.fence.rungs.empty()) summary.fence = facts.fence.text();
  // Nobody can say then that nothing is lost.
  const bool unknown = (salvage.ending == Salvage::Ending::kNotTried && !salvage.why.empty()) ||
                       salvage.ending == Salvage::Ending::kFailed;
  if (unknown) {
    summary.leftovers.push_back(fmt::format(
        "what only {} had is not on {}: {}; keep its binary logs, and compare before it comes back "
        "as a replica",
        facts.orig_master, facts.new_master, salvage.why));
  }
  if (!unknown && !salvage.from.empty()) {
    summary.leftovers.push_back(fmt::format(
        "what {} had not got yet is not on {}; keep the binary logs of {}, and compare before it "
        "comes back as a replica",
        salvage.from, facts.new_master, facts.orig_master));
  }
  // Where more is behind that, it is told as what was not salvaged.
  const bool has_more = salvage.events.more_behind || salvage.ending == Salvage::Ending::kInPart;
  if (salvage.events.torn && salvage.events.left_out > 0 && !has_more) {
    summary.leftovers.push_back(fmt::format(
        "the binary log of {} ends within a transaction, as a crash leaves it, at {}:{}: {} bytes "
        "behind that are on no server; keep its binary logs",
        facts.orig_master, salvage.events.end.file, salvage.events.end.position,
        salvage.events.left_out));
  }
  if (!facts.events.empty()) {
    summary.leftovers.push_back(fmt::format(
        "events of {} that are disabled on {}: {}; by hand: ALTER EVENT ... ENABLE for those that "
        "ran there",
        facts.orig_master, facts.new_master, fmt::join(facts.events, ", ")));
  }
  return summary;
}

std::string saved_events_path(const Cluster& cluster, const NodeSpec& dead,
                              const Environment& environment) {
  const std::vector<std::string> before = find_journals(environment.state_dir, kFailoverOperation,
                                                        journal_subject(dead.host, dead.port));
  if (!before.empty()) {
    const Result<JournalFile> journal = read_journal(before.front());
    const bool has_new_master = journal.ok() && summarize(journal.value()).past_point_of_no_return;
    const std::string path =
        journal.ok() ? journal.value().records.front().value("keep_as", "") : "";
    if (!has_new_master && !path.empty()) return path;
  }
  std::string stamp = utc_stamp(environment.clock.wall_now());
  std::erase_if(stamp, [](char c) { return c == ':' || c == '-' || c == '.'; });
  const std::string& folder = cluster.workdir.empty() ? environment.state_dir : cluster.workdir;
  return fmt::format("{}/saved_events_{}_{}", folder, cluster.application, stamp);
}

}  // namespace mha
