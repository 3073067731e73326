// The options of vip_type=openstack: rows for the table, and what settles them.
#pragma once

#include <string>
#include <vector>

#include "config/known_options.h"

namespace mha {

// In the order in which people would read about them.
std::vector<KnownOption> openstack_options();

// What is missing or does not go together in a draft with vip_type=openstack, for each mode.
std::vector<OptionProblem> openstack_problems(const HostDraft& draft);

}  // namespace mha
