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
  bool address_off = false;  // of the virtual IP, read back; true where none is moved
  bool server_down = false;
  bool powered_off = false;        // by shutdown_script: nothing can be salvaged from it any more
  bool host_answers = false;       // SSH answered to the last rung that asked it
  std::vector<std::string> rungs;  // a line for each that was tried, and how it ended

  [[nodiscard]] FenceState state() const;
  // "fenced: mysqld (pid 42) killed over SSH, the virtual IP taken off (read back)", or
  // "NOT FENCED: ..." with why for each rung.
  [[nodiscard]] std::string text() const;
};

struct FenceRequest {
  bool host_answers = false;     // DeathReport's: SSH is not tried first where it did not answer
  std::string shutdown_script;   // of MHA's conf; empty: none
  Milliseconds patience{5'000};  // of each rung
};

// The rungs, in order, until the server is down and the address off: over SSH (address off and
// server killed at the same time; read back), the network's own interface (a cloud: the address
// alone), and, where the server still may run, shutdown_script as MHA calls it (exit 0: powered
// off). Journals each rung as it ends ("fence" records as core/hard.h's, so that the report says
// the same). Idempotent. Never fails: the verdict tells.
FenceVerdict fence(Node& orig, const FenceRequest& request, Journal& journal,
                   Environment& environment);

// What a failover does once nothing more is wanted of the dead host: shutdown_script, where there
// is one and fence() has not called it. nullopt where there is nothing to call; else its error, or
// success.
std::optional<Status> shut_down(Node& orig, const FenceRequest& request,
                                const FenceVerdict& verdict, Environment& environment);

}  // namespace mha
