// Ending many threads in few round trips.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mysql/connection.h"
#include "ports/mysql_server.h"

namespace mha {

// As MysqlServer::kill(). Texts of many KILLs, each within `most_bytes`. A server stops at the
// first KILL that it refuses: the rest is sent again. Where several in a row are refused, the
// process list is read first, and ids that it does not have are kAlreadyGone.
// - The server says 1094, "unknown thread", both for a thread that is gone and for one that it will
//   not end (event_scheduler): only the process list tells them apart.
// - kKilled means that the server took the order. A thread that rolls back stays listed (Command or
//   State "Killed") until it is through, and another KILL of it is kKilled again.
// - Our own connection is refused without asking.
Result<std::vector<KillOutcome>> kill_threads(Connection& connection, std::uint64_t own_id,
                                              const std::vector<std::uint64_t>& thread_ids,
                                              std::size_t most_bytes, Deadline deadline);

// As MysqlServer::end_sessions_of().
Status kill_sessions_of(Connection& connection, ServerFamily family, const std::string& user,
                        Deadline deadline);

}  // namespace mha
