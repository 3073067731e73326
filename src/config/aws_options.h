// The options of vip_type=aws: rows for the table, and what settles them.
#pragma once

#include <string>
#include <vector>

#include "config/known_options.h"

namespace mha {

// In the order in which people would read about them.
std::vector<KnownOption> aws_options();

// What is missing or does not go together in a draft with vip_type=aws, for each mode.
std::vector<OptionProblem> aws_problems(const HostDraft& draft);

}  // namespace mha
