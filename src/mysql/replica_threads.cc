// SHOW ... STATUS by column name, and START ... for what does not run.
#include "mysql/replica_threads.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace mha {
namespace {

constexpr const char* kReading = "reading the state of replication";

// "" where the row has no such column.
std::string value_of(const StatementResult& result, std::string_view column) {
  const auto found = std::find(result.columns.begin(), result.columns.end(), column);
  if (found == result.columns.end()) return "";
  const auto index = static_cast<std::size_t>(found - result.columns.begin());
  return result.rows.front()[index].value_or("");
}

// "Yes", "No", and for the receiver "Connecting".
bool runs(const std::string& text) { return !text.empty() && text != "No"; }

}  // namespace

Result<std::optional<ReplicaThreads>> read_replica_threads(Connection& connection,
                                                           const Statements& statements,
                                                           Deadline deadline) {
  const Result<std::vector<StatementResult>> results =
      connection.run(std::string{statements.replica_status}, kReading, deadline);
  if (!results.ok()) return results.error();
  const StatementResult& result = results.value().front();
  if (result.error.has_value()) return connection.refusal(*result.error, kReading);
  if (result.rows.empty()) return std::optional<ReplicaThreads>{};
  return std::optional{ReplicaThreads{runs(value_of(result, statements.receiver_column)),
                                      runs(value_of(result, statements.applier_column))}};
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
    if (Status started = start(statements.start_receiver); !started.ok()) return started;
  }
  if (wanted.applier && !before.value()->applier) {
    if (Status started = start(statements.start_applier); !started.ok()) return started;
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
