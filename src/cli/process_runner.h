// Port process_runner on posix_spawn.
#pragma once

#include <memory>

#include "ports/process.h"

namespace mha {

std::unique_ptr<ProcessRunner> make_process_runner();

}  // namespace mha
