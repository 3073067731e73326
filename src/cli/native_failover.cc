// Options, the unfinished failover of before, looking, failing over, marks, and the report.
#include "cli/native_failover.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

#include "cli/native_operation.h"
#include "cli/report_mail.h"
#include "cli/run_history.h"
#include "engine/dead_master.h"
#include "engine/failover.h"
#include "engine/mha_state.h"
#include "engine/steps_script.h"

namespace mha {
namespace {

struct NativeOptions {
  OutputFormat format = OutputFormat::kText;
  Task task = Task::kRun;
  FailoverRequest request;
};

Result<SalvageMode> salvage_from(const CommandLine& options) {
  const std::string given = options.text("salvage");
  if (given.empty() || given == "auto") return SalvageMode::kAuto;
  if (given == "require") return SalvageMode::kRequire;
  if (given == "off") return SalvageMode::kOff;
  return Error{Code::kUsage, fmt::format("--salvage={}: use auto, require or off", given)};
}

Result<NativeOptions> options_from(const CommandLine& options, const MhaDeadSwitch& wish) {
  NativeOptions native;
  const Result<OutputFormat> format = output_format_from(options);
  if (!format.ok()) return format.error();
  native.format = format.value();
  const Result<Task> task = task_from(options);
  if (!task.ok()) return task.error();
  native.task = task.value();

  FailoverRequest& request = native.request;
  request.dead_host = wish.dead_host;
  request.dead_port = wish.dead_port;
  request.wish = {wish.common.new_master_host, wish.common.new_master_port.value_or(0)};
  const Result<SalvageMode> salvage = salvage_from(options);
  if (!salvage.ok()) return salvage.error();
  request.salvage = salvage.value();
  request.belief = options.has("force") ? Belief::kForced : Belief::kConfirmed;
  request.fencing = options.has("require_fencing") ? Fencing::kRequired : Fencing::kWanted;
  if (changes_something(native.task)) request.cloud_trouble = AddressTrouble::kIsTold;
  if (wish.ignore_last_failover) request.last_failover = LastFailover::kIgnored;
  if (wish.last_failover_minute.has_value()) {
    request.between_failovers = std::chrono::minutes{*wish.last_failover_minute};
  }
  return native;
}

// For the mail and for MHA's kind of report.
std::string report_body(const FailoverSummary& facts, const OperationSummary& summary,
                        const Outcome& outcome) {
  std::string body;
  for (const std::string& line : facts.evidence) body += line + "\n";
  for (const std::string& line : summary_lines(OperationKind::kFailover, summary, outcome)) {
    body += line + "\n";
  }
  if (outcome.headline.has_value()) body += "error: " + outcome.headline->message + "\n";
  for (const std::string& line : left_to_do(summary, outcome)) body += "left to do: " + line + "\n";
  return body;
}

bool has_new_master(const Outcome& outcome) {
  return outcome.ending == Ending::kDone || outcome.ending == Ending::kIncomplete;
}

class NativeFailover : public NativeOperation {
 public:
  NativeFailover(const NativeStage& stage, const NativeOptions& options, const SwitchFiles& files)
      : program_(stage.program),
        options_(options),
        files_(files),
        environment_(stage.environment),
        output_(stage.output),
        event_files_(stage.environment.scripts) {}

  int run() { return run_native(*this, options_.task, output_, program_); }

  [[nodiscard]] std::string noun() const override { return "failover"; }
  [[nodiscard]] std::string anew() const override { return "failing over anew"; }
  std::optional<JournalFile> find_unfinished() override {
    return find_unfinished_failover(options_.request.cluster, environment_);
  }
  Result<Remedy> remedy_for(const JournalFile& journal) override {
    return remedy_for_failover(options_.request.cluster, journal, environment_);
  }
  Outcome roll_back(const JournalFile& journal) override {
    return roll_back_failover(options_.request.cluster, journal, environment_);
  }
  int carry_on(const JournalFile& journal) override {
    const ResumedFailover resumed =
        resume_failover(options_.request, journal, event_files_, environment_);
    return ended(resumed.outcome, resumed.summary, resumed.operation_summary);
  }
  int begin(std::vector<Problem> known) override {
    Failover failover(options_.request, event_files_, environment_);
    Result<std::vector<Problem>> problems = failover.look();
    if (!problems.ok()) return output_.failed(problems.error());
    problems.value().insert(problems.value().begin(), known.begin(), known.end());
    const OperationSummary who = failover.operation_summary();
    if (options_.task == Task::kCheck) return output_.checked(problems.value(), who);
    if (options_.task == Task::kDryRun) {
      return output_.described(failover.describe(), problems.value(), who);
    }
    if (!problems.value().empty()) return output_.refused(problems.value());
    if (options_.request.last_failover == LastFailover::kIgnored) {
      const Status removed = remove_failover_marks(options_.request.cluster);
      if (!removed.ok()) program_.log.warning("{}", removed.error().message);
    }
    program_.log.info("failing over from {} to {}", who.orig_master, who.new_master);
    const Outcome outcome = failover.run();
    const int exit_code = ended(outcome, failover.summary(), failover.operation_summary());
    failover.outlast_who_waits();
    return exit_code;
  }

