// What both commands of the native engine have around their operation: console, log files, cluster
// and archive; and an unfinished operation of before.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/mha_run.h"
#include "cli/native_output.h"
#include "cli/native_task.h"
#include "cli/program.h"
#include "cli/run_console.h"
#include "core/environment.h"
#include "core/journal.h"
#include "engine/cluster.h"
#include "engine/unfinished.h"

namespace mha {

// What an operation is run with; outlives it.
struct NativeStage {
  Program& program;  // its log is the console
  Environment& environment;
  RunConsole& console;
  NativeOutput& output;
};

// What is run, and as the outcome is printed.
struct NativeCall {
  OutputFormat format;
  Task task;
  OperationKind kind;
  std::string name;  // "online switch"
};

// Reads the cluster, and calls `run` with the adapters ready; what was told stays in the conf's
// manager_log, and journals and logs in its archive, unless the task only looks. The exit code is
// `run`'s, or that of a conf that cannot be used.
int on_native_stage(Program& program, const SwitchFiles& files, const NativeCall& call,
                    const std::function<int(const NativeStage&, Cluster)>& run);

// One operation, and those of its kind that nobody has finished.
class NativeOperation {
 public:
  virtual ~NativeOperation() = default;

  [[nodiscard]] virtual std::string noun() const = 0;  // "switch"
  [[nodiscard]] virtual std::string anew() const = 0;  // "switching anew"
  virtual std::optional<JournalFile> find_unfinished() = 0;
  virtual Result<Remedy> remedy_for(const JournalFile& journal) = 0;
  virtual Outcome roll_back(const JournalFile& journal) = 0;
  // These have the last word on the output.
  virtual int carry_on(const JournalFile& journal) = 0;
  // `known`: reasons not to that were found before looking.
  virtual int begin(std::vector<Problem> known) = 0;
};

// As `task` says: an unfinished operation is rolled back or carried on, or stands in the way of a
// new one. Gives the exit code.
int run_native(NativeOperation& operation, Task task, NativeOutput& output, const Program& program);

}  // namespace mha
