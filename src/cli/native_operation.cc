// The frame, and the answer to what is unfinished.
#include "cli/native_operation.h"

#include <fmt/core.h>

#include <utility>

#include "cli/adapters.h"
#include "cli/native_cluster.h"
#include "cli/run_archive.h"
#include "cli/run_history.h"

namespace mha {

namespace {

// What is only looked at, and a living master. A failover that went no further would leave clients
// without a master for the sake of its address, and what is unfinished must be put back.
bool may_be_refused(const NativeCall& call) {
  return !changes_something(call.task) ||
         (call.kind == OperationKind::kSwitch && call.task == Task::kRun);
}

}  // namespace

int on_native_stage(Program& program, const SwitchFiles& files, const NativeCall& call,
                    const std::function<int(const NativeStage&, Cluster)>& run) {
  const LogLevel least = program.options.has("verbose") ? LogLevel::kDebug : LogLevel::kInfo;
  RunConsole console(console_mode(call.format), least, standard_streams(), program.clock);
  Program watched = with_log(program, console);
  NativeOutput output(watched, console, call.format, call.kind, call.name);
  Result<Cluster> cluster = cluster_from(watched, files);
  if (!cluster.ok()) return output.failed(cluster.error());
  if (const Status login = logins_are_there(cluster.value()); !login.ok()) {
    if (may_be_refused(call)) return output.failed(login.error());
    console.warning("{}; what needs no login goes on", login.error().message);
  }
  Adapters adapters(watched);
  Environment environment = adapters.environment();
  environment.observer = &console;
  const bool keeps = changes_something(call.task);
  if (keeps) append_to_manager_log(files.conf, console);
  const int exit_code = run({watched, environment, console, output}, std::move(cluster).value());
  console.drain();
  if (keeps) archive_runs(run_folders(files.conf, watched.state_dir), watched.clock, console);
  return exit_code;
}

int run_native(NativeOperation& operation, Task task, NativeOutput& output,
               const Program& program) {
  const std::optional<JournalFile> unfinished = operation.find_unfinished();
  const bool needs_one = task == Task::kResume || task == Task::kRollback;
  if (needs_one && !unfinished.has_value()) {
    return output.failed(Error{
        Code::kRefused,
        fmt::format("there is no unfinished {} of this cluster in {}; what another user or another "
                    "manager began is not seen from here",
                    operation.noun(), program.state_dir)});
  }
  if (task == Task::kRollback) {
    return output.rolled_back(operation.roll_back(*unfinished), summary_of(*unfinished));
  }
  if (task == Task::kResume) {
    const Result<Remedy> remedy = operation.remedy_for(*unfinished);
    if (!remedy.ok()) return output.failed(remedy.error());
    if (remedy.value() == Remedy::kCarryOn) return operation.carry_on(*unfinished);
    // It has not become irrevocable: back to where it began, and then once more.
    program.log.info("putting back what the unfinished {} did, then {}", operation.noun(),
                     operation.anew());
    const Outcome back = operation.roll_back(*unfinished);
    if (back.ending != Ending::kUndone || back.headline.has_value()) {
      return output.ended(back, summary_of(*unfinished));
    }
  } else if (unfinished.has_value()) {
    const Problem problem{
        "",
        fmt::format("a {} that was begun at {} is unfinished ({})", operation.noun(),
                    unfinished->records.front().value("time", "?"), unfinished->path),
        "run this again with --resume or --rollback"};
    if (task != Task::kRun) return operation.begin({problem});
    return output.failed(
        Error{Code::kRefused, fmt::format("{}; {}", problem.what, problem.remedy)});
  }
  return operation.begin({});
}

}  // namespace mha
