// Running masterha_master_switch and cleaning up behind it.
#include "cli/switches.h"

#include <fmt/core.h>

#include <utility>

#include "cli/adapters.h"
#include "cli/mha_nodes.h"
#include "cli/process_runner.h"
#include "core/mha_switch.h"
#include "core/online.h"

namespace mha {
namespace {

namespace po = boost::program_options;

po::options_description common_switch_options(const char* title) {
  po::options_description described(title);
  described.add_options()("conf,c", text_value()->value_name("FILE"),
                          "MHA's configuration of the application (required)")(
      "new_master_host", text_value()->value_name("HOST"), "the replica to promote")(
      "new_master_port", text_value()->value_name("PORT"), "its port")(
      "interactive", text_value()->value_name("0|1"),
      "whether MHA asks before it acts (default 0)");
  return described;
}

Result<bool> flag(const CommandLine& options, const std::string& name, bool otherwise) {
  const Result<std::optional<std::int64_t>> value = options.number(name, 0, 1);
  if (!value.ok()) return value.error();
  return value.value().has_value() ? *value.value() == 1 : otherwise;
}

Result<MhaSwitchOptions> common_from(const CommandLine& options) {
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

// The hooks must find the same configuration and write their journals where we look for them.
std::map<std::string, std::string> hook_environment(const Program& program) {
  return {{"MHA_HELPER_CONFIG_DIR", program.config_dir},
          {"MHA_HELPER_STATE_DIR", program.state_dir}};
}

// The newest journal of `operation`, begun since `since`, about any server of the conf.
std::optional<JournalFile> journal_since(const Program& program, const MhaConf& conf,
                                         const std::string& operation, WallTime since) {
  for (const MhaServer& server : conf.servers) {
    const std::vector<std::string> paths =
        find_journals(program.state_dir, operation, journal_subject(server.hostname, server.port));
    if (paths.empty()) continue;
    Result<JournalFile> journal = read_journal(paths.front());
    if (journal.ok() && journal.value().records.front().value("time", "") >= utc_stamp(since)) {
      return std::move(journal).value();
    }
  }
  return std::nullopt;
}

const MhaServer* server_in_header(const MhaConf& conf, const JournalFile& journal,
                                  const char* master) {
  const nlohmann::json& header = journal.records.front();
  if (!header.contains(master)) return nullptr;
  return conf.find(header[master].value("host", ""),
                   header[master].value("port", std::uint16_t{0}));
}

Outcome failed(Ending ending, Error headline) {
  Outcome outcome;
  outcome.ending = ending;
  outcome.headline = std::move(headline);
  return outcome;
}

// MHA is content where our start hook said 10 ("proceeding"): what is incomplete is said here
// again.
Outcome after_success(const Program& program, const MhaConf& conf,
                      const std::string& start_operation, WallTime since) {
  const auto start = journal_since(program, conf, start_operation, since);
  if (!start.has_value() || summarize(*start).ending != Ending::kIncomplete) return {};
  Outcome outcome = failed(Ending::kIncomplete,
                           Error{Code::kRefused, "the start hook was not done with everything"});
  for (const nlohmann::json& record : start->records) {
    if (record.value("event", "") == "step_failed") {
      outcome.leftovers.push_back(record.value("error", ""));
    }
  }
  return outcome;
}

// MHA failed. What did our hooks do, and can it be put back?
Outcome clean_up_online(Program& program, const MhaConf& conf, const HelperConfig& config,
                        WallTime since, const std::string& how_mha_ended) {
  const Error mha_failed{Code::kRefused,
                         fmt::format("masterha_master_switch ended with {}", how_mha_ended)};
  const auto start = journal_since(program, conf, "online_start", since);
  if (start.has_value() && summarize(*start).past_point_of_no_return) {
    Outcome outcome =
        failed(Ending::kIncomplete,
               mha_failed.with_context("the new master has taken over, but MHA did not finish"));
    outcome.leftovers.emplace_back("repoint the replicas that MHA's output names as failed");
    return outcome;
  }
  const auto stop = journal_since(program, conf, "online_stop", since);
  if (!stop.has_value()) return failed(Ending::kUndone, mha_failed);
  const JournalSummary summary = summarize(*stop);
  if (summary.closed || (summary.ended && summary.ending == Ending::kUndone)) {
    return failed(Ending::kUndone, mha_failed);
  }
  const MhaServer* orig_server = server_in_header(conf, *stop, "orig_master");
  const MhaServer* new_server = server_in_header(conf, *stop, "new_master");
  if (orig_server == nullptr || new_server == nullptr) {
    return failed(Ending::kNotUndone, mha_failed.with_context(fmt::format(
                                          "{} names hosts that the conf does not", stop->path)));
  }
  Result<NodeSpec> orig = node_from_mha(program, config, *orig_server, "original master");
  Result<NodeSpec> next = node_from_mha(program, config, *new_server, "new master");
  if (!orig.ok()) return failed(Ending::kNotUndone, orig.error());
  if (!next.ok()) return failed(Ending::kNotUndone, next.error());
  Adapters adapters(program);
  Environment environment = adapters.environment();
  std::optional<Outcome> outcome =
      roll_back_online_stop({std::move(orig).value(), std::move(next).value()}, since, environment);
  if (!outcome.has_value()) return failed(Ending::kUndone, mha_failed);
  if (!outcome->headline.has_value()) outcome->headline = mha_failed;
  return *outcome;
}

// A dead failover that fails is not undone: there is no living master to go back to. What is left
// is said.
Outcome look_at_dead(Program& program, const MhaConf& conf, const MhaServer& dead, WallTime since,
                     const std::string& how_mha_ended) {
  const Error mha_failed{Code::kRefused,
                         fmt::format("masterha_master_switch ended with {}", how_mha_ended)};
  const auto start = journal_since(program, conf, "hard_start", since);
  if (start.has_value() && summarize(*start).past_point_of_no_return) {
    Outcome outcome =
        failed(Ending::kIncomplete,
               mha_failed.with_context("the new master has taken over, but MHA did not finish"));
    outcome.leftovers.emplace_back("repoint the replicas that MHA's output names as failed");
    return outcome;
  }
  if (!journal_since(program, conf, "hard_stop", since).has_value()) {
    return failed(Ending::kUndone, mha_failed);
  }
  Outcome outcome = failed(Ending::kNotUndone, mha_failed);
  outcome.leftovers.push_back(fmt::format(
      "the virtual IP is off {}, and MHA has stopped the replicas' I/O threads; by hand: mend "
      "what MHA's output names, remove the .failover.error file from its manager_workdir and run "
      "this again, or START SLAVE IO_THREAD on each replica",
      dead.hostname));
  return outcome;
}

// Both programs: read the two configurations first, so that a mistake there costs nothing.
struct SwitchFiles {
  MhaConf conf;
  HelperConfig config;
};

Result<SwitchFiles> load_files(const Program& program, const std::string& conf_path) {
  Result<MhaConf> conf = load_mha_conf(conf_path);
  if (!conf.ok()) return conf.error();
  for (const Diagnostic& warning : conf.value().warnings) program.log.warning("{}", warning.text());
  Result<HelperConfig> config = HelperConfig::load(program.config_dir);
  if (!config.ok()) return config.error();
  return SwitchFiles{std::move(conf).value(), std::move(config).value()};
}

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;  // 0: not said
};

// HOST, HOST:PORT, [V6]:PORT
Result<HostAndPort> parse_host_and_port(const std::string& text) {
  HostAndPort parsed{text, 0};
  std::string port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string::npos)
      return Error{Code::kUsage, fmt::format("-d {}: ']' is missing", text)};
    parsed.host = text.substr(1, end - 1);
    if (end + 1 < text.size()) port = text.substr(end + 1);
  } else if (colon != std::string::npos && text.find(':') == colon) {
    parsed.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (port.empty()) return parsed;
  const std::string digits = port.substr(1);
  const bool is_number = !digits.empty() && digits.size() <= 5 &&
                         digits.find_first_not_of("0123456789") == std::string::npos;
  const int value = is_number ? std::stoi(digits) : 0;
  if (port[0] != ':' || value < 1 || value > 65535) {
    return Error{Code::kUsage,
                 fmt::format("-d {}: the port must be a whole number from 1 to 65535", text)};
  }
  parsed.port = static_cast<std::uint16_t>(value);
  return parsed;
}

Result<MhaDeadSwitch> dead_switch_from(const CommandLine& options) {
  Result<MhaSwitchOptions> common = common_from(options);
  if (!common.ok()) return common.error();
  MhaDeadSwitch request;
  request.common = std::move(common).value();
  const std::string dead = options.text("dead_master_host");
  if (dead.empty()) return Error{Code::kUsage, "-d HOST[:PORT] is required"};
  const Result<HostAndPort> host = parse_host_and_port(dead);
  if (!host.ok()) return host.error();
  request.dead_host = host.value().host;
  request.dead_port = host.value().port;
  request.ignore_last_failover = options.has("ignore_last_failover");
  const auto minute = options.number("last_failover_minute", 0, 1'000'000);
  if (!minute.ok()) return minute.error();
  request.last_failover_minute = minute.value();
  return request;
}

}  // namespace

