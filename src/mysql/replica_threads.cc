// What the replica's status says of its threads, and START ... for what does not run.
#include "mysql/replica_threads.h"

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "mysql/replica_status.h"

namespace mha {
namespace {

constexpr const char* kReading = "reading the state of replication";

}  // namespace

Result<std::optional<ReplicaThreads>> read_replica_threads(Connection& connection,
                                                           const Statements& statements,
                                                           Deadline deadline) {
  const Result<ReplicaStatus> status =
      read_replica_status(connection, statements.replication, kReading, deadline);
  if (!status.ok()) return status.error();
  const std::optional<ReplicaState>& replica = status.value().replica;
  if (!replica.has_value()) return std::optional<ReplicaThreads>{};
  return std::optional{
      ReplicaThreads{replica->receiver != ReceiverState::kStopped, replica->applier_running}};
}

Status start_replica_threads(Connection& connection, const Statements& statements,
                             ReplicaThreads wanted, Deadline deadline) {
  const auto missing = [&wanted](const ReplicaThreads& now) {
    return (wanted.receiver && !now.receiver) || (wanted.applier && !now.applier);
  };
  const Result<std::optional<ReplicaThreads>> before =
      read_replica_threads(connection, statements, deadline);
  if (!before.ok()) return before.error();
  if (!before.value().has_value()) {
    return Error{Code::kRefused,
                 fmt::format("MySQL on {}: it replicates from nobody any more", connection.name())};
  }
  if (!missing(*before.value())) return {};
  const auto start = [&](std::string_view statement) {
    return connection.rows(std::string{statement}, "starting replication", deadline).status();
  };
  if (wanted.receiver && !before.value()->receiver) {
    if (Status started = start(statements.replication.start_receiver); !started.ok())
      return started;
  }
  if (wanted.applier && !before.value()->applier) {
    if (Status started = start(statements.replication.start_applier); !started.ok()) return started;
  }
  const Result<std::optional<ReplicaThreads>> after =
      read_replica_threads(connection, statements, deadline);
  if (!after.ok()) return after.error();
  if (after.value().has_value() && !missing(*after.value())) return {};
  return Error{Code::kRefused,
               fmt::format("MySQL on {}: replication was started and has stopped again: see its "
                           "replica status",
                           connection.name())};
}

}  // namespace mha
