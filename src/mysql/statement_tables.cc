// The tables of statements.
#include "mysql/statements.h"

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

// What each family wants: without the one an account is shown no events that a new master is to
// run, without the other no accounts that read_only does not bind, and is not told so.
constexpr NeededPrivilege kSeesEvents{"EVENT", ""};
constexpr NeededPrivilege kSeesAccounts{"SELECT ON mysql.*", "SELECT"};

// What does not name its default channel would act on every channel.
Statements mysql_56() {
  Statements table;
  table.session_settings =
      "SET SESSION autocommit=1, sql_mode='', wait_timeout=28800, net_read_timeout=60";
  table.lock_sources = {{kMysqlPerformanceSchema, kRecordsItself}};
  ReplicationStatements& replication = table.replication;
  replication.replica_status = "SHOW SLAVE STATUS";
  replication.heartbeats = "SHOW GLOBAL STATUS LIKE 'Slave_received_heartbeats'";
  replication.source_word = "MASTER";
  replication.replica_word = "SLAVE";
  replication.start_receiver = "START SLAVE IO_THREAD";
  replication.start_applier = "START SLAVE SQL_THREAD";
  replication.start = "START SLAVE";
  replication.stop = "STOP SLAVE";
  replication.stop_receiver = "STOP SLAVE IO_THREAD";
  replication.forget_source = "RESET SLAVE ALL";
  replication.change_source = "CHANGE MASTER TO {}";
  replication.by_place = "MASTER_AUTO_POSITION=0";
  replication.by_gtid = "MASTER_AUTO_POSITION=1";
  replication.binlog_status = "SHOW MASTER STATUS";
  replication.gtids =
      "SELECT @@global.gtid_executed, @@global.gtid_executed, @@global.gtid_purged, ''";
  replication.has_executed = "GTID_SUBSET({}, @@global.gtid_executed)";
  replication.wait_for_gtids = {"WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS({}, {}) >= 0",
                                Milliseconds{1000}};
  replication.wait_for_place = {"MASTER_POS_WAIT({}, {}, {}) >= 0", Milliseconds{1000}};
  replication.semi_sync_source = {"rpl_semi_sync_master_enabled"};
  replication.semi_sync_replica = {"rpl_semi_sync_slave_enabled"};
  replication.leave_binlog_script =
      "ROLLBACK; SET SESSION gtid_next='AUTOMATIC'; SET NAMES utf8mb4; "
      "SET SESSION timestamp=DEFAULT, insert_id=0, foreign_key_checks=1, unique_checks=1, "
      "sql_auto_is_null=0, pseudo_slave_mode=0, completion_type=DEFAULT";
  replication.privileges = {
      {"SUPER", ""}, {"PROCESS", ""}, {"RELOAD", ""}, kSeesEvents, kSeesAccounts};
  return table;
}

Statements mysql_57() {
  Statements table = mysql_56();
  ReplicationStatements& replication = table.replication;
  replication.channel_column = "Channel_Name";
  replication.heartbeats =
      "SELECT COUNT_RECEIVED_HEARTBEATS FROM performance_schema.replication_connection_status "
      "WHERE CHANNEL_NAME = ''";
  replication.start_receiver = "START SLAVE IO_THREAD FOR CHANNEL ''";
  replication.start_applier = "START SLAVE SQL_THREAD FOR CHANNEL ''";
  replication.start = "START SLAVE FOR CHANNEL ''";
  replication.stop = "STOP SLAVE FOR CHANNEL ''";
  replication.stop_receiver = "STOP SLAVE IO_THREAD FOR CHANNEL ''";
  replication.forget_source = "RESET SLAVE ALL FOR CHANNEL ''";
  replication.change_source = "CHANGE MASTER TO {} FOR CHANNEL ''";
  replication.wait_for_gtids = {"WAIT_FOR_EXECUTED_GTID_SET({}, {}) = 0", Milliseconds{1000}};
  replication.wait_for_place = {"MASTER_POS_WAIT({}, {}, {}, '') >= 0", Milliseconds{1000}};
  return table;
}

