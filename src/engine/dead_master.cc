// Looking at replicas whose source is gone.
#include "engine/dead_master.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "engine/mariadb_binlog_state.h"
#include "engine/mariadb_gtid_set.h"
#include "engine/mysql_gtid_set.h"
#include "engine/position.h"

namespace mha {
namespace {

constexpr std::int64_t kLastNumber = std::numeric_limits<std::int64_t>::max() - 1;

// All that it has got, applied or not. MariaDB: what it has asked for lately, or executed.
std::string gtids_had(const HostView& view) {
  const ReplicaState& replica = *view.state.replica;
  if (view.identity.family == ServerFamily::kMariadb) {
    return replica.received_gtids.empty() ? view.state.executed_gtids : replica.received_gtids;
  }
  Result<MysqlGtidSet> executed = MysqlGtidSet::parse(view.state.executed_gtids);
  const Result<MysqlGtidSet> received = MysqlGtidSet::parse(replica.received_gtids);
  if (!executed.ok() || !received.ok()) return view.state.executed_gtids;
  return union_of(executed.value(), received.value()).text();
}

std::string own_on_mysql(const HostView& view, const std::vector<const HostView*>& others) {
  const Result<MysqlGtidSet> has = MysqlGtidSet::parse(view.state.executed_gtids);
  const Result<MysqlGtidSet> own =
      MysqlGtidSet::parse(fmt::format("{}:1-{}", view.state.server_uuid, kLastNumber));
  if (!has.ok() || !own.ok()) return "";
  MysqlGtidSet alone = intersection_of(has.value(), own.value());
  for (const HostView* other : others) {
    const Result<MysqlGtidSet> known = MysqlGtidSet::parse(other->state.executed_gtids);
    if (known.ok()) alone = difference_of(alone, known.value());
  }
  return alone.one_line();
}

// Its newest one in each domain, where no other log has it. A log without anything, or one that
// leaves out what is replicated, tells nothing.
std::string own_on_mariadb(const HostView& view, const std::vector<const HostView*>& others) {
  const Result<MariadbBinlogState> log = MariadbBinlogState::parse(view.state.binlog_state);
  if (!log.ok()) return "";
  std::string own;
  for (const auto& [domain, server, seqno] : log.value().entries()) {
    const MariadbGtid gtid{domain, server, seqno};
    if (server != view.identity.server_id) continue;
    bool can_be_told = false;
    bool is_known = false;
    for (const HostView* other : others) {
      const auto there = MariadbBinlogState::parse(other->state.binlog_state);
      if (!there.ok() || there.value().empty() || !other->state.log_replica_updates) continue;
      can_be_told = true;
      is_known = is_known || there.value().has(gtid);
    }
    if (can_be_told && !is_known) own += (own.empty() ? "" : ",") + gtid.text();
  }
  return own;
}

// What it has and does not log it passes on to nobody. Who follows by position gets it from a relay
// log.
std::optional<std::string> who_lacks_what_is_not_logged(const std::vector<HostView>& views,
                                                        const Topology& topology,
                                                        const HostView& view) {
  if (view.state.log_replica_updates) return std::nullopt;
  for (const std::size_t i : topology.replicas_of(topology.master)) {
    const HostView& other = views[i];
    const bool by_gtid = other.state.replica->gtid_use != GtidUse::kNone;
    if (&other != &view && by_gtid && has_received_more(view, other)) return other.host.title();
  }
  return std::nullopt;
}

Result<std::size_t> wished(const std::vector<HostView>& views, const Topology& topology,
                           const CandidateWish& wish) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i].host.is_named(wish.host, wish.port)) continue;
    if (i == topology.master) {
      return Error{Code::kUsage, fmt::format("--new_master_host={}: it is the dead master",
                                             views[i].host.title())};
    }
    if (!views[i].living()) {
      return Error{Code::kRefused, fmt::format("the new master {} is {}: {}", views[i].host.title(),
                                               to_string(views[i].reach), views[i].why)};
    }
    if (topology.source[i] != topology.master) {
      return Error{
          Code::kRefused,
          fmt::format("the new master {} did not replicate from {}; choose a replica of it",
                      views[i].host.title(), views[topology.master].host.title())};
    }
    return i;
  }
  return no_such_server(wish);
}

}  // namespace

Result<std::size_t> find_host(const Cluster& cluster, const std::string& host, std::uint16_t port) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < cluster.hosts.size(); ++i) {
    if (cluster.hosts[i].is_named(host, port)) found.push_back(i);
  }
  if (found.empty()) {
    return Error{Code::kConfig, fmt::format("{} has no server '{}'{}", cluster.conf_file, host,
                                            port == 0 ? "" : fmt::format(" with port {}", port))};
  }
  if (found.size() > 1) {
    return Error{Code::kUsage, fmt::format("{} has {} servers on '{}': say which, HOST:PORT",
                                           cluster.conf_file, found.size(), host)};
  }
  return found.front();
}

