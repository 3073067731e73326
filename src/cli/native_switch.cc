// Options, the unfinished switch of before, looking, switching, and saying how it ended.
#include "cli/native_switch.h"

#include <fmt/core.h>

#include <utility>

#include "cli/adapters.h"
#include "cli/native_cluster.h"
#include "cli/native_output.h"
#include "cli/native_task.h"
#include "cli/run_archive.h"
#include "cli/run_console.h"
#include "cli/run_history.h"
#include "engine/switchover.h"

namespace mha {
namespace {

namespace po = boost::program_options;

constexpr std::int64_t kMostSeconds = 86'400;

struct NativeOptions {
  OutputFormat format = OutputFormat::kText;
  Task task = Task::kRun;
  SwitchRequest request;
};

Result<NativeOptions> options_from(const CommandLine& options, const MhaOnlineSwitch& wish) {
  NativeOptions native;
  const Result<OutputFormat> format = output_format_from(options);
  if (!format.ok()) return format.error();
  native.format = format.value();
  const Result<Task> task = task_from(options);
  if (!task.ok()) return task.error();
  native.task = task.value();

  SwitchRequest& request = native.request;
  request.wish = {wish.common.new_master_host, wish.common.new_master_port.value_or(0)};
  const auto downtime = options.number("max_downtime", 1, kMostSeconds);
  if (!downtime.ok()) return downtime.error();
  if (downtime.value().has_value()) {
    request.max_downtime = std::chrono::seconds{*downtime.value()};
  }
  const auto minutes = options.number("last_failover_minute", 0, 1'000'000);
  if (!minutes.ok()) return minutes.error();
  if (minutes.value().has_value()) {
    request.limits.last_failover = std::chrono::minutes{*minutes.value()};
  }
  if (options.has("ignore_last_failover")) {
    request.limits.last_failover_counts = LastFailover::kIgnored;
  }
  if (wish.running_updates_limit.has_value()) {
    request.running_updates_limit = std::chrono::seconds{*wish.running_updates_limit};
  }
  request.limits.long_writers =
      options.has("kill_blockers") ? LongWriters::kKill : LongWriters::kRefuse;
  request.limits.orig_master =
      wish.orig_master_is_new_slave ? OrigMaster::kBecomesReplica : OrigMaster::kStaysAlone;
  return native;
}

class NativeRun {
 public:
  NativeRun(Program& program, const NativeOptions& options, Environment& environment,
            RunConsole& console)
      : program_(program),
        options_(options),
        environment_(environment),
        output_(program, console, options.format, OperationKind::kSwitch, "online switch") {}

  int run() {
    const auto unfinished = find_unfinished_switch(options_.request.cluster, environment_);
    const bool needs_one = options_.task == Task::kResume || options_.task == Task::kRollback;
    if (needs_one && !unfinished.has_value()) {
      return output_.failed(Error{Code::kRefused, "there is no unfinished switch of this cluster"});
    }
    if (options_.task == Task::kRollback) {
      return output_.rolled_back(
          roll_back_switch(options_.request.cluster, *unfinished, environment_),
          summary_of(*unfinished));
    }
    if (options_.task == Task::kResume) {
      const Result<Remedy> remedy =
          remedy_for_switch(options_.request.cluster, *unfinished, environment_);
      if (!remedy.ok()) return output_.failed(remedy.error());
      if (remedy.value() == Remedy::kCarryOn) {
        return output_.ended(resume_switch(options_.request, *unfinished, environment_),
                             summary_of(*unfinished));
      }
      // It has not become irrevocable: back to where it began, and then once more.
      program_.log.info("putting back what the unfinished switch did, then switching anew");
      const Outcome back = roll_back_switch(options_.request.cluster, *unfinished, environment_);
      if (back.ending != Ending::kUndone || back.headline.has_value()) {
        return output_.ended(back, summary_of(*unfinished));
      }
    } else if (unfinished.has_value() && options_.task == Task::kRun) {
      return output_.failed(
          Error{Code::kRefused,
                fmt::format("a switch that was begun at {} is unfinished ({}); run this again with "
                            "--resume or --rollback",
                            unfinished->records.front().value("time", "?"), unfinished->path)});
    }
    return look_and_switch();
  }

 private:
  int look_and_switch() {
    Switchover switchover(options_.request, environment_);
    const Result<std::vector<Problem>> problems = switchover.look();
    if (!problems.ok()) return output_.failed(problems.error());
    const OperationSummary who = switchover.summary();
    if (options_.task == Task::kCheck) return output_.checked(problems.value(), who);
    if (options_.task == Task::kDryRun)
      return output_.described(switchover.describe(), problems.value(), who);
    if (!problems.value().empty()) return output_.refused(problems.value());
    program_.log.info("switching from {} to {}", who.orig_master, who.new_master);
    const Outcome outcome = switchover.run();
    return output_.ended(outcome, switchover.summary());
  }

  Program& program_;
  const NativeOptions& options_;
  Environment& environment_;
  NativeOutput output_;
};

}  // namespace

void describe_native_switch_options(po::options_description& described) {
  described.add_options()("max_downtime", text_value()->value_name("SECONDS"),
                          "put everything back where clients would have to wait longer (native; "
                          "default 10)")(
      "kill_blockers", "end statements and transactions that hold up the switch (native)")(
      "last_failover_minute", text_value()->value_name("MINUTES"),
      "refuse within this time after the last failover (native; default 480)")(
      "ignore_last_failover",
      "also where the last failover failed, or was within last_failover_minute (native)");
}

const std::vector<std::string>& native_switch_options() {
  static const std::vector<std::string> names{"max_downtime", "kill_blockers",
                                              "last_failover_minute", "ignore_last_failover"};
  return names;
}

int run_native_switch(Program& program, const MhaOnlineSwitch& wish, const SwitchFiles& files) {
  Result<NativeOptions> options = options_from(program.options, wish);
  if (!options.ok()) return report_error(program, options.error());
  const LogLevel least = program.options.has("verbose") ? LogLevel::kDebug : LogLevel::kInfo;
  RunConsole console(console_mode(options.value().format), least, standard_streams(),
                     program.clock);
  Program watched = with_log(program, console);
  Result<Cluster> cluster = cluster_from(watched, files);
  if (!cluster.ok()) return report_error(watched, cluster.error());
  if (const Status there = scripts_can_run(files, "master_ip_online_change_script"); !there.ok()) {
    return report_error(watched, there.error());
  }
  SwitchRequest& request = options.value().request;
  request.cluster = std::move(cluster).value();
  Status good = check_wish(request.cluster, request.wish);
  if (good.ok()) good = hosts_resolve(request.cluster);
  if (!good.ok()) return report_error(watched, good.error());
  Adapters adapters(watched);
  Environment environment = adapters.environment();
  environment.observer = &console;
  const bool keeps = changes_something(options.value().task);
  if (keeps) append_to_manager_log(files.conf, console);
  const int exit_code = NativeRun(watched, options.value(), environment, console).run();
  console.drain();
  if (keeps) archive_runs(run_folders(files.conf, watched.state_dir), watched.clock, console);
  return exit_code;
}

}  // namespace mha
