// Port script_runner on posix_spawn.
#pragma once

#include <memory>

#include "ports/clock.h"
#include "ports/script.h"

namespace mha {

// The clock outlives it.
std::unique_ptr<ScriptRunner> make_script_runner(const Clock& clock);

}  // namespace mha
