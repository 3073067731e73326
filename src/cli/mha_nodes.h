// From a server of MHA's configuration to the core's node.
#pragma once

#include <string>

#include "cli/program.h"
#include "config/helper_config.h"
#include "config/mha_conf.h"
#include "core/node.h"

namespace mha {

// Users, ports and SSH options from MHA's configuration, the rest from ours; as MHA would pass them
// to a hook. Errors: kConfig.
Result<NodeSpec> node_from_mha(Program& program, const HelperConfig& config,
                               const MhaServer& server, const std::string& role);

// The SSH of such a server alone, for a host that our configuration need not have. Errors: kConfig.
Result<SshTarget> ssh_from_mha(Program& program, const MhaServer& server);

}  // namespace mha
