// Keeps a master that is taken for dead from being one any longer: a ladder of ways, each under its
// deadline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/journal.h"
#include "core/node.h"

namespace mha {

enum class FenceState {
  kFenced,         // its server is down (read back, or powered off), and no client gets there
  kAddressFenced,  // no client gets there by the virtual IP; the server itself may still run
  kNotFenced,
};

struct FenceVerdict {
  bool moves_address = true;  // false: clients have no virtual IP that could be taken away
  bool address_off = false;   // of the virtual IP, read back
  bool server_down = false;   // read back: no process of its port, and nothing that starts it again
  bool powered_off = false;   // by shutdown_script: nothing can be salvaged from it any more
  bool host_answers = false;  // SSH answered to the last rung that asked it
  bool script_called = false;      // shutdown_script, whatever came of it
  std::string late;                // once the new master took writes: what that means; else empty
  std::vector<std::string> rungs;  // a line for each that was tried, and how it ended

  [[nodiscard]] FenceState state() const;
  // "fenced: mysqld (pid 42) was killed (read back); the virtual IP is not on db1 (read back)", or
  // "NOT FENCED: ..." with why for each rung.
  [[nodiscard]] std::string text() const;
};

struct FenceRequest {
  bool host_answers = false;     // DeathReport's: SSH is not tried first where it did not answer
  std::string shutdown_script;   // of MHA's conf; empty: none
  std::string pid_file;          // master_pid_file of MHA's conf, for the script; empty: none
  Milliseconds patience{5'000};  // of each rung
  Milliseconds one_more_try{1'000};      // of SSH, where host_answers is false
  Milliseconds script_patience{30'000};  // of shutdown_script: a power switch takes its time
  std::string late;                      // FenceVerdict's
};

// The rungs, in order, until the server is down and the address off: over SSH (address off and
// server killed at the same time; read back), the network's own interface (a cloud: the address
// alone; before SSH where the host did not answer), and, where the server still may run,
// shutdown_script as MHA calls it (exit 0: powered off; 10: mysqld is down, SSH alive). Journals
// each rung as it ends ("fence_rung" records) and at last the whole (a "fence" record as
// core/hard.h's, so that the report says the same). Idempotent. Never fails: the verdict tells.
FenceVerdict fence(Node& orig, const FenceRequest& request, Journal& journal,
                   Environment& environment);

// The same for a silent host that is called meanwhile (engine/host_call.h), so that nobody waits
// for it: first the network's interface alone. More is to come: fence() where the host answers
// after all, or leave_unfenced().
FenceVerdict fence_without_host(Node& orig, Journal& journal, Environment& environment);
// The whole's record, and what is not known of a host that has been silent for `called`.
void leave_unfenced(Node& orig, FenceVerdict& verdict, Milliseconds called, Journal& journal,
                    Environment& environment);

// What a failover does once nothing more is wanted of the dead host: shutdown_script, where there
// is one and fence() has not called it. nullopt where there is nothing to call; else its error, or
// success (exit 0 or 10).
std::optional<Status> shut_down(Node& orig, const FenceRequest& request,
                                const FenceVerdict& verdict, Environment& environment);

}  // namespace mha
