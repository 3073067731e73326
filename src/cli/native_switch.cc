// Options, the unfinished switch of before, looking, switching, and saying how it ended.
#include "cli/native_switch.h"

#include <fmt/core.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/adapters.h"
#include "cli/native_cluster.h"
#include "cli/run_archive.h"
#include "cli/run_console.h"
#include "cli/run_history.h"
#include "cli/summary_text.h"
#include "engine/switchover.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostSeconds = 86'400;

enum class Task { kSwitch, kCheck, kDryRun, kResume, kRollback };

struct NativeOptions {
  OutputFormat format = OutputFormat::kText;
  Task task = Task::kSwitch;
  SwitchRequest request;
};

Result<Task> task_from(const CommandLine& options) {
  const std::vector<std::pair<const char*, Task>> tasks{{"check", Task::kCheck},
                                                        {"dry_run", Task::kDryRun},
                                                        {"resume", Task::kResume},
                                                        {"rollback", Task::kRollback}};
  Task task = Task::kSwitch;
  for (const auto& [name, meant] : tasks) {
    if (!options.has(name)) continue;
    if (task != Task::kSwitch) {
      return Error{Code::kUsage,
                   "of --check, --dry_run, --resume and --rollback only one is meant"};
    }
    task = meant;
  }
  return task;
}

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

json to_json(const std::vector<Problem>& problems) {
  json all = json::array();
  for (const Problem& problem : problems) {
    all.push_back({{"host", problem.host}, {"what", problem.what}, {"remedy", problem.remedy}});
  }
  return all;
}

void print(const json& document) {
  std::cout << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
}

// One that only looks leaves no trace.
bool changes_something(Task task) { return task != Task::kCheck && task != Task::kDryRun; }

class NativeRun {
 public:
  NativeRun(Program& program, const NativeOptions& options, Environment& environment,
            RunConsole& console)
      : program_(program), options_(options), environment_(environment), console_(console) {}

