// MHA's words for our options.
#include "core/mha_switch.h"

#include <fmt/core.h>

namespace mha {
namespace {

constexpr const char* kProgram = "masterha_master_switch";

void add_common(std::vector<std::string>& argv, const MhaSwitchOptions& options) {
  argv.push_back("--conf=" + options.conf);
  argv.push_back(fmt::format("--interactive={}", options.interactive ? 1 : 0));
  if (!options.new_master_host.empty()) {
    argv.push_back("--new_master_host=" + options.new_master_host);
  }
  if (options.new_master_port.has_value()) {
    argv.push_back(fmt::format("--new_master_port={}", *options.new_master_port));
  }
}

}  // namespace

std::vector<std::string> mha_arguments(const MhaOnlineSwitch& request) {
  std::vector<std::string> argv{kProgram, "--master_state=alive"};
  add_common(argv, request.common);
  if (request.orig_master_is_new_slave) argv.emplace_back("--orig_master_is_new_slave");
  if (request.running_updates_limit.has_value()) {
    argv.push_back(fmt::format("--running_updates_limit={}", *request.running_updates_limit));
  }
  return argv;
}

std::vector<std::string> mha_arguments(const MhaDeadSwitch& request) {
  std::vector<std::string> argv{kProgram, "--master_state=dead"};
  add_common(argv, request.common);
  argv.push_back("--dead_master_host=" + request.dead_host);
  if (!request.dead_ip.empty()) argv.push_back("--dead_master_ip=" + request.dead_ip);
  argv.push_back(fmt::format("--dead_master_port={}", request.dead_port));
  if (request.ignore_last_failover) argv.emplace_back("--ignore_last_failover");
  if (request.last_failover_minute.has_value()) {
    argv.push_back(fmt::format("--last_failover_minute={}", *request.last_failover_minute));
  }
  return argv;
}

MhaEnd interpret(const ProcessEnd& end) {
  if (end.signal != 0) return MhaEnd::kFailed;
  if (end.exit_status == 0) return MhaEnd::kDone;
  return end.exit_status == 10 ? MhaEnd::kPartly : MhaEnd::kFailed;
}

std::string describe(const ProcessEnd& end) {
  return end.signal != 0 ? fmt::format("signal {}", end.signal)
                         : fmt::format("exit status {}", end.exit_status);
}

}  // namespace mha
