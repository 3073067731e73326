// mysql_online_failover by our own engine.
#pragma once

#include <boost/program_options.hpp>

#include "cli/mha_run.h"
#include "cli/program.h"
#include "core/mha_switch.h"

namespace mha {

enum class Engine { kMha, kNative };
inline constexpr Engine kDefaultEngine = Engine::kMha;

void describe_native_options(boost::program_options::options_description& described);

// --engine; kDefaultEngine where it is not given. Error: kUsage, also where an option is given that
// only the native engine has.
Result<Engine> engine_from(const CommandLine& options);

// The exit code.
int run_native_switch(Program& program, const MhaOnlineSwitch& wish, const SwitchFiles& files);

}  // namespace mha
