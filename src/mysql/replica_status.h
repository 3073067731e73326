// A replica's own account of its replication: SHOW REPLICA STATUS of every family.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/connection.h"
#include "mysql/statements.h"
#include "ports/replication.h"

namespace mha {

struct ReplicaStatus {
  std::optional<ReplicaState> replica;      // of the default channel
  std::vector<std::string> other_channels;  // names
  std::string applier_state;  // what its thread says that it does, in the server's words
};

// Of the answer to ReplicationStatements::replica_status.
ReplicaStatus parse_replica_status(const StatementResult& result,
                                   const ReplicationStatements& statements);

// Asks. `doing` as in Connection::run().
Result<ReplicaStatus> read_replica_status(Connection& connection,
                                          const ReplicationStatements& statements,
                                          const std::string& doing, Deadline deadline);

}  // namespace mha
