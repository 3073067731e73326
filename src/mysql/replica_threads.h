// Seeing and starting the two halves of replication on a replica.
#pragma once

#include <optional>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/connection.h"
#include "mysql/statements.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

// As MysqlServer::replica_threads.
Result<std::optional<ReplicaThreads>> read_replica_threads(Connection& connection,
                                                           const Statements& statements,
                                                           Deadline deadline);

// As MysqlServer::ensure_replica_threads.
Status start_replica_threads(Connection& connection, const Statements& statements,
                             ReplicaThreads wanted, Deadline deadline);

}  // namespace mha
