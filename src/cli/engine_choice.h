// Who does a switch or a failover: our own engine, or MHA.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command_line.h"

namespace mha {

enum class Engine { kMha, kNative };
inline constexpr Engine kDefaultEngine = Engine::kNative;

// --engine, and what the native engine has for both operations.
void describe_engine_options(boost::program_options::options_description& described);

// --engine; kDefaultEngine where it is not given. Error: kUsage, also where --engine=mha is given
// with an option of those above or of `native_only`.
Result<Engine> engine_from(const CommandLine& options, const std::vector<std::string>& native_only);

}  // namespace mha
