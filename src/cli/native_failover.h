// mysql_failover by our own engine.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "cli/mha_run.h"
#include "cli/program.h"
#include "core/mha_switch.h"

namespace mha {

void describe_native_failover_options(boost::program_options::options_description& described);
// Their names, which --engine=mha does not know.
const std::vector<std::string>& native_failover_options();

// The exit code.
int run_native_failover(Program& program, const MhaDeadSwitch& wish, const SwitchFiles& files);

}  // namespace mha
