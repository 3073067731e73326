// From the options that MHA passes to a hook, and the configuration, to the core's requests.
#pragma once

#include <boost/program_options.hpp>
#include <string>

#include "cli/program.h"
#include "core/node.h"

namespace mha {

enum class Master { kOrig, kNew };

// The options for one master as MHA's hooks get them (facts: mha.md, "How MHA calls the hooks").
void describe_master_options(boost::program_options::options_description& described, Master master);
// --ssh_user and --ssh_options, which hold for both.
void describe_ssh_options(boost::program_options::options_description& described);

// Reads the options of one master and finds its host's settings. Warnings of the configuration go
// to the log. Errors: kUsage (host missing, port out of range, ssh options), kConfig.
Result<NodeSpec> node_from_options(Program& program, Master master);

}  // namespace mha
