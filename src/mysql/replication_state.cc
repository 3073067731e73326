// Variables, status, GTIDs and positions put together.
#include "mysql/replication_state.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "mysql/named_row.h"
#include "mysql/replica_status.h"
#include "mysql/text.h"

namespace mha {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

Values values_of(const StatementResult& result) {
  Values values;
  for (const SqlRow& row : result.rows) {
    if (row.size() == 2) values[row[0].value_or("")] = valid_utf8(row[1].value_or(""));
  }
  return values;
}

std::string value(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

bool is_on(const Values& values, std::string_view name) { return value(values, name) == "ON"; }

// The first of these variables that the server has.
bool any_is_on(const Values& values, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    if (values.contains(name)) return is_on(values, name);
  }
  return false;
}

bool has_any(const Values& values, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    if (values.contains(name)) return true;
  }
  return false;
}

// A counter of either name that the plugins give it.
std::uint64_t counter(const Values& status, std::string_view what) {
  for (const std::string_view role : {"source", "master"}) {
    const std::string text = value(status, fmt::format("Rpl_semi_sync_{}_{}", role, what));
    if (!text.empty()) return number_in<std::uint64_t>(std::string_view{text});
  }
  return 0;
}

// One where the server has no such variable: MariaDB, MySQL 5.6.
std::uint64_t wanted_replicas(const Values& variables) {
  for (const std::string_view name : {"rpl_semi_sync_source_wait_for_replica_count",
                                      "rpl_semi_sync_master_wait_for_slave_count"}) {
    const std::string text = value(variables, name);
    if (!text.empty()) return number_in<std::uint64_t>(std::string_view{text});
  }
  return 1;
}

SemiSync semi_sync(const Values& variables, const Values& status,
                   const ReplicationStatements& statements) {
  SemiSync found;
  found.available = has_any(variables, statements.semi_sync_source) ||
                    has_any(variables, statements.semi_sync_replica);
  found.source_enabled = any_is_on(variables, statements.semi_sync_source);
  found.replica_enabled = any_is_on(variables, statements.semi_sync_replica);
  found.waiting_sessions = counter(status, "wait_sessions");
  found.replicas = counter(status, "clients");
  found.wanted_replicas = wanted_replicas(variables);
  return found;
}

// Where the option is not set, 5.6 and MariaDB do not tell; the files are in datadir then.
std::string relay_log_basename(const Values& variables,
                               const std::optional<ReplicaState>& replica) {
  std::string told = value(variables, "relay_log_basename");
  if (!told.empty() || !replica.has_value()) return told;
  const std::string& file = replica->relay_log_file;
  const std::size_t dot = file.rfind('.');
  const std::string folder = value(variables, "datadir");
  if (dot == std::string::npos || folder.empty()) return "";
  return folder + (folder.ends_with('/') ? "" : "/") + file.substr(0, dot);
}

BinlogCoordinates end_of_binlog(const StatementResult& status) {
  if (status.rows.empty()) return {};
  return {value_of(status, 0, "File"),
          number_in<std::uint64_t>(std::string_view{value_of(status, 0, "Position")})};
}

std::map<std::string, std::string> binlog_filters(const StatementResult& status) {
  std::map<std::string, std::string> filters;
  if (status.rows.empty()) return filters;
  for (const char* column : {"Binlog_Do_DB", "Binlog_Ignore_DB"}) {
    if (std::string text = value_of(status, 0, column); !text.empty()) {
      filters[column] = std::move(text);
    }
  }
  return filters;
}

std::string gtids_in(const StatementResult& result, std::size_t column) {
  return without_newlines(result.rows.front()[column].value_or(""));
}

std::chrono::system_clock::time_point clock_of(const StatementResult& result) {
  const auto micros = number_in<std::int64_t>(result.rows.front().front());
  return std::chrono::system_clock::time_point{std::chrono::microseconds{micros}};
}

}  // namespace

