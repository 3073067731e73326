// Of four options, one at most.
#include "cli/native_task.h"

#include <utility>
#include <vector>

namespace mha {

Result<Task> task_from(const CommandLine& options) {
  const std::vector<std::pair<const char*, Task>> tasks{{"check", Task::kCheck},
                                                        {"dry_run", Task::kDryRun},
                                                        {"resume", Task::kResume},
                                                        {"rollback", Task::kRollback}};
  Task task = Task::kRun;
  for (const auto& [name, meant] : tasks) {
    if (!options.has(name)) continue;
    if (task != Task::kRun) {
      return Error{Code::kUsage,
                   "of --check, --dry_run, --resume and --rollback only one is meant"};
    }
    task = meant;
  }
  return task;
}

bool changes_something(Task task) { return task != Task::kCheck && task != Task::kDryRun; }

}  // namespace mha
