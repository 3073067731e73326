// The table of statements, and how a server tells its family.
#include "mysql/statements.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

namespace mha {
namespace {

// Observed on MariaDB 10.11: a writing statement or LOCK TABLES ... WRITE holds a lock of type
// BACKUP until it ends; an idle transaction, a SELECT and LOCK TABLES ... READ hold none. FLUSH
// TABLES WITH READ LOCK holds one that does not stand in the way. performance_schema has these
// locks from 10.5 on, if it is switched on; the plugin has them anyway, if it is loaded.
constexpr std::string_view kMariadbPerformanceSchema =
    "SELECT DISTINCT holder.PROCESSLIST_ID, tables_.OBJECT_SCHEMA, tables_.OBJECT_NAME "
    "FROM performance_schema.metadata_locks AS lock_ "
    "JOIN performance_schema.threads AS holder ON holder.THREAD_ID = lock_.OWNER_THREAD_ID "
    "LEFT JOIN performance_schema.metadata_locks AS tables_ "
    "ON tables_.OWNER_THREAD_ID = lock_.OWNER_THREAD_ID AND tables_.OBJECT_TYPE = 'TABLE' "
    "AND tables_.LOCK_STATUS = 'GRANTED' AND tables_.LOCK_TYPE NOT IN "
    "('SHARED', 'SHARED_HIGH_PRIO', 'SHARED_READ', 'SHARED_READ_ONLY') "
    "WHERE lock_.OBJECT_TYPE = 'BACKUP' AND lock_.LOCK_TYPE NOT LIKE 'BACKUP_FTWRL%' "
    "AND lock_.LOCK_STATUS = 'GRANTED' AND holder.PROCESSLIST_ID <> CONNECTION_ID()";
constexpr std::string_view kMariadbLockInfo =
    "SELECT DISTINCT lock_.THREAD_ID, tables_.TABLE_SCHEMA, tables_.TABLE_NAME "
    "FROM information_schema.METADATA_LOCK_INFO AS lock_ "
    "LEFT JOIN information_schema.METADATA_LOCK_INFO AS tables_ "
    "ON tables_.THREAD_ID = lock_.THREAD_ID AND tables_.LOCK_TYPE = 'Table metadata lock' "
    "AND tables_.LOCK_MODE NOT IN ('MDL_SHARED', 'MDL_SHARED_HIGH_PRIO', 'MDL_SHARED_READ', "
    "'MDL_SHARED_READ_ONLY') "
    "WHERE lock_.LOCK_TYPE = 'Backup lock' AND lock_.LOCK_MODE NOT LIKE 'MDL_BACKUP_FTWRL%' "
    "AND lock_.THREAD_ID <> CONNECTION_ID()";
// MySQL 5.7 and newer. In 5.7 the instrument is off as delivered, and the table empty.
constexpr std::string_view kMysqlPerformanceSchema =
    "SELECT DISTINCT holder.PROCESSLIST_ID, tables_.OBJECT_SCHEMA, tables_.OBJECT_NAME "
    "FROM performance_schema.metadata_locks AS lock_ "
    "JOIN performance_schema.threads AS holder ON holder.THREAD_ID = lock_.OWNER_THREAD_ID "
    "LEFT JOIN performance_schema.metadata_locks AS tables_ "
    "ON tables_.OWNER_THREAD_ID = lock_.OWNER_THREAD_ID AND tables_.OBJECT_TYPE = 'TABLE' "
    "AND tables_.LOCK_STATUS = 'GRANTED' AND tables_.LOCK_TYPE NOT IN "
    "('SHARED', 'SHARED_HIGH_PRIO', 'SHARED_READ', 'SHARED_READ_ONLY') "
    "WHERE lock_.OBJECT_TYPE IN ('GLOBAL', 'COMMIT') AND lock_.LOCK_TYPE = 'INTENTION_EXCLUSIVE' "
    "AND lock_.LOCK_STATUS = 'GRANTED' AND holder.PROCESSLIST_ID <> CONNECTION_ID()";
// To read the table is to lock it, and so to be in it.
constexpr std::string_view kRecordsItself =
    "SELECT 1 FROM performance_schema.metadata_locks WHERE OBJECT_SCHEMA = 'performance_schema' "
    "LIMIT 1";
constexpr std::string_view kPluginIsActive =
    "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO' "
    "AND PLUGIN_STATUS = 'ACTIVE'";

constexpr std::string_view kSettings =
    "SET SESSION autocommit=1, sql_mode='', wait_timeout=28800, net_read_timeout=60";

const Statements& mysql_up_to_83() {
  static const Statements statements{kSettings,
                                     {{kMysqlPerformanceSchema, kRecordsItself}},
                                     "SHOW SLAVE STATUS",
                                     "Slave_IO_Running",
                                     "Slave_SQL_Running",
                                     "START SLAVE IO_THREAD",
                                     "START SLAVE SQL_THREAD"};
  return statements;
}

const Statements& mysql_84() {
  static const Statements statements{kSettings,
                                     {{kMysqlPerformanceSchema, kRecordsItself}},
                                     "SHOW REPLICA STATUS",
                                     "Replica_IO_Running",
                                     "Replica_SQL_Running",
                                     "START REPLICA IO_THREAD",
                                     "START REPLICA SQL_THREAD"};
  return statements;
}

const Statements& mariadb() {
  static const Statements statements{
      "SET SESSION autocommit=1, sql_mode='', wait_timeout=28800, net_read_timeout=60, "
      "max_statement_time=0",
      {{kMariadbPerformanceSchema, kRecordsItself}, {kMariadbLockInfo, kPluginIsActive}},
      "SHOW SLAVE STATUS",
      "Slave_IO_Running",
      "Slave_SQL_Running",
      "START SLAVE IO_THREAD",
      "START SLAVE SQL_THREAD"};
  return statements;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

}  // namespace

const Statements& statements_for(const ServerIdentity& identity) {
  if (identity.family == ServerFamily::kMariadb) return mariadb();
  return identity.version_number < 80400 ? mysql_up_to_83() : mysql_84();
}

ServerFamily family_of(std::string_view version, std::string_view comment) {
  const bool mariadb_says_so =
      contains_ignoring_case(version, "mariadb") || contains_ignoring_case(comment, "mariadb");
  return mariadb_says_so ? ServerFamily::kMariadb : ServerFamily::kMysql;
}

unsigned version_number_of(std::string_view version) {
  unsigned number = 0;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int part = 0; part < 3; ++part) {
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value > 99) return part == 0 ? 0 : number;
    number += value * (part == 0 ? 10000 : part == 1 ? 100 : 1);
    if (next == end || *next != '.') return number;
    at = next + 1;
  }
  return number;
}

std::string set_read_only_sql(const ReadOnlyState& current, const ReadOnlyState& wanted) {
  const bool super_now = current.super_read_only.value_or(false);
  const bool super_wanted = wanted.super_read_only.value_or(false);
  if (wanted.blocks_writes() && super_wanted) return "SET GLOBAL super_read_only=ON";
  if (wanted.blocks_writes() && super_now) return "SET GLOBAL super_read_only=OFF";
  // Quoted, MariaDB 12 takes all four values, and every other server ON and OFF.
  return fmt::format("SET GLOBAL read_only='{}'", to_string(wanted.read_only));
}

}  // namespace mha