Result<ServerState> read_server_state(const ReplicationSession& session, Deadline deadline) {
  const ReplicationStatements& statements = session.replication();
  const std::string doing = "reading its replication state";
  Result<std::vector<StatementResult>> answers =
      session.ask({sql::kServerVariables, sql::kSemiSyncStatus, sql::kClock, statements.gtids,
                   statements.binlog_status, statements.replica_status},
                  doing, deadline);
  if (!answers.ok()) return answers.error();
  const std::vector<StatementResult>& results = answers.value();
  const Values variables = values_of(results[0]);

  ServerState state;
  const std::string read_only_text = value(variables, "read_only");
  const std::optional<ReadOnly> read_only = read_only_from_string(read_only_text);
  if (!read_only.has_value()) {
    return Error{Code::kInternal,
                 fmt::format("MySQL on {}: read_only is '{}', a value that is not known here",
                             session.connection.name(), read_only_text)};
  }
  state.read_only.read_only = *read_only;
  if (variables.contains("super_read_only")) {
    state.read_only.super_read_only = is_on(variables, "super_read_only");
  }
  state.server_uuid = value(variables, "server_uuid");
  state.host_name = value(variables, "hostname");
  // MariaDB has no such variable, and GTIDs always.
  state.gtids = !variables.contains("gtid_mode") || is_on(variables, "gtid_mode");
  state.log_bin = is_on(variables, "log_bin");
  state.log_replica_updates =
      is_on(variables, "log_replica_updates") || is_on(variables, "log_slave_updates");
  state.binlog_format = value(variables, "binlog_format");
  state.event_scheduler = is_on(variables, "event_scheduler");
  state.semi_sync = semi_sync(variables, values_of(results[1]), statements);
  state.clock = clock_of(results[2]);
  state.executed_gtids = gtids_in(results[3], 0);
  state.binlog_gtids = gtids_in(results[3], 1);
  state.purged_gtids = gtids_in(results[3], 2);
  state.binlog_state = gtids_in(results[3], 3);
  state.binlog = end_of_binlog(results[4]);
  state.binlog_filters = binlog_filters(results[4]);
  ReplicaStatus replica = parse_replica_status(results[5], statements);
  state.replica = std::move(replica.replica);
  state.other_channels = std::move(replica.other_channels);
  state.relay_log_basename = relay_log_basename(variables, state.replica);
  return state;
}

Result<SourcePosition> read_own_position(const ReplicationSession& session, Deadline deadline) {
  const ReplicationStatements& statements = session.replication();
  const Result<std::vector<StatementResult>> answers = session.ask(
      {statements.binlog_status, statements.gtids}, "reading the end of its binary log", deadline);
  if (!answers.ok()) return answers.error();
  return SourcePosition{end_of_binlog(answers.value()[0]), gtids_in(answers.value()[1], 1)};
}

Result<std::optional<ReceiverSeen>> read_receiver_seen(const ReplicationSession& session,
                                                       Deadline deadline) {
  const ReplicationStatements& statements = session.replication();
  const std::string doing = "asking what it receives from its source";
  const Result<std::vector<StatementResult>> answers = session.connection.run(
      fmt::format("{};{}", statements.replica_status, statements.heartbeats), doing, deadline);
  if (!answers.ok()) return answers.error();
  const std::vector<StatementResult>& results = answers.value();
  if (results.front().error.has_value()) {
    return session.connection.refusal(*results.front().error, doing);
  }
  const ReplicaStatus status = parse_replica_status(results.front(), statements);
  if (!status.replica.has_value()) return std::optional<ReceiverSeen>{};
  const ReplicaState& replica = *status.replica;
  ReceiverSeen seen{replica.receiver, replica.receiver_error, replica.received,
                    replica.received_gtids, 0};
  // An account may lack the right to see them: positions tell enough then.
  const bool counted = results.size() > 1 && !results[1].error.has_value() &&
                       !results[1].rows.empty() && !results[1].rows.front().empty();
  if (counted) seen.heartbeats = number_in<std::uint64_t>(results[1].rows.front().back());
  return std::optional{seen};
}

}  // namespace mha
