// Finding out who keeps SET GLOBAL read_only waiting.
#pragma once

#include <chrono>
#include <vector>

#include "mysql/connection.h"
#include "mysql/statements.h"
#include "ports/mysql_server.h"

namespace mha {

// As MysqlServer::write_blockers(). Asks where the server records its locks; where it does not,
// takes the statements that write and have done so for a second, and where there are none, the
// tables that somebody uses. `waited`: how long the SET did that was refused, 0 for none. Who hung
// behind it was its victim and no blocker. Each question that the server refuses is left out.
Result<std::vector<WriteBlocker>> find_write_blockers(Connection& connection,
                                                      const ServerIdentity& identity,
                                                      std::chrono::seconds waited,
                                                      Deadline deadline);

}  // namespace mha
