// Who is what in a failover, from a discovery: for a new one and for one that is carried on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/failover.h"
#include "engine/failover_plan.h"

namespace mha {

// How the candidate replicated; an empty one where it replicates from nobody any more.
ReplicaState replica_like(const HostView& candidate);

// Names the nodes' roles, pairs the two masters, and finds who is to follow whom.
FailoverRoles cast_failover(Discovery& discovery, std::size_t dead, std::size_t candidate,
                            const ReplicaState& like, const FailoverRequest& request);

// The journal's header: what a second process needs beside the point of no return's facts.
// `events`: FailoverSummary's.
nlohmann::json failover_header(const Cluster& cluster, const FailoverRoles& roles,
                               const ReplicaState& like, const std::vector<std::string>& events);

// For people: without downtime and journal.
OperationSummary operation_summary_of(const FailoverSummary& facts);

// Where saved events go, without a suffix: in manager_workdir, or in our state folder where there
// is none. After a failover of the same host that came to no new master it is that one's: beside
// the file stands how much of it is applied already.
std::string saved_events_path(const Cluster& cluster, const NodeSpec& dead,
                              const Environment& environment);

}  // namespace mha
