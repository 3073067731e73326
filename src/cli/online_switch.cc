// The switch of a living master: masterha_master_switch, and undoing what our hooks did where it
// fails.
#include <fmt/core.h>

#include <utility>

#include "cli/adapters.h"
#include "cli/engine_choice.h"
#include "cli/mha_nodes.h"
#include "cli/mha_run.h"
#include "cli/native_switch.h"
#include "cli/run_history.h"
#include "cli/switches.h"
#include "core/online.h"

namespace mha {
namespace {

namespace po = boost::program_options;

const MhaServer* server_in_header(const MhaConf& conf, const JournalFile& journal,
                                  const char* master) {
  const nlohmann::json& header = journal.records.front();
  if (!header.contains(master)) return nullptr;
  return conf.find(header[master].value("host", ""),
                   header[master].value("port", std::uint16_t{0}));
}

// MHA failed. What did our hooks do, and can it be put back?
Outcome clean_up(Program& program, const MhaConf& conf, const HelperConfig& config,
                 const MhaRun& run) {
  if (auto taken_over = outcome_where_taken_over(program, conf, "online_start", run)) {
    return *taken_over;
  }
  const auto stop = journal_of_run(program, conf, "online_stop", run);
  if (!stop.has_value()) return ended(Ending::kUndone, mha_failed(run));
  const JournalSummary summary = summarize(*stop);
  if (summary.closed || (summary.ended && summary.ending == Ending::kUndone)) {
    return ended(Ending::kUndone, mha_failed(run));
  }
  const MhaServer* orig_server = server_in_header(conf, *stop, "orig_master");
  const MhaServer* new_server = server_in_header(conf, *stop, "new_master");
  if (orig_server == nullptr || new_server == nullptr) {
    return ended(Ending::kNotUndone, mha_failed(run).with_context(fmt::format(
                                         "{} names hosts that the conf does not", stop->path)));
  }
  Result<NodeSpec> orig = node_from_mha(program, config, *orig_server, "original master");
  Result<NodeSpec> next = node_from_mha(program, config, *new_server, "new master");
  if (!orig.ok()) return ended(Ending::kNotUndone, orig.error());
  if (!next.ok()) return ended(Ending::kNotUndone, next.error());
  Adapters adapters(program);
  Environment environment = adapters.environment();
  std::optional<Outcome> outcome = roll_back_online_stop(
      {std::move(orig).value(), std::move(next).value()}, run.began, environment);
  if (!outcome.has_value()) return ended(Ending::kUndone, mha_failed(run));
  if (!outcome->headline.has_value()) outcome->headline = mha_failed(run);
  return *outcome;
}

}  // namespace

po::options_description online_switch_options() {
  po::options_description described = common_switch_options("Options of the switch");
  described.add_options()("orig_master_is_new_slave",
                          text_value()->value_name("0|1")->implicit_value("1"),
                          "whether the original master becomes a replica (default 1)")(
      "running_updates_limit", text_value()->value_name("SECONDS"),
      "refuse where an update runs longer than this (MHA's default is 1)");
  describe_engine_options(described);
  describe_native_switch_options(described);
  return described;
}

int run_online_switch(Program& program) {
  if (program.options.has("history")) return run_history(program);
  Result<MhaSwitchOptions> common = switch_options_from(program.options);
  if (!common.ok()) return report_error(program, common.error());
  const Result<bool> is_new_slave = flag(program.options, "orig_master_is_new_slave", true);
  if (!is_new_slave.ok()) return report_error(program, is_new_slave.error());
  const auto limit = program.options.number("running_updates_limit", 0, 1'000'000);
  if (!limit.ok()) return report_error(program, limit.error());
  const MhaOnlineSwitch request{std::move(common).value(), is_new_slave.value(), limit.value()};
  const Result<Engine> engine = engine_from(program.options, native_switch_options());
  if (!engine.ok()) return report_error(program, engine.error());

  const Result<SwitchFiles> files = load_switch_files(program, request.common.conf);
  if (!files.ok()) return report_error(program, files.error());

  if (engine.value() == Engine::kNative) return run_native_switch(program, request, files.value());

  const Result<MhaRun> run = run_mha(program, mha_arguments(request));
  if (!run.ok()) return report_error(program, run.error());
  const MhaConf& conf = files.value().conf;
  Outcome outcome;
  switch (interpret(run.value().end)) {
    case MhaEnd::kDone:
      outcome = outcome_of_success(program, conf, "online_start", run.value());
      break;
    case MhaEnd::kPartly:
      outcome = outcome_of_partial_success();
      break;
    case MhaEnd::kFailed:
      outcome = clean_up(program, conf, files.value().config, run.value());
      break;
  }
  return report_outcome(program, "online switch", outcome);
}

}  // namespace mha