// Each step tried on 9.7 with SUPER alone, and with the others alone.
Statements mysql_80() {
  Statements table = mysql_57();
  ReplicationStatements& replication = table.replication;
  replication.get_public_key = "GET_MASTER_PUBLIC_KEY";
  replication.public_key_path = "MASTER_PUBLIC_KEY_PATH";
  // The plugin of either name can be there from 8.0.26 on.
  replication.semi_sync_source = {"rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"};
  replication.semi_sync_replica = {"rpl_semi_sync_replica_enabled", "rpl_semi_sync_slave_enabled"};
  replication.privileges = {{"SYSTEM_VARIABLES_ADMIN", "SUPER"},
                            {"CONNECTION_ADMIN", "SUPER"},
                            {"REPLICATION_SLAVE_ADMIN", "SUPER"},
                            {"REPLICATION CLIENT", "SUPER"},
                            {"BINLOG_ADMIN", "SUPER"},  // for what a failover salvages
                            {"PROCESS", ""},
                            {"RELOAD", ""},
                            kSeesEvents,
                            kSeesAccounts};
  return table;
}

Statements mysql_84() {
  Statements table = mysql_80();
  ReplicationStatements& replication = table.replication;
  replication.replica_status = "SHOW REPLICA STATUS";
  replication.source_word = "SOURCE";
  replication.replica_word = "REPLICA";
  replication.start_receiver = "START REPLICA IO_THREAD FOR CHANNEL ''";
  replication.start_applier = "START REPLICA SQL_THREAD FOR CHANNEL ''";
  replication.start = "START REPLICA FOR CHANNEL ''";
  replication.stop = "STOP REPLICA FOR CHANNEL ''";
  replication.stop_receiver = "STOP REPLICA IO_THREAD FOR CHANNEL ''";
  replication.forget_source = "RESET REPLICA ALL FOR CHANNEL ''";
  replication.change_source = "CHANGE REPLICATION SOURCE TO {} FOR CHANNEL ''";
  replication.by_place = "SOURCE_AUTO_POSITION=0";
  replication.by_gtid = "SOURCE_AUTO_POSITION=1";
  replication.get_public_key = "GET_SOURCE_PUBLIC_KEY";
  replication.public_key_path = "SOURCE_PUBLIC_KEY_PATH";
  replication.binlog_status = "SHOW BINARY LOG STATUS";
  // Fractions: observed, 9.7.
  replication.wait_for_gtids.least = Milliseconds{1};
  replication.wait_for_place = {"SOURCE_POS_WAIT({}, {}, {}, '') >= 0", Milliseconds{1}};
  return table;
}

