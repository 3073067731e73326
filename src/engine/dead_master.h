// The cluster around a dead master: who replicated from it, who has received most, who is to lead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/candidate.h"
#include "engine/discovery.h"
#include "engine/topology.h"

namespace mha {

// The index of the conf's server that the operator named. `port` 0: any. Errors: kConfig (no such
// server), kUsage (several at this address: say the port).
Result<std::size_t> find_host(const Cluster& cluster, const std::string& host, std::uint16_t port);

// With the dead host as the master. Refuses (kRefused) a host that nobody living replicates from,
// saying what is known of it: a replica of another one, or nothing.
Result<Topology> topology_around(const std::vector<HostView>& views, std::size_t dead);

// Which of two replicas of the same source has received more of it: by coordinates in the source's
// binary log, which its receiver keeps with GTIDs too, and by GTIDs where one has no coordinates.
// False where it cannot be told.
bool has_received_more(const HostView& one, const HostView& other);

// Of `replicas`, one that no other has received more than; the first of equals.
std::size_t most_advanced(const std::vector<HostView>& views,
                          const std::vector<std::size_t>& replicas);

// Transactions that a server has made itself and none of `others` has: GTIDs, for people; empty
// where there are none. With the master dead this is how errant ones are told from those that only
// this replica had received. MySQL; on MariaDB by the server_id of its last ones.
std::string own_transactions(const HostView& view, const std::vector<HostView>& views);

// Why this replica would not be chosen; nullopt where it could be.
std::optional<std::string> unfit_to_succeed(const std::vector<HostView>& views,
                                            const Topology& topology, std::size_t host);

// Of the dead master's living replicas, as MHA does (M:lib/MHA/ServerManager.pm,
// select_new_master): fit ones with candidate_master that have received most, others with
// candidate_master, others that have received most, the rest; then the oldest version, then the
// conf's order. latest_priority=0 leaves out who has received most. With a wish: that host, if it
// replicates from the dead master. Errors as of choose_candidate.
Result<std::size_t> choose_successor(const std::vector<HostView>& views, const Topology& topology,
                                     const CandidateWish& wish);

}  // namespace mha
