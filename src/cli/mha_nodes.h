// From a server of MHA's configuration to the core's node.
#pragma once

#include <string>

#include "cli/program.h"
#include "config/helper_config.h"
#include "config/mha_conf.h"
#include "core/node.h"
#include "ssh/ssh_options.h"

namespace mha {

// Users, ports and SSH options from MHA's configuration, the rest from ours; as MHA would pass them
// to a hook. Errors: kConfig.
Result<NodeSpec> node_from_mha(Program& program, const HelperConfig& config,
                               const MhaServer& server, const std::string& role);

// The SSH of such a server alone, for a host that our configuration need not have. Errors: kConfig.
Result<SshTarget> ssh_from_mha(Program& program, const MhaServer& server);

// What of MHA's ssh_options our SSH does otherwise than MHA's.
void log_unused_options(const ParsedSshOptions& options, const std::string& host, Log& log);

// The address by which our configuration may know the host: `ip` as MHA's conf has it; where it has
// none and it matters (HelperConfig::needs_address_of), the resolver's, "" after two seconds.
std::string address_in_config(Program& program, const HelperConfig& config, const std::string& host,
                              const std::string& ip);

}  // namespace mha
