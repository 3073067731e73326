// Every reason not to fail over, all at once, each with its remedy.
#pragma once

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

// Those of the whole cluster first, then in the order of the conf's hosts.
std::vector<Problem> failover_problems(const FailoverFacts& facts, const FailoverRequest& request);

}  // namespace mha
