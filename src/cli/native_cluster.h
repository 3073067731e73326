// From MHA's configuration to the engine's cluster.
#pragma once

#include "cli/mha_run.h"
#include "cli/program.h"
#include "engine/cluster.h"

namespace mha {

// Every server of the conf, with what our own configuration says of it. Errors: kConfig (no server,
// the same host and port twice, a host that our configuration does not have, a script that cannot
// be run).
Result<Cluster> cluster_from(Program& program, const SwitchFiles& files);

// Whether the names of all hosts resolve, those with an ip or ignore_fail left out; all are asked
// at once. For operations on living hosts: a dead one's name may be gone with it. Error: kConfig,
// with those that do not.
Status hosts_resolve(const Cluster& cluster);

// Whether the login of each host's cloud is there, as far as that is seen without asking the cloud.
// Error: kConfig.
Status logins_are_there(const Cluster& cluster);

// Whether the scripts that the conf names for `key` ("master_ip_online_change_script") are there
// and may be executed: that must show before clients wait for them. Ours are, and so is a word that
// is no path: that is left to the shell. Error: kConfig.
Status scripts_can_run(const SwitchFiles& files, const std::string& key);

}  // namespace mha
