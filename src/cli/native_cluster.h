// From MHA's configuration to the engine's cluster.
#pragma once

#include "cli/mha_run.h"
#include "cli/program.h"
#include "engine/cluster.h"

namespace mha {

// Every server of the conf, with what our own configuration says of it. Errors: kConfig (no server,
// the same host and port twice, a host that our configuration does not have, a hook of somebody
// else where the engine would have to run it).
// "/usr/bin/send_report --to=me" of the conf is send_report.
std::string program_name_of(const std::string& command);

Result<Cluster> cluster_from(Program& program, const SwitchFiles& files);

}  // namespace mha
