// Which threads of a server are clients that a failover has to end, and which must never be
// touched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ports/mysql_server.h"

namespace mha {

// MHA's advisory locks (facts: mha.md, "How MHA calls the hooks"): who holds one is MHA itself.
const std::vector<std::string>& mha_lock_names();
inline constexpr const char* kMhaMonitorLock = "MHA_Master_High_Availability_Monitor";
inline constexpr const char* kMhaFailoverLock = "MHA_Master_High_Availability_Failover";

// `threads` without replication (applier and receiver run as `system user`, a killed one is never
// restarted; binary log dumps), daemons (the event scheduler; KILL answers 1094) and `spared` ids.
// The session's own thread is not in `threads` (MysqlServer::threads).
std::vector<ServerThread> client_threads(const std::vector<ServerThread>& threads,
                                         const std::vector<std::uint64_t>& spared);

// "17 app@10.0.0.5:51234, 18 monitor@10.0.0.9:40112 and 3 more": for a message, at most five of
// them.
std::string summarize_threads(const std::vector<ServerThread>& threads);

}  // namespace mha
