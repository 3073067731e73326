// Which replica becomes the new master: MHA's rules, or the operator's word.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/topology.h"

namespace mha {

// --new_master_host and --new_master_port; an empty host is no wish, port 0 any.
struct CandidateWish {
  std::string host;
  std::uint16_t port = 0;
};

// Why this host would not be chosen, as one line; nullopt where it could be.
std::optional<std::string> unfit_to_lead(const std::vector<HostView>& views,
                                         const Topology& topology, std::size_t host);

// The hosts for which `unfit` gives no reason. kRefused, with the others' reasons, where there is
// none.
using Unfit = std::function<std::optional<std::string>(const std::vector<HostView>&,
                                                       const Topology&, std::size_t host)>;
Result<std::vector<std::size_t>> fit_hosts(const std::vector<HostView>& views,
                                           const Topology& topology, const Unfit& unfit);

// The error of a wish that names no server of the conf.
Error no_such_server(const CandidateWish& wish);

// Whether the wish names a server of the conf: to be known before anything is looked at. Error:
// kUsage.
Status check_wish(const Cluster& cluster, const CandidateWish& wish);

// Without a wish: of the master's own replicas that are fit, those with candidate_master first,
// then the oldest server version, then the conf's order. With one: that host, if it replicates from
// the master; whether it is fit is left to preflight. Errors: kUsage for a wish that names no host
// of the conf or the master itself, kRefused (why not, for each host).
Result<std::size_t> choose_candidate(const std::vector<HostView>& views, const Topology& topology,
                                     const CandidateWish& wish);

// 10.11 of 101114: what decides whether one server can replicate from another.
unsigned major_version(const ServerIdentity& identity);

}  // namespace mha
