// mysql_online_failover by our own engine.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "cli/mha_run.h"
#include "cli/program.h"
#include "core/mha_switch.h"

namespace mha {

void describe_native_switch_options(boost::program_options::options_description& described);
// Their names, which --engine=mha does not know.
const std::vector<std::string>& native_switch_options();

// The exit code.
int run_native_switch(Program& program, const MhaOnlineSwitch& wish, const SwitchFiles& files);

}  // namespace mha