// The statements that name no connection are for the default one.
Statements mariadb() {
  Statements table;
  table.session_settings =
      "SET SESSION autocommit=1, sql_mode='', wait_timeout=28800, net_read_timeout=60, "
      "max_statement_time=0";
  table.lock_sources = {{kMariadbPerformanceSchema, kRecordsItself},
                        {kMariadbLockInfo, kPluginIsActive}};
  ReplicationStatements& replication = table.replication;
  replication.replica_status = "SHOW ALL SLAVES STATUS";
  // Of the default connection.
  replication.heartbeats = "SHOW STATUS LIKE 'Slave_received_heartbeats'";
  replication.channel_column = "Connection_name";
  replication.source_word = "MASTER";
  replication.replica_word = "SLAVE";
  replication.start_receiver = "START SLAVE IO_THREAD";
  replication.start_applier = "START SLAVE SQL_THREAD";
  replication.start = "START SLAVE";
  replication.stop = "STOP SLAVE";
  replication.stop_receiver = "STOP SLAVE IO_THREAD";
  replication.forget_source = "RESET SLAVE ALL";
  replication.change_source = "CHANGE MASTER TO {}";
  replication.by_place = "MASTER_USE_GTID=no";
  replication.by_gtid = "MASTER_USE_GTID=slave_pos";
  replication.by_current_pos = "MASTER_USE_GTID=current_pos";
  replication.adopt_own_gtids = "SET GLOBAL gtid_slave_pos=@@global.gtid_current_pos";
  replication.binlog_status = "SHOW MASTER STATUS";
  replication.gtids =
      "SELECT @@global.gtid_current_pos, @@global.gtid_binlog_pos, '', @@global.gtid_binlog_state";
  // MASTER_GTID_WAIT looks at gtid_slave_pos alone: a server that was the source itself, and is
  // pointed by current_pos, may have the GTID as its own.
  replication.has_executed = "FIND_IN_SET({}, @@global.gtid_current_pos) > 0";
  replication.wait_for_gtids = {"MASTER_GTID_WAIT({}, {}) = 0", Milliseconds{1}};
  replication.wait_for_place = {"MASTER_POS_WAIT({}, {}, {}) >= 0", Milliseconds{1000}};
  replication.semi_sync_source = {"rpl_semi_sync_master_enabled"};
  replication.semi_sync_replica = {"rpl_semi_sync_slave_enabled"};
  replication.leave_binlog_script =
      "ROLLBACK; SET NAMES utf8mb4; SET SESSION timestamp=DEFAULT, insert_id=0, "
      "foreign_key_checks=1, unique_checks=1, sql_auto_is_null=0, check_constraint_checks=1, "
      "pseudo_slave_mode=0, completion_type=DEFAULT, skip_parallel_replication=0, "
      "gtid_domain_id=@@global.gtid_domain_id, server_id=@@global.server_id, gtid_seq_no=0";
  // Each step tried on 11.8 with SUPER alone, and with the others alone. SUPER is for
  // event_scheduler.
  replication.privileges = {{"SUPER", ""},
                            {"READ_ONLY ADMIN", ""},
                            {"CONNECTION ADMIN", ""},
                            {"REPLICATION SLAVE ADMIN", ""},
                            {"REPLICATION MASTER ADMIN", ""},
                            {"BINLOG MONITOR", ""},
                            {"SLAVE MONITOR", ""},
                            {"BINLOG REPLAY", ""},  // for what a failover salvages
                            {"PROCESS", ""},
                            {"RELOAD", ""},
                            kSeesEvents,
                            kSeesAccounts};
  return table;
}

// Until 11.0 SUPER still had in it what was split off.
Statements mariadb_1011() {
  Statements table = mariadb();
  table.replication.privileges = {{"SUPER", ""},   {"READ_ONLY ADMIN", ""},
                                  {"PROCESS", ""}, {"RELOAD", ""},
                                  kSeesEvents,     kSeesAccounts};
  return table;
}

Statements mariadb_1010() {
  Statements table = mariadb_1011();
  table.replication.privileges = {
      {"SUPER", ""}, {"PROCESS", ""}, {"RELOAD", ""}, kSeesEvents, kSeesAccounts};
  return table;
}

struct TableFrom {
  unsigned version;  // this and newer
  Statements statements;
};

const Statements& newest_of(const std::vector<TableFrom>& tables, unsigned version) {
  const Statements* found = &tables.front().statements;
  for (const TableFrom& table : tables) {
    if (version >= table.version) found = &table.statements;
  }
  return *found;
}

}  // namespace

const Statements& statements_for(const ServerIdentity& identity) {
  static const std::vector<TableFrom> mysql{
      {0, mysql_56()}, {50700, mysql_57()}, {80000, mysql_80()}, {80400, mysql_84()}};
  static const std::vector<TableFrom> mariadbs{
      {0, mariadb_1010()}, {101100, mariadb_1011()}, {110000, mariadb()}};
  return newest_of(identity.family == ServerFamily::kMariadb ? mariadbs : mysql,
                   identity.version_number);
}

}  // namespace mha
