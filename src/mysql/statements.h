// The SQL of each server family: the one place that knows what is spelt differently where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ports/mysql_server.h"

namespace mha {

// A way to ask which threads hold a lock that SET GLOBAL read_only waits for. A server that lacks
// the table or the plugin refuses the statements.
struct LockSource {
  // Rows of thread id, schema, table: a table that the thread has locked for writing, NULL where
  // none is known.
  std::string_view holders;
  // Has rows where `holders` would have some if there were a holder: it can be there and be empty
  // because nothing is recorded.
  std::string_view is_recording;
};

// How a family says things: MySQL up to 8.3, MySQL from 8.4 on (which lost the old replication
// statements), MariaDB.
struct Statements {
  // For a session that stays open while we wait and must not be ended by a limit meant for clients.
  std::string_view session_settings;

  // Best first.
  std::vector<LockSource> lock_sources;
  // One row of many columns, none where the server is no replica; then the columns' names.
  std::string_view replica_status;
  std::string_view receiver_column;
  std::string_view applier_column;
  std::string_view start_receiver;
  std::string_view start_applier;
};

// Of the server's own account of itself, never of a configuration.
const Statements& statements_for(const ServerIdentity& identity);

// The same for all families.
namespace sql {

// version, version_comment, connection id, server_id, max_allowed_packet.
inline constexpr std::string_view kIdentity =
    "SELECT @@version, @@version_comment, CONNECTION_ID(), @@global.server_id, "
    "@@session.max_allowed_packet";
// One row where the server has super_read_only.
inline constexpr std::string_view kHasSuperReadOnly =
    "SHOW GLOBAL VARIABLES LIKE 'super_read_only'";
inline constexpr std::string_view kReadOnly = "SELECT @@global.read_only";
inline constexpr std::string_view kReadOnlyAndSuper =
    "SELECT @@global.read_only, @@global.super_read_only";
// Id, User, Host, db, Command, Time, State, and the first 100 characters of the statement. The one
// list that is complete on every server: performance_schema's leaves out the threads that its
// memory had no room for.
inline constexpr std::string_view kThreads = "SHOW PROCESSLIST";
// Thread ids with a statement going on in a transaction that has locked tables.
inline constexpr std::string_view kWritingTransactions =
    "SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX "
    "WHERE trx_tables_in_use > 0 AND trx_tables_locked > 0";
// 'name'@'host', as the server quotes it. MariaDB's and MySQL's names of what exempts from
// read_only.
inline constexpr std::string_view kExemptGrantees =
    "SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN "
    "('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'CONNECTION_ADMIN')";
// Database, Table, In_use, Name_locked.
inline constexpr std::string_view kTablesInUse = "SHOW OPEN TABLES WHERE In_use > 0";

}  // namespace sql

// Of @@version and @@version_comment.
ServerFamily family_of(std::string_view version, std::string_view comment);
// 101114 of "10.11.14-MariaDB"; 0 where there is no number.
unsigned version_number_of(std::string_view version);

// The SET GLOBAL that reaches `wanted` from `current`, both known to differ; super_read_only is
// said only where the server has it. read_only=OFF clears super_read_only, super_read_only=ON sets
// read_only (MySQL's manual, "Server System Variables").
std::string set_read_only_sql(const ReadOnlyState& current, const ReadOnlyState& wanted);

}  // namespace mha
