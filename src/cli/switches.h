// The bodies of the programs that a DBA types.
#pragma once

#include "cli/program.h"

namespace mha {

boost::program_options::options_description online_switch_options();
boost::program_options::options_description dead_switch_options();

// mysql_online_failover: a switch of a living master by MHA, undone from the journal where MHA
// fails after our hook took the clients off; the exit code.
int run_online_switch(Program& program);
// mysql_failover: the failover of a dead master by MHA; the exit code.
int run_dead_switch(Program& program);

}  // namespace mha
