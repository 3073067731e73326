// Reading everything back after a switch.
#pragma once

#include <memory>
#include <vector>

#include "core/environment.h"
#include "core/node.h"
#include "core/step.h"

namespace mha {

struct Follower;
struct SwitchRoles;

// Changes nothing. An error that names all that is not as a switch must leave it: the new master
// takes writes and has the virtual IP, the old one does neither, each follower replicates. A
// receiver that is still connecting is waited for, for a while. `roles` outlives it.
std::unique_ptr<Step> verify_switch(const SwitchRoles& roles, Environment& environment);

// The same after a failover, whose old master cannot be asked. `followers` outlives it.
std::unique_ptr<Step> verify_failover(Node& next, const std::vector<Follower>& followers,
                                      Environment& environment);

}  // namespace mha
