// Running MHA, and reading its end and our hooks' journals.
#include "cli/mha_run.h"

#include <fmt/core.h>

#include <map>
#include <utility>

#include "base/shell_quote.h"
#include "cli/process_runner.h"
#include "cli/switch_conf.h"
#include "core/rollback.h"

namespace mha {
namespace {

namespace po = boost::program_options;

constexpr Milliseconds kHookPatience{60000};

// The hooks must find the same configuration and write their journals where we look for them.
std::map<std::string, std::string> hook_environment(const Program& program) {
  return {{"MHA_HELPER_CONFIG_DIR", program.config_dir},
          {"MHA_HELPER_STATE_DIR", program.state_dir}};
}

}  // namespace

po::options_description common_switch_options(const char* title) {
  po::options_description described(title);
  described.add_options()("conf,c", text_value()->value_name("FILE"),
                          "MHA's configuration of the application (required)")(
      "new_master_host", text_value()->value_name("HOST"), "the replica to promote")(
      "new_master_port", text_value()->value_name("PORT"), "its port")(
      "interactive", text_value()->value_name("0|1"),
      "whether MHA asks before it acts (default 0; our own engine never asks)")(
      "history", "only list the past runs of our own engine on this application")(
      "format", text_value()->value_name("text|json"),
      "of what is printed (native engine, and --history)");
  return described;
}

Result<bool> flag(const CommandLine& options, const std::string& name, bool otherwise) {
  const Result<std::optional<std::int64_t>> value = options.number(name, 0, 1);
  if (!value.ok()) return value.error();
  return value.value().has_value() ? *value.value() == 1 : otherwise;
}

Result<MhaSwitchOptions> switch_options_from(const CommandLine& options) {
  MhaSwitchOptions common;
  common.conf = options.text("conf");
  if (common.conf.empty()) return Error{Code::kUsage, "-c CONF is required"};
  common.new_master_host = options.text("new_master_host");
  const Result<std::optional<std::uint16_t>> port = options.port("new_master_port");
  if (!port.ok()) return port.error();
  common.new_master_port = port.value();
  const Result<bool> interactive = flag(options, "interactive", false);
  if (!interactive.ok()) return interactive.error();
  common.interactive = interactive.value();
  return common;
}

Result<SwitchFiles> load_switch_files(const Program& program, const std::string& conf_path) {
  Result<MhaConf> conf = load_switch_conf(program, conf_path);
  if (!conf.ok()) return conf.error();
  for (const Diagnostic& warning : conf.value().warnings) program.log.warning("{}", warning.text());
  for (const std::string& file : conf.value().exposed_files) {
    program.log.warning("{} has a password in it and can be read by everybody: chmod o-r {}", file,
                        shell_quote(file));
  }
  Result<HelperConfig> config = HelperConfig::load(program.config_dir);
  if (!config.ok()) return config.error();
  return SwitchFiles{std::move(conf).value(), std::move(config).value()};
}

Result<MhaRun> run_mha(const Program& program, const std::vector<std::string>& argv) {
  const WallTime began = program.clock.wall_now();
  const Result<ProcessEnd> end = make_process_runner()->run(argv, hook_environment(program));
  if (!end.ok()) return end.error();
  return MhaRun{end.value(), began};
}

std::optional<JournalFile> journal_of_run(const Program& program, const MhaConf& conf,
                                          const std::string& operation, const MhaRun& run) {
  for (const MhaServer& server : conf.servers) {
    const std::vector<std::string> paths =
        find_journals(program.state_dir, operation, journal_subject(server.hostname, server.port));
    if (paths.empty()) continue;
    const Status released =
        wait_for_journal(paths.front(), program.clock, program.clock.deadline_after(kHookPatience));
    if (!released.ok()) program.log.warning("{}", released.error().message);
    Result<JournalFile> journal = read_journal(paths.front());
    if (journal.ok() && journal.value().records.front().value("time", "") >= utc_stamp(run.began)) {
      return std::move(journal).value();
    }
  }
  return std::nullopt;
}

Outcome ended(Ending ending, Error headline) {
  Outcome outcome;
  outcome.ending = ending;
  outcome.headline = std::move(headline);
  return outcome;
}

Outcome outcome_of_success(const Program& program, const MhaConf& conf,
                           const std::string& start_operation, const MhaRun& run) {
  const auto start = journal_of_run(program, conf, start_operation, run);
  if (!start.has_value() || summarize(*start).ending != Ending::kIncomplete) return {};
  Outcome outcome = ended(Ending::kIncomplete,
                          Error{Code::kRefused, "the start hook was not done with everything"});
  for (const nlohmann::json& record : start->records) {
    if (record.value("event", "") == "step_failed") {
      outcome.leftovers.push_back(record.value("error", ""));
    }
  }
  return outcome;
}

Outcome outcome_of_partial_success() {
  return ended(
      Ending::kIncomplete,
      Error{Code::kRefused, "MHA could not bring over every replica: its output names them"});
}

std::optional<Outcome> outcome_where_taken_over(const Program& program, const MhaConf& conf,
                                                const std::string& start_operation,
                                                const MhaRun& run) {
  const auto start = journal_of_run(program, conf, start_operation, run);
  if (!start.has_value() || !summarize(*start).past_point_of_no_return) return std::nullopt;
  Outcome outcome =
      ended(Ending::kIncomplete,
            mha_failed(run).with_context("the new master has taken over, but MHA did not finish"));
  outcome.leftovers.emplace_back("repoint the replicas that MHA's output names as failed");
  return outcome;
}

Error mha_failed(const MhaRun& run) {
  return Error{Code::kRefused,
               fmt::format("masterha_master_switch ended with {}", describe(run.end))};
}

}  // namespace mha
