// Options, the unfinished switch of before, looking, switching, and saying how it ended.
#include "cli/native_switch.h"

#include <fmt/core.h>

#include <utility>

#include "cli/native_cluster.h"
#include "cli/native_operation.h"
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

class NativeSwitch : public NativeOperation {
 public:
  NativeSwitch(const NativeStage& stage, const NativeOptions& options)
      : program_(stage.program),
        options_(options),
        environment_(stage.environment),
        output_(stage.output) {}

  int run() { return run_native(*this, options_.task, output_, program_); }

  [[nodiscard]] std::string noun() const override { return "switch"; }
  [[nodiscard]] std::string anew() const override { return "switching anew"; }
  std::optional<JournalFile> find_unfinished() override {
    return find_unfinished_switch(options_.request.cluster, environment_);
  }
  Result<Remedy> remedy_for(const JournalFile& journal) override {
    return remedy_for_switch(options_.request.cluster, journal, environment_);
  }
  Outcome roll_back(const JournalFile& journal) override {
    return roll_back_switch(options_.request.cluster, journal, environment_);
  }
  int carry_on(const JournalFile& journal) override {
    return output_.ended(resume_switch(options_.request, journal, environment_),
                         summary_of(journal));
  }
  int begin(std::vector<Problem> known) override {
    Switchover switchover(options_.request, environment_);
    Result<std::vector<Problem>> problems = switchover.look();
    if (!problems.ok()) return output_.failed(problems.error());
    problems.value().insert(problems.value().begin(), known.begin(), known.end());
    const OperationSummary who = switchover.summary();
    if (options_.task == Task::kCheck) return output_.checked(problems.value(), who);
    if (options_.task == Task::kDryRun)
      return output_.described(switchover.describe(), problems.value(), who);
    if (!problems.value().empty()) return output_.refused(problems.value());
    program_.log.info("switching from {} to {}", who.orig_master, who.new_master);
    const Outcome outcome = switchover.run();
    return output_.ended(outcome, switchover.summary());
  }

 private:
  Program& program_;
  const NativeOptions& options_;
  Environment& environment_;
  NativeOutput& output_;
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
  const auto run = [&](const NativeStage& stage, Cluster cluster) {
    SwitchRequest& request = options.value().request;
    request.cluster = std::move(cluster);
    Status good = scripts_can_run(files, "master_ip_online_change_script");
    if (good.ok()) good = check_wish(request.cluster, request.wish);
    if (good.ok()) good = hosts_resolve(request.cluster);
    if (!good.ok()) return stage.output.failed(good.error());
    return NativeSwitch(stage, options.value()).run();
  };
  const NativeCall call{options.value().format, options.value().task, OperationKind::kSwitch,
                        "online switch"};
  return on_native_stage(program, files, call, run);
}

}  // namespace mha
