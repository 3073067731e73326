// What a run of the native engine is asked to do.
#pragma once

#include "base/status.h"
#include "cli/command_line.h"

namespace mha {

enum class Task { kRun, kCheck, kDryRun, kResume, kRollback };

// --check, --dry_run, --resume, --rollback. Error (kUsage): more than one.
Result<Task> task_from(const CommandLine& options);

// One that only looks leaves no trace.
bool changes_something(Task task);

}  // namespace mha
