// Columns of SHOW REPLICA STATUS, by the family's names for them.
#include "mysql/replica_status.h"

#include <fmt/core.h>

#include <cstddef>
#include <utility>

#include "mysql/named_row.h"
#include "mysql/text.h"

namespace mha {
namespace {

class Row {
 public:
  Row(const StatementResult& result, std::size_t row, const ReplicationStatements& statements)
      : result_(result), row_(row), statements_(statements) {}

  [[nodiscard]] std::string text(std::string_view column) const {
    return valid_utf8(value_of(result_, row_, column));
  }
  // Of a column with the family's word for the source, "{}_Host", or for the replica.
  [[nodiscard]] std::string of_source(const char* column) const {
    return text(fmt::format(fmt::runtime(column), statements_.source_word));
  }
  [[nodiscard]] std::string of_replica(const char* column) const {
    return text(fmt::format(fmt::runtime(column), statements_.replica_word));
  }
  template <typename Number>
  [[nodiscard]] Number number(std::string_view column) const {
    return number_in<Number>(std::string_view{text(column)});
  }

  // The columns whose names begin so, and that are not empty.
  [[nodiscard]] std::map<std::string, std::string> that_begin(std::string_view prefix) const {
    std::map<std::string, std::string> found;
    for (const std::string& column : result_.columns) {
      if (!column.starts_with(prefix)) continue;
      if (std::string value = text(column); !value.empty()) found[column] = std::move(value);
    }
    return found;
  }

 private:
  const StatementResult& result_;
  std::size_t row_;
  const ReplicationStatements& statements_;
};

BinlogCoordinates coordinates(std::string file, const std::string& position) {
  return {std::move(file), number_in<std::uint64_t>(std::string_view{position})};
}

ReplicationError error(const Row& row, std::string_view number, std::string_view text) {
  return {row.number<int>(number), one_line(row.text(text))};
}

ReceiverState receiver_state(const std::string& text) {
  if (text == "Yes") return ReceiverState::kRunning;
  return text.empty() || text == "No" ? ReceiverState::kStopped : ReceiverState::kConnecting;
}

// MySQL's Auto_Position is 0 or 1, MariaDB's Using_Gtid No, Slave_Pos or Current_Pos.
GtidUse gtid_use(const Row& row) {
  const std::string mariadb = row.text("Using_Gtid");
  if (equal_ignoring_case(mariadb, "Current_Pos")) return GtidUse::kCurrentPos;
  const bool by_gtid =
      equal_ignoring_case(mariadb, "Slave_Pos") || row.text("Auto_Position") == "1";
  return by_gtid ? GtidUse::kAuto : GtidUse::kNone;
}

SourceSecurity security(const Row& row) {
  SourceSecurity security;
  // "Ignored": set, on a server built without TLS.
  security.tls = row.of_source("{}_SSL_Allowed") == "Yes";
  security.verify_server = row.of_source("{}_SSL_Verify_Server_Cert") == "Yes";
  security.ca = row.of_source("{}_SSL_CA_File");
  security.ca_path = row.of_source("{}_SSL_CA_Path");
  security.certificate = row.of_source("{}_SSL_Cert");
  security.key = row.of_source("{}_SSL_Key");
  security.cipher = row.of_source("{}_SSL_Cipher");
  security.crl = row.of_source("{}_SSL_Crl");
  security.crl_path = row.of_source("{}_SSL_Crlpath");
  security.get_public_key = row.of_source("Get_{}_public_key") == "1";
  security.public_key_path = row.of_source("{}_public_key_path");
  return security;
}

ReplicaState replica_state(const Row& row) {
  ReplicaState state;
  state.source_host = row.of_source("{}_Host");
  state.source_port = number_in<std::uint16_t>(std::string_view{row.of_source("{}_Port")});
  state.source_user = row.of_source("{}_User");
  state.receiver = receiver_state(row.of_replica("{}_IO_Running"));
  state.applier_running = row.of_replica("{}_SQL_Running") == "Yes";
  state.receiver_error = error(row, "Last_IO_Errno", "Last_IO_Error");
  state.applier_error = error(row, "Last_SQL_Errno", "Last_SQL_Error");
  state.received = coordinates(row.of_source("{}_Log_File"), row.of_source("Read_{}_Log_Pos"));
  state.executed =
      coordinates(row.of_source("Relay_{}_Log_File"), row.of_source("Exec_{}_Log_Pos"));
  state.relay_log_file = row.text("Relay_Log_File");
  state.relay_log_position = row.number<std::uint64_t>("Relay_Log_Pos");
  const std::string received = row.text("Retrieved_Gtid_Set");
  state.received_gtids = without_newlines(received.empty() ? row.text("Gtid_IO_Pos") : received);
  state.gtid_use = gtid_use(row);
  if (const std::string behind = row.of_source("Seconds_Behind_{}"); !behind.empty()) {
    state.behind = std::chrono::seconds{number_in<std::int64_t>(std::string_view{behind})};
  }
  state.delay = std::chrono::seconds{row.number<std::int64_t>("SQL_Delay")};
  state.filters = row.that_begin("Replicate_");
  state.connect_retry = row.number<unsigned>("Connect_Retry");
  state.security = security(row);
  return state;
}

}  // namespace

ReplicaStatus parse_replica_status(const StatementResult& result,
                                   const ReplicationStatements& statements) {
  ReplicaStatus status;
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const Row row{result, i, statements};
    const std::string channel =
        statements.channel_column.empty() ? "" : row.text(statements.channel_column);
    if (!channel.empty()) {
      status.other_channels.push_back(channel);
      continue;
    }
    // Versions before 5.7 can keep a row without a host for a server that has forgotten its source.
    if (row.of_source("{}_Host").empty()) continue;
    status.replica = replica_state(row);
    status.applier_state = row.of_replica("{}_SQL_Running_State");
  }
  return status;
}

Result<ReplicaStatus> read_replica_status(Connection& connection,
                                          const ReplicationStatements& statements,
                                          const std::string& doing, Deadline deadline) {
  const Result<std::vector<StatementResult>> results =
      connection.run(std::string{statements.replica_status}, doing, deadline);
  if (!results.ok()) return results.error();
  const StatementResult& result = results.value().back();
  if (result.error.has_value()) return connection.refusal(*result.error, doing);
  return parse_replica_status(result, statements);
}

}  // namespace mha