  int run() {
    const auto unfinished = find_unfinished_switch(options_.request.cluster, environment_);
    const bool needs_one = options_.task == Task::kResume || options_.task == Task::kRollback;
    if (needs_one && !unfinished.has_value()) {
      return failed(Error{Code::kRefused, "there is no unfinished switch of this cluster"});
    }
    if (options_.task == Task::kRollback) {
      return ended(roll_back_switch(options_.request.cluster, *unfinished, environment_),
                   summary_of(*unfinished));
    }
    if (options_.task == Task::kResume && summarize(*unfinished).past_point_of_no_return) {
      return ended(resume_switch(options_.request, *unfinished, environment_),
                   summary_of(*unfinished));
    }
    if (options_.task == Task::kResume) {
      // It has not become irrevocable: back to where it began, and then once more.
      program_.log.info("putting back what the unfinished switch did, then switching anew");
      const Outcome back = roll_back_switch(options_.request.cluster, *unfinished, environment_);
      if (back.ending != Ending::kUndone || back.headline.has_value()) {
        return ended(back, summary_of(*unfinished));
      }
    } else if (unfinished.has_value() && options_.task == Task::kSwitch) {
      return failed(
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
    if (!problems.ok()) return failed(problems.error());
    const OperationSummary who = switchover.summary();
    if (options_.task == Task::kCheck) return checked(problems.value(), who);
    if (options_.task == Task::kDryRun) return described(switchover, problems.value(), who);
    if (!problems.value().empty()) return refused(problems.value());
    program_.log.info("switching from {} to {}", who.orig_master, who.new_master);
    const Outcome outcome = switchover.run();
    return ended(outcome, switchover.summary());
  }

  int refused(const std::vector<Problem>& problems) {
    if (options_.format == OutputFormat::kJson) {
      print({{"exit_code", 20}, {"problems", to_json(problems)}});
    }
    for (const Problem& problem : problems) program_.log.error("{}", problem.text());
    program_.log.error("online switch: {} reason(s) not to; nothing was changed", problems.size());
    return static_cast<int>(Ending::kUndone);
  }

  int checked(const std::vector<Problem>& problems, const OperationSummary& who) {
    if (!problems.empty()) return refused(problems);
    if (options_.format == OutputFormat::kJson) {
      print({{"exit_code", 0},
             {"orig_master", who.orig_master},
             {"new_master", who.new_master},
             {"problems", json::array()}});
    } else {
      program_.log.info("online switch from {} to {}: nothing speaks against it", who.orig_master,
                        who.new_master);
    }
    return 0;
  }

  int described(Switchover& switchover, const std::vector<Problem>& problems,
                const OperationSummary& who) {
    const std::vector<std::string> lines = switchover.describe();
    if (options_.format == OutputFormat::kJson) {
      print({{"exit_code", problems.empty() ? 0 : 20},
             {"orig_master", who.orig_master},
             {"new_master", who.new_master},
             {"plan", lines},
             {"problems", to_json(problems)}});
    } else {
      console_.drain();
      for (const std::string& line : lines) std::cout << line << "\n";
      std::cout << std::flush;
      for (const Problem& problem : problems) program_.log.error("{}", problem.text());
    }
    return problems.empty() ? 0 : static_cast<int>(Ending::kUndone);
  }

  int failed(const Error& error) {
    if (options_.format == OutputFormat::kJson) {
      print({{"exit_code", 20}, {"error", error.message}});
    }
    return report_error(program_, error);
  }

  int ended(const Outcome& outcome, const OperationSummary& summary) {
    const bool rolled_back = options_.task == Task::kRollback &&
                             outcome.ending == Ending::kUndone && !outcome.headline.has_value();
    if (options_.format == OutputFormat::kJson) {
      json document = result_json(summary, outcome);
      if (rolled_back) document["exit_code"] = 0;
      print(document);
    }
    if (rolled_back) {
      program_.log.info("online switch: rolled back; everything is as it was found");
      return 0;
    }
    Outcome headline = outcome;
    headline.leftovers.clear();
    const int exit_code = report_outcome(program_, "online switch", headline);
    console_.put_lines(LogLevel::kInfo, summary_lines(OperationKind::kSwitch, summary, outcome));
    console_.put_lines(LogLevel::kError, left_to_do(summary, outcome));
    return exit_code;
  }

  Program& program_;
  const NativeOptions& options_;
  Environment& environment_;
  RunConsole& console_;
};

}  // namespace

void describe_native_options(boost::program_options::options_description& described) {
  described.add_options()("engine", text_value()->value_name("native|mha"),
                          "who does the switch: this program itself, or MHA (default mha)")(
      "check", "only look: every reason not to switch, nothing changed (native)")(
      "dry_run", "print the plan and change nothing (native)")(
      "max_downtime", text_value()->value_name("SECONDS"),
      "put everything back where clients would have to wait longer (native; default 10)")(
      "kill_blockers", "end statements and transactions that hold up the switch (native)")(
      "last_failover_minute", text_value()->value_name("MINUTES"),
      "refuse within this time after the last failover (native; default 480)")(
      "ignore_last_failover",
      "also where the last failover failed, or was within last_failover_minute (native)")(
      "resume", "carry on a switch whose process has died (native)")(
      "rollback", "put back what a switch did whose process has died (native)");
}

Result<Engine> engine_from(const CommandLine& options) {
  const std::string given = options.text("engine");
  if (!given.empty() && given != "native" && given != "mha") {
    return Error{Code::kUsage, fmt::format("--engine={}: use native or mha", given)};
  }
  const Engine engine = given.empty()       ? kDefaultEngine
                        : given == "native" ? Engine::kNative
                                            : Engine::kMha;
  if (engine == Engine::kNative) return engine;
  for (const char* name : {"check", "dry_run", "format", "max_downtime", "kill_blockers",
                           "last_failover_minute", "ignore_last_failover", "resume", "rollback"}) {
    if (options.has(name)) {
      return Error{Code::kUsage, fmt::format("--{} is only for --engine=native", name)};
    }
  }
  return engine;
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
  if (const Status there = script_can_run(files, "master_ip_online_change_script"); !there.ok()) {
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
