// Every reason not to fail over, all at once, each with its remedy.
#pragma once

#include <string>
#include <vector>

#include "engine/death.h"
#include "engine/failover.h"
#include "engine/mha_state.h"
#include "engine/preflight.h"
#include "engine/topology.h"

namespace mha {

// What was read before; nobody is asked.
struct FailoverFacts {
  const std::vector<HostView>& views;
  const Topology& topology;  // the dead host is its master
  std::size_t candidate;
  const DeathReport& death;
  FailoverMarks marks;
};

// Whether the candidate's address cannot be moved, as it seems, and that is no reason not to.
bool goes_on_without_address(const HostView& candidate, const FailoverRequest& request);

// Whether this living host replicates from who is none of the conf's.
bool follows_a_stranger(const std::vector<HostView>& views, const Topology& topology,
                        std::size_t host);
// Of those that do, where the failover has gone on: what is left to do, for people.
std::vector<std::string> left_with_strangers(const std::vector<HostView>& views,
                                             const Topology& topology,
                                             const std::string& new_master);

// Those of the whole cluster first, then in the order of the conf's hosts.
std::vector<Problem> failover_problems(const FailoverFacts& facts, const FailoverRequest& request);

}  // namespace mha