po::options_description online_switch_options() {
  po::options_description described = common_switch_options("Options of the switch");
  described.add_options()("orig_master_is_new_slave",
                          text_value()->value_name("0|1")->implicit_value("1"),
                          "whether the original master becomes a replica (default 1)")(
      "running_updates_limit", text_value()->value_name("SECONDS"),
      "refuse where an update runs longer than this (MHA's default is 1)");
  return described;
}

po::options_description dead_switch_options() {
  po::options_description described = common_switch_options("Options of the failover");
  described.add_options()("dead_master_host,d", text_value()->value_name("HOST[:PORT]"),
                          "the dead master, as the conf names it (required)")(
      "ignore_last_failover", "also where the last failover was within last_failover_minute")(
      "last_failover_minute", text_value()->value_name("MINUTES"),
      "refuse within this time after the last failover (MHA's default is 480)");
  return described;
}

int run_online_switch(Program& program) {
  Result<MhaSwitchOptions> common = common_from(program.options);
  if (!common.ok()) return report_error(program, common.error());
  const Result<bool> is_new_slave = flag(program.options, "orig_master_is_new_slave", true);
  if (!is_new_slave.ok()) return report_error(program, is_new_slave.error());
  const auto limit = program.options.number("running_updates_limit", 0, 1'000'000);
  if (!limit.ok()) return report_error(program, limit.error());
  const MhaOnlineSwitch request{std::move(common).value(), is_new_slave.value(), limit.value()};

  const Result<SwitchFiles> files = load_files(program, request.common.conf);
  if (!files.ok()) return report_error(program, files.error());

  const WallTime since = program.clock.wall_now();
  const Result<ProcessEnd> end =
      make_process_runner()->run(mha_arguments(request), hook_environment(program));
  if (!end.ok()) return report_error(program, end.error());
  Outcome outcome;
  switch (interpret(end.value())) {
    case MhaEnd::kDone:
      outcome = after_success(program, files.value().conf, "online_start", since);
      break;
    case MhaEnd::kPartly:
      outcome = failed(
          Ending::kIncomplete,
          Error{Code::kRefused, "MHA could not repoint every replica: its output names them"});
      break;
    case MhaEnd::kFailed:
      outcome = clean_up_online(program, files.value().conf, files.value().config, since,
                                describe(end.value()));
      break;
  }
  return report_outcome(program, "online switch", outcome);
}

