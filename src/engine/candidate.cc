// Choosing.
#include "engine/candidate.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mha {
namespace {

Result<std::size_t> wished_host(const std::vector<HostView>& views, const Topology& topology,
                                const CandidateWish& wish) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < views.size() && !found.has_value(); ++i) {
    if (views[i].host.is_named(wish.host, wish.port)) found = i;
  }
  if (!found.has_value()) return no_such_server(wish);
  const HostView& view = views[*found];
  if (*found == topology.master) {
    return Error{Code::kUsage,
                 fmt::format("--new_master_host={}: it is the master already", view.host.title())};
  }
  if (!view.living()) {
    return Error{Code::kRefused, fmt::format("the new master {} is {}: {}", view.host.title(),
                                             to_string(view.reach), view.why)};
  }
  if (topology.source[*found] != topology.master) {
    return Error{Code::kRefused,
                 fmt::format("the new master {} does not replicate from the master {}; choose one "
                             "that does, or point it there first",
                             view.host.title(), views[topology.master].host.title())};
  }
  return *found;
}

}  // namespace

Error no_such_server(const CandidateWish& wish) {
  return Error{Code::kUsage,
               fmt::format("--new_master_host={}{}: the conf has no such server", wish.host,
                           wish.port == 0 ? "" : fmt::format(":{}", wish.port))};
}

Status check_wish(const Cluster& cluster, const CandidateWish& wish) {
  const bool is_known =
      wish.host.empty() ||
      std::any_of(cluster.hosts.begin(), cluster.hosts.end(),
                  [&wish](const ClusterHost& host) { return host.is_named(wish.host, wish.port); });
  return is_known ? Status{} : Status{no_such_server(wish)};
}

Result<std::vector<std::size_t>> fit_hosts(const std::vector<HostView>& views,
                                           const Topology& topology, const Unfit& unfit) {
  std::vector<std::size_t> fit;
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::optional<std::string> why = unfit(views, topology, i);
    if (!why.has_value()) {
      fit.push_back(i);
    } else if (i != topology.master) {
      reasons.push_back(fmt::format("{}: {}", views[i].host.title(), *why));
    }
  }
  if (!fit.empty()) return fit;
  return Error{Code::kRefused,
               fmt::format("no host can become the new master ({})", fmt::join(reasons, "; "))};
}

unsigned major_version(const ServerIdentity& identity) { return identity.version_number / 100; }

std::optional<std::string> unfit_to_lead(const std::vector<HostView>& views,
                                         const Topology& topology, std::size_t host) {
  const HostView& view = views[host];
  if (host == topology.master) return "it is the master";
  if (!view.living()) return fmt::format("it is {}", to_string(view.reach));
  if (topology.source[host] != topology.master) return "it does not replicate from the master";
  if (view.host.no_master) return "the conf says no_master";
  const ReplicaState& replica = *view.state.replica;
  if (replica.receiver != ReceiverState::kRunning || !replica.applier_running) {
    return "its replication does not run";
  }
  if (!view.state.log_bin) return "it writes no binary log";
  if (!view.state.log_replica_updates) return "it does not log what it replicates";
  if (view.host.check_repl_delay && replica.delay.count() > 0) {
    return fmt::format("it is delayed on purpose, by {} s", replica.delay.count());
  }
  return std::nullopt;
}

Result<std::size_t> choose_candidate(const std::vector<HostView>& views, const Topology& topology,
                                     const CandidateWish& wish) {
  if (!wish.host.empty()) return wished_host(views, topology, wish);
  Result<std::vector<std::size_t>> found = fit_hosts(views, topology, unfit_to_lead);
  if (!found.ok()) return found.error();
  std::vector<std::size_t>& fit = found.value();
  std::stable_sort(fit.begin(), fit.end(), [&views](std::size_t a, std::size_t b) {
    const bool a_first = views[a].host.candidate_master;
    if (a_first != views[b].host.candidate_master) return a_first;
    return major_version(views[a].identity) < major_version(views[b].identity);
  });
  return fit.front();
}

}  // namespace mha
