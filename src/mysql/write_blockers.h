// Finding out who keeps SET GLOBAL read_only waiting.
#pragma once

#include <vector>

#include "mysql/connection.h"
#include "mysql/statements.h"
#include "ports/mysql_server.h"

namespace mha {

// As MysqlServer::write_blockers(). Asks where the server records its locks; where it does not,
// takes the statements that write, and where there are none, the tables that somebody uses. Each
// question that the server refuses is left out.
Result<std::vector<WriteBlocker>> find_write_blockers(Connection& connection,
                                                      const ServerIdentity& identity,
                                                      Deadline deadline);

}  // namespace mha