int run_dead_switch(Program& program) {
  Result<MhaDeadSwitch> parsed = dead_switch_from(program.options);
  if (!parsed.ok()) return report_error(program, parsed.error());
  MhaDeadSwitch request = std::move(parsed).value();
  const Result<SwitchFiles> files = load_files(program, request.common.conf);
  if (!files.ok()) return report_error(program, files.error());
  const MhaConf& conf = files.value().conf;
  const MhaServer* dead = conf.find(request.dead_host, request.dead_port);
  if (dead == nullptr) {
    return report_error(
        program,
        Error{Code::kConfig,
              fmt::format(
                  "{} has no server '{}'{}", conf.file, request.dead_host,
                  request.dead_port == 0 ? "" : fmt::format(" with port {}", request.dead_port))});
  }
  request.dead_host = dead->hostname;
  request.dead_ip = dead->ip;
  request.dead_port = dead->port;

  const WallTime since = program.clock.wall_now();
  const Result<ProcessEnd> end =
      make_process_runner()->run(mha_arguments(request), hook_environment(program));
  if (!end.ok()) return report_error(program, end.error());
  Outcome outcome;
  switch (interpret(end.value())) {
    case MhaEnd::kDone:
      outcome = after_success(program, conf, "hard_start", since);
      break;
    case MhaEnd::kPartly:
      outcome = failed(
          Ending::kIncomplete,
          Error{Code::kRefused, "MHA could not recover every replica: its output names them"});
      break;
    case MhaEnd::kFailed:
      outcome = look_at_dead(program, conf, *dead, since, describe(end.value()));
      break;
  }
  return report_outcome(program, "failover", outcome);
}

}  // namespace mha
