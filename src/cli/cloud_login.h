// The environment as a cloud's drivers read it, and what is wrong with their logins at load.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "core/node.h"

namespace mha {

// Of this process.
std::optional<std::string> variable_of_process(const std::string& name);

// For what may still be refused without harm: checks, and the switch of a living master. A failover
// goes on without, and so does what is put back or carried on.
Status check_login(const NodeSpec& node);

}  // namespace mha
