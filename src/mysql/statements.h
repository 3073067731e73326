// The SQL of each server family: the one place that knows what is spelt differently where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
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

// A privilege that a switch or a failover takes, and one that does as well ("": none).
struct NeededPrivilege {
  std::string_view name;
  std::string_view or_else;
};

// A function that waits in the server, as a condition: "1" where it is reached. {0} and, for a
// place, {1} are what to wait for, the last {} the seconds.
struct WaitFunction {
  std::string_view condition;
  // What it takes as the least time. A server that only knows whole seconds rounds, and takes 0 as
  // "for ever" (observed, 5.6 and MariaDB 10.11: MASTER_POS_WAIT(.., 0.2) never returned).
  Milliseconds least;
};

// A family's words for replication, all of it for the default channel: where a server has channels,
// what names none is for all of them.
struct ReplicationStatements {
  // One row for each source, none where the server is no replica.
  std::string_view replica_status;
  std::string_view channel_column;  // "": there is but one channel
  // One row, the count of heartbeats from the source in its last column. What the server refuses is
  // done without.
  std::string_view heartbeats;
  // In the names of options, and in any case of columns: MASTER_HOST, Master_Host.
  std::string_view source_word;
  std::string_view replica_word;
  std::string_view start_receiver;
  std::string_view start_applier;
  std::string_view start;
  std::string_view stop;
  std::string_view stop_receiver;
  std::string_view forget_source;
  // {} are its options.
  std::string_view change_source;
  // Options of change_source; "": the family has no such.
  std::string_view by_place;
  std::string_view by_gtid;
  std::string_view by_current_pos;
  std::string_view get_public_key;
  std::string_view public_key_path;
  // Before a server is pointed by GTIDs, so that its own transactions count; "": they do anyway.
  std::string_view adopt_own_gtids;

  // File, Position, Binlog_Do_DB, Binlog_Ignore_DB; no row without a binary log.
  std::string_view binlog_status;
  // One row: executed, in the binary log, purged from it.
  std::string_view gtids;
  // Whether {}, GTIDs of one server or domain, have been executed.
  std::string_view has_executed;
  WaitFunction wait_for_gtids;
  WaitFunction wait_for_place;

  // Those that may be there, best first.
  std::vector<std::string_view> semi_sync_source;
  std::vector<std::string_view> semi_sync_replica;
  // After statements of mysqlbinlog, whatever came of them; `session_settings` come after it.
  std::string_view leave_binlog_script;
  std::vector<NeededPrivilege> privileges;
};

// How a family says things: MySQL up to 8.3, MySQL from 8.4 on (which lost the old replication
// statements), MariaDB. Within a family, a version's table is the one before it with what it does
// otherwise.
struct Statements {
  // For a session that stays open while we wait and must not be ended by a limit meant for clients.
  std::string_view session_settings;
  // Best first.
  std::vector<LockSource> lock_sources;
  ReplicationStatements replication;
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
// Ids of other sessions of our account that set read_only, or super_read_only, at this moment.
inline constexpr std::string_view kOwnWaitingForReadOnly =
    "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() "
    "AND USER = SUBSTRING_INDEX(USER(), '@', 1) AND INFO LIKE 'SET GLOBAL %read_only=%'";
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
// Thread id and age in seconds of transactions that have written and are still open.
inline constexpr std::string_view kOpenWriters =
    "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) "
    "FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0";
// Rows of name and value, those that the server has. GTIDs are not among them: SHOW cuts a value
// after 1024 bytes.
inline constexpr std::string_view kServerVariables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'server_uuid', "
    "'hostname', 'gtid_mode', 'log_bin', 'log_slave_updates', 'log_replica_updates', "
    "'binlog_format', 'event_scheduler', 'relay_log_basename', 'datadir') "
    "OR Variable_name LIKE 'rpl\\_semi\\_sync\\_%\\_enabled' "
    "OR Variable_name LIKE 'rpl\\_semi\\_sync\\_%\\_wait\\_for\\_%\\_count'";
inline constexpr std::string_view kSemiSyncStatus =
    "SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync\\_%'";
// Microseconds since 1970, whatever the session's time zone.
inline constexpr std::string_view kClock =
    "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
inline constexpr std::string_view kGrants = "SHOW GRANTS";
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
