// The failover of a dead master: masterha_master_switch, and saying what is left where it fails.
#include <fmt/core.h>

#include <utility>

#include "cli/engine_choice.h"
#include "cli/mha_run.h"
#include "cli/native_failover.h"
#include "cli/run_history.h"
#include "cli/ssh_user_memory.h"
#include "cli/switches.h"

namespace mha {
namespace {

namespace po = boost::program_options;

// A dead failover that fails is not undone: there is no living master to go back to. What is left
// is said.
Outcome what_is_left(const Program& program, const MhaConf& conf, const MhaServer& dead,
                     const MhaRun& run) {
  if (auto taken_over = outcome_where_taken_over(program, conf, "hard_start", run)) {
    return *taken_over;
  }
  const auto stop = journal_of_run(program, conf, "hard_stop", run);
  if (!stop.has_value()) return ended(Ending::kUndone, mha_failed(run));
  // Without a virtual IP the hook notes none.
  std::string vip;
  for (const nlohmann::json& record : stop->records) {
    if (record.value("event", "") != "fence") continue;
    vip = fmt::format("the virtual IP {} {}, and ",
                      record.value("fenced", false) ? "is off" : "was not removed from",
                      dead.hostname);
  }
  Outcome outcome = ended(Ending::kNotUndone, mha_failed(run));
  outcome.leftovers.push_back(fmt::format(
      "{}MHA has stopped the replicas' I/O threads; by hand: mend what MHA's output names, remove "
      "the .failover.error file from its manager_workdir and run this again, or START SLAVE "
      "IO_THREAD on each replica",
      vip));
  return outcome;
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
  Result<MhaSwitchOptions> common = switch_options_from(options);
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

po::options_description dead_switch_options() {
  po::options_description described = common_switch_options("Options of the failover");
  described.add_options()("dead_master_host,d", text_value()->value_name("HOST[:PORT]"),
                          "the dead master, as the conf names it (required)")(
      "ignore_last_failover",
      "also where the last failover failed, or was within last_failover_minute")(
      "last_failover_minute", text_value()->value_name("MINUTES"),
      "refuse within this time after the last failover (MHA's default is 480)");
  describe_engine_options(described);
  describe_native_failover_options(described);
  return described;
}

int run_dead_switch(Program& program) {
  if (program.options.has("history")) return run_history(program);
  Result<MhaDeadSwitch> parsed = dead_switch_from(program.options);
  if (!parsed.ok()) return report_error(program, parsed.error());
  MhaDeadSwitch request = std::move(parsed).value();
  const Result<Engine> engine = engine_from(program.options, native_failover_options());
  if (!engine.ok()) return report_error(program, engine.error());
  const Result<SwitchFiles> files = load_switch_files(program, request.common.conf);
  if (!files.ok()) return report_error(program, files.error());
  if (engine.value() == Engine::kNative) {
    return run_native_failover(program, request, files.value());
  }
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
  // For the hook's stop, to which MHA names none.
  if (const Status kept = remember_ssh_user(program.state_dir, dead->hostname, dead->ssh_user);
      !kept.ok()) {
    program.log.debug("the SSH user is not remembered for stop: {}", kept.error().message);
  }
  request.dead_port = dead->port;

  const Result<MhaRun> run = run_mha(program, mha_arguments(request));
  if (!run.ok()) return report_error(program, run.error());
  Outcome outcome;
  switch (interpret(run.value().end)) {
    case MhaEnd::kDone:
      outcome = outcome_of_success(program, conf, "hard_start", run.value());
      break;
    case MhaEnd::kPartly:
      outcome = outcome_of_partial_success();
      break;
    case MhaEnd::kFailed:
      outcome = what_is_left(program, conf, *dead, run.value());
      break;
  }
  return report_outcome(program, "failover", outcome);
}

}  // namespace mha
