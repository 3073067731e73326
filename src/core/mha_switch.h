// What masterha_master_switch is called with, and what its end means for the suite's exit codes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan.h"
#include "ports/process.h"

namespace mha {

// Options that both kinds of switch pass on.
struct MhaSwitchOptions {
  std::string conf;
  std::string new_master_host;  // empty: MHA chooses
  std::optional<std::uint16_t> new_master_port;
  bool interactive = false;
};

struct MhaOnlineSwitch {
  MhaSwitchOptions common;
  bool orig_master_is_new_slave = true;
  std::optional<std::int64_t> running_updates_limit;  // seconds
};

struct MhaDeadSwitch {
  MhaSwitchOptions common;
  std::string dead_host;
  std::string dead_ip;  // empty: MHA resolves the name
  std::uint16_t dead_port = 3306;
  bool ignore_last_failover = false;
  std::optional<std::int64_t> last_failover_minute;
};

std::vector<std::string> mha_arguments(const MhaOnlineSwitch& request);
std::vector<std::string> mha_arguments(const MhaDeadSwitch& request);

// MHA's own word: 0 done, 10 the new master is active but not every replica (MHA: MasterRotate.pm,
// MasterFailover.pm).
enum class MhaEnd { kDone, kPartly, kFailed };
MhaEnd interpret(const ProcessEnd& end);

// "exit status 1", "signal 9"
std::string describe(const ProcessEnd& end);

}  // namespace mha
