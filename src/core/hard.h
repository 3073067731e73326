// The failover of a dead master as MHA's hook sees it: status, stop, stopssh, start.
#pragma once

#include "core/environment.h"
#include "core/plan.h"

namespace mha {

// kDone where the virtual IP is on the original master (or none is moved), else kUndone, "The VIP
// was not found on host".
Outcome hard_status(const NodeSpec& orig_master, Environment& environment);

// The dead master's host answers MHA's SSH: the address is taken away (absent is success), and what
// else is seen there is said. kUndone where SSH works and the address stays: aborting costs less
// than two holders.
Outcome hard_stopssh(const NodeSpec& orig_master, Environment& environment);

// It did not answer MHA's SSH: one more try within `patience`. Where the address cannot be taken
// away, "not fenced" is said, and unfenced_failover decides between kDone (proceed) and kUndone
// (refuse).
Outcome hard_stop(const NodeSpec& orig_master, Milliseconds patience, Environment& environment);

struct HardStartRequest {
  std::string orig_host;
  std::uint16_t orig_port = 3306;
  NodeSpec new_master;
};

// The new master becomes writable (the point of no return), then gets the address. A host that SSH
// cannot reach costs the address, not the failover: the replicas would stay on a dead master.
Outcome hard_start(const HardStartRequest& request, Environment& environment);

// Whether the hard stop of this master within the last hour took the address away, as its journal
// says; nullopt where there was none.
std::optional<bool> was_fenced(const std::string& host, std::uint16_t port,
                               const Environment& environment);

}  // namespace mha
