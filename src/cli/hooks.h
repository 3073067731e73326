// The bodies of MHA's two IP hooks.
#pragma once

#include "cli/program.h"

namespace mha {

boost::program_options::options_description online_hook_options();
boost::program_options::options_description hard_hook_options();

// `--command=stop|start`; the exit code.
int run_online_hook(Program& program);
// `--command=status|stop|stopssh|start`; the exit code.
int run_hard_hook(Program& program);

}  // namespace mha