 private:
  int ended(const Outcome& outcome, const FailoverSummary& facts, const OperationSummary& summary) {
    const int exit_code = output_.ended(outcome, summary);
    if (summary.journal.empty()) return exit_code;  // nothing was begun
    note_marks(outcome);
    report(outcome, facts, summary);
    return exit_code;
  }

  // As MHA leaves them, so that its manager and we keep to the same pause between two failovers.
  void note_marks(const Outcome& outcome) {
    const Cluster& cluster = options_.request.cluster;
    const Status noted = has_new_master(outcome)
                             ? write_failover_complete(cluster, environment_.clock)
                             : write_failover_error(cluster, environment_.clock);
    if (!noted.ok()) program_.log.warning("{}", noted.error().message);
  }

  // The conf's report_script; ours in this process.
  void report(const Outcome& outcome, const FailoverSummary& facts,
              const OperationSummary& summary) {
    const std::string script = report_script();
    if (script.empty()) return;
    const bool promoted = has_new_master(outcome);
    ReportRequest request;
    request.orig_master_host = facts.orig_master;
    if (promoted) request.new_master_host = facts.new_master;
    if (promoted) request.new_slave_hosts = fmt::format("{}", fmt::join(facts.new_replicas, ","));
    request.subject = fmt::format(
        "{}: MySQL failover from {} {}", options_.request.cluster.application, facts.orig_master,
        outcome.ending == Ending::kDone ? "to " + facts.new_master + " succeeded"
        : promoted                      ? "to " + facts.new_master + " done, but incomplete"
                                        : "FAILED");
    request.body = report_body(facts, summary, outcome);
    request.body_title = "What mysql_failover says";
    if (is_our_program(script, "master_failover_report")) {
      mail_report(program_, files_.config, request, files_.conf.file);
      return;
    }
    const Result<int> status = run_report_script(script, request, files_.conf.file, environment_);
    if (!status.ok()) {
      program_.log.warning("report_script: {}", status.error().message);
    } else if (status.value() != 0) {
      program_.log.warning("report_script ended with exit status {}", status.value());
    }
  }

  // The dead master's, as with MHA.
  [[nodiscard]] std::string report_script() const {
    const FailoverRequest& request = options_.request;
    const Result<std::size_t> dead =
        find_host(request.cluster, request.dead_host, request.dead_port);
    return dead.ok() ? request.cluster.hosts[dead.value()].scripts.report : "";
  }

  Program& program_;
  const NativeOptions& options_;
  const SwitchFiles& files_;
  Environment& environment_;
  NativeOutput& output_;
  RemoteEventFiles event_files_;
};

}  // namespace

void describe_native_failover_options(boost::program_options::options_description& described) {
  described.add_options()("force",
                          "also where the master answers, or a replica still receives from it: it "
                          "is fenced, its server killed (native)")(
      "require_fencing", "promote nobody unless the dead master is fenced (native)")(
      "salvage", text_value()->value_name("auto|require|off"),
      "whether what only the dead master's binary log has is brought over (native; default auto)");
}

const std::vector<std::string>& native_failover_options() {
  static const std::vector<std::string> names{"force", "require_fencing", "salvage"};
  return names;
}

int run_native_failover(Program& program, const MhaDeadSwitch& wish, const SwitchFiles& files) {
  Result<NativeOptions> options = options_from(program.options, wish);
  if (!options.ok()) return report_error(program, options.error());
  const NativeCall call{options.value().format, options.value().task, OperationKind::kFailover,
                        "failover"};
  return on_native_stage(program, files, call, [&](const NativeStage& stage, Cluster cluster) {
    const Result<std::size_t> dead = find_host(cluster, wish.dead_host, wish.dead_port);
    if (!dead.ok()) return stage.output.failed(dead.error());
    options.value().request.cluster = std::move(cluster);
    return NativeFailover(stage, options.value(), files).run();
  });
}

}  // namespace mha