Result<Topology> topology_around(const std::vector<HostView>& views, std::size_t dead) {
  Topology topology;
  topology.master = dead;
  topology.source = find_sources(views);
  if (!topology.replicas_of(dead).empty()) return topology;
  const std::string title = views[dead].host.title();
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (i == dead) continue;
    const HostView& view = views[i];
    if (!view.living()) {
      seen.push_back(
          fmt::format("{} is {}: {}", view.host.title(), to_string(view.reach), view.why));
    } else if (view.state.replica.has_value()) {
      seen.push_back(fmt::format("{} replicates from {}:{}", view.host.title(),
                                 view.state.replica->source_host, view.state.replica->source_port));
    } else {
      seen.push_back(fmt::format("{} replicates from nobody", view.host.title()));
    }
  }
  return Error{Code::kRefused,
               fmt::format("{} is not the master of any living host of the conf ({}); nothing was "
                           "changed; name the dead master with -d",
                           title, fmt::join(seen, "; "))};
}

bool has_received_more(const HostView& one, const HostView& other) {
  const BinlogCoordinates& here = one.state.replica->received;
  const BinlogCoordinates& there = other.state.replica->received;
  if (!here.file.empty() && !there.file.empty()) {
    const Result<bool> not_less = is_at_or_after(here, there);
    return not_less.ok() && not_less.value() && here != there;
  }
  const ServerFamily family = one.identity.family;
  if (family != other.identity.family) return false;
  const Result<bool> has_all = has_everything_of(family, gtids_had(one), gtids_had(other));
  const Result<bool> is_had = has_everything_of(family, gtids_had(other), gtids_had(one));
  return has_all.ok() && is_had.ok() && has_all.value() && !is_had.value();
}

std::size_t most_advanced(const std::vector<HostView>& views,
                          const std::vector<std::size_t>& replicas) {
  std::size_t best = replicas.front();
  for (const std::size_t one : replicas) {
    if (has_received_more(views[one], views[best])) best = one;
  }
  return best;
}

std::string own_transactions(const HostView& view, const std::vector<HostView>& views) {
  if (!view.living() || !view.state.gtids) return "";
  std::vector<const HostView*> others;
  for (const HostView& other : views) {
    if (&other != &view && other.living()) others.push_back(&other);
  }
  // Alone, it cannot be told from what was replicated.
  if (others.empty()) return "";
  return view.identity.family == ServerFamily::kMysql ? own_on_mysql(view, others)
                                                      : own_on_mariadb(view, others);
}

std::optional<std::string> unfit_to_succeed(const std::vector<HostView>& views,
                                            const Topology& topology, std::size_t host) {
  const HostView& view = views[host];
  if (host == topology.master) return "it is the dead master";
  if (!view.living()) return fmt::format("it is {}", to_string(view.reach));
  if (topology.source[host] != topology.master) return "it did not replicate from the dead master";
  if (view.host.no_master) return "the conf says no_master";
  if (!view.state.log_bin) return "it writes no binary log";
  const ReplicaState& replica = *view.state.replica;
  if (replica.applier_error.number != 0) {
    return fmt::format("its SQL thread has stopped: {} (error {})", replica.applier_error.text,
                       replica.applier_error.number);
  }
  if (view.host.check_repl_delay && replica.delay.count() > 0) {
    return fmt::format("it is delayed on purpose, by {} s", replica.delay.count());
  }
  if (const auto lacking = who_lacks_what_is_not_logged(views, topology, view)) {
    return fmt::format(
        "it does not log what it replicates (log_slave_updates), and {} has received less",
        *lacking);
  }
  if (const std::string own = own_transactions(view, views); !own.empty()) {
    return fmt::format("it has transactions of its own that no other server has: {}", own);
  }
  return std::nullopt;
}

Result<std::size_t> choose_successor(const std::vector<HostView>& views, const Topology& topology,
                                     const CandidateWish& wish) {
  if (!wish.host.empty()) return wished(views, topology, wish);
  const std::vector<std::size_t> replicas = topology.replicas_of(topology.master);
  const HostView& latest = views[most_advanced(views, replicas)];
  Result<std::vector<std::size_t>> found = fit_hosts(views, topology, unfit_to_succeed);
  if (!found.ok()) return found.error();
  std::vector<std::size_t>& fit = found.value();
  const auto rank = [&views, &latest](std::size_t i) {
    const HostView& view = views[i];
    const bool is_latest = !view.host.latest_priority || !has_received_more(latest, view);
    return std::make_tuple(!view.host.candidate_master, !is_latest, major_version(view.identity));
  };
  std::stable_sort(fit.begin(), fit.end(),
                   [&rank](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return fit.front();
}

}  // namespace mha
