// From a hook's command to the core's operation.
#include "cli/hooks.h"

#include <fmt/core.h>

#include <utility>

#include "cli/adapters.h"
#include "cli/caller.h"
#include "cli/cloud_login.h"
#include "cli/hook_request.h"
#include "cli/ssh_user_memory.h"
#include "core/hard.h"
#include "core/online.h"

namespace mha {
namespace {

namespace po = boost::program_options;

// MHA has just found SSH not to answer: one more short try, then the failover has waited enough.
constexpr Milliseconds kStopPatience{5000};

Error unknown_command(const std::string& command, std::string_view known) {
  if (command.empty()) return Error{Code::kUsage, fmt::format("--command is required: {}", known)};
  return Error{Code::kUsage, fmt::format("--command={} is not known: use {}", command, known)};
}

po::options_description command_option(const char* known) {
  po::options_description described("Options, as MHA passes them");
  described.add_options()("command", text_value()->value_name("COMMAND"), known);
  return described;
}

Result<OnlineRequest> online_request(Program& program) {
  Result<NodeSpec> orig = node_from_options(program, Master::kOrig);
  if (!orig.ok()) return orig.error();
  Result<NodeSpec> next = node_from_options(program, Master::kNew);
  if (!next.ok()) return next.error();
  return OnlineRequest{std::move(orig).value(), std::move(next).value()};
}

int online_stop_command(Program& program, const OnlineRequest& request) {
  Adapters adapters(program);
  const HostSettings& settings = request.new_master.settings;
  const Node next(request.new_master, adapters.environment().ports);
  const bool uses_ssh = next.vip_without_shell()->shell_use() != ShellUse::kNone;
  if (uses_ssh && settings.ssh_session_keep.count() > 0) {
    // Before the first effect: `start` finds this session open, when clients wait for it.
    const Status kept =
        adapters.keep_session(request.new_master.ssh, settings.ssh_session_keep,
                              program.clock.deadline_after(settings.operation_timeout));
    if (!kept.ok()) {
      return report_error(program, kept.error().with_context(
                                       "checks before the switch (nothing was changed): SSH to the "
                                       "new master"));
    }
  }
  Environment environment = adapters.environment();
  return report_outcome(program, "taking the clients off the original master",
                        online_stop(request, environment));
}

int online_start_command(Program& program, const OnlineRequest& request) {
  Adapters adapters(program);
  adapters.use_kept_session();
  Environment environment = adapters.environment();
  return report_outcome(program, "giving the clients to the new master",
                        online_start(request, environment));
}

int hard_start_command(Program& program) {
  Result<NodeSpec> next = node_from_options(program, Master::kNew);
  if (!next.ok()) return report_error(program, next.error());
  const Result<std::optional<std::uint16_t>> orig_port = program.options.port("orig_master_port");
  if (!orig_port.ok()) return report_error(program, orig_port.error());
  HardStartRequest request{program.options.text("orig_master_host"),
                           orig_port.value().value_or(3306), std::move(next).value()};
  // Only a cloud wants to know it: from whom the address may be taken over.
  const Result<NodeSpec> orig = node_from_options(program, Master::kOrig);
  if (orig.ok()) {
    request.new_master = paired(std::move(request.new_master), orig.value());
  } else {
    program.log.debug("the original master is not known: {}", orig.error().message);
  }
  Adapters adapters(program);
  Environment environment = adapters.environment();
  return report_outcome(program, "giving the clients to the new master",
                        hard_start(request, environment));
}

}  // namespace

po::options_description online_hook_options() {
  po::options_description described = command_option("stop, or start");
  describe_master_options(described, Master::kOrig);
  describe_master_options(described, Master::kNew);
  describe_ssh_options(described);
  described.add_options()("orig_master_is_new_slave",
                          "the original master becomes a replica (MHA sees to that)");
  return described;
}

po::options_description hard_hook_options() {
  po::options_description described = command_option("status, stop, stopssh, or start");
  describe_master_options(described, Master::kOrig);
  describe_master_options(described, Master::kNew);
  describe_ssh_options(described);
  return described;
}

int run_online_hook(Program& program) {
  // Where MHA dies, nobody goes on from here: what was begun is undone.
  program.interrupt.watch(caller_is_gone());
  const std::string command = program.options.text("command");
  if (command != "stop" && command != "start") {
    return report_error(program, unknown_command(command, "stop or start"));
  }
  const Result<OnlineRequest> request = online_request(program);
  if (!request.ok()) return report_error(program, request.error());
  if (command == "stop") {
    // `start` gives the clients back where it cannot go on, which is more than a refusal.
    for (const NodeSpec* node : {&request.value().orig_master, &request.value().new_master}) {
      const Status login = check_login(*node);
      if (!login.ok()) return report_error(program, login.error());
    }
  }
  return command == "stop" ? online_stop_command(program, request.value())
                           : online_start_command(program, request.value());
}

int run_hard_hook(Program& program) {
  const std::string command = program.options.text("command");
  if (command == "start") return hard_start_command(program);
  if (command != "status" && command != "stop" && command != "stopssh") {
    return report_error(program, unknown_command(command, "status, stop, stopssh or start"));
  }
  Result<NodeSpec> orig = node_from_options(program, Master::kOrig);
  if (!orig.ok()) return report_error(program, orig.error());
  if (command == "status") {
    const Status login = check_login(orig.value());
    if (!login.ok()) return report_error(program, login.error());
  }
  std::string& ssh_user = orig.value().ssh.user;
  if (ssh_user.empty()) {
    ssh_user = recall_ssh_user(program.state_dir, orig.value().host);
  } else if (const Status kept = remember_ssh_user(program.state_dir, orig.value().host, ssh_user);
             !kept.ok()) {
    program.log.debug("the SSH user is not remembered for stop: {}", kept.error().message);
  }
  Adapters adapters(program);
  Environment environment = adapters.environment();
  if (command == "status") {
    return report_outcome(program, "checking the original master's virtual IP",
                          hard_status(orig.value(), environment));
  }
  return report_outcome(program, "taking the virtual IP off the dead master",
                        command == "stopssh" ? hard_stopssh(orig.value(), environment)
                                             : hard_stop(orig.value(), kStopPatience, environment));
}

}  // namespace mha
