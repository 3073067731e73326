// Replication's statements of each family, and answers of theirs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mysql/privileges.h"
#include "mysql/replica_status.h"
#include "mysql/replication_source.h"
#include "mysql/scheduled_events.h"
#include "mysql/statements.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const ReplicationStatements& mysql(unsigned version) {
  return statements_for({ServerFamily::kMysql, "", version, 1, 1}).replication;
}
const ReplicationStatements& mariadb(unsigned version) {
  return statements_for({ServerFamily::kMariadb, "", version, 1, 1}).replication;
}

TEST(ReplicationStatements, EachVersionHasItsWords) {
  EXPECT_EQ(mysql(50624).stop, "STOP SLAVE");
  EXPECT_EQ(mysql(50744).stop, "STOP SLAVE FOR CHANNEL ''");
  EXPECT_EQ(mysql(80300).forget_source, "RESET SLAVE ALL FOR CHANNEL ''");
  EXPECT_EQ(mysql(80400).forget_source, "RESET REPLICA ALL FOR CHANNEL ''");
  EXPECT_EQ(mysql(90704).binlog_status, "SHOW BINARY LOG STATUS");
  EXPECT_EQ(mariadb(101119).forget_source, "RESET SLAVE ALL");
  EXPECT_THAT(std::string{mysql(50624).wait_for_gtids.condition},
              HasSubstr("WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS"));
  EXPECT_THAT(std::string{mysql(50744).wait_for_gtids.condition},
              HasSubstr("WAIT_FOR_EXECUTED_GTID_SET"));
  EXPECT_THAT(std::string{mariadb(110806).wait_for_gtids.condition}, HasSubstr("MASTER_GTID_WAIT"));
}

// A fraction means "for ever" to a server that only knows whole seconds.
TEST(ReplicationStatements, WholeSecondsWhereTheServerWantsThem) {
  for (const unsigned version : {50624U, 50744U, 80036U}) {
    EXPECT_EQ(mysql(version).wait_for_place.least, Milliseconds{1000});
    EXPECT_EQ(mysql(version).wait_for_gtids.least, Milliseconds{1000});
  }
  EXPECT_EQ(mariadb(110806).wait_for_place.least, Milliseconds{1000});
  EXPECT_LT(mariadb(110806).wait_for_gtids.least, Milliseconds{1000});
}

NewSource new_source(GtidUse gtid_use) {
  NewSource source;
  source.host = "db'1";
  source.user = "re\\pl";
  source.password = Secret{"s'e\\cret"};
  source.gtid_use = gtid_use;
  source.start = {"bin.000042", 4711};
  return source;
}

std::string change(const ReplicationStatements& statements, const NewSource& source) {
  const Result<Secret> sql = change_source_sql(statements, source);
  return sql.ok() ? sql.value().reveal() : "error: " + sql.error().message;
}

TEST(ChangeSource, ByPlace) {
  EXPECT_EQ(change(mysql(50624), new_source(GtidUse::kNone)),
            R"(CHANGE MASTER TO MASTER_HOST='db\'1', MASTER_PORT=3306, MASTER_USER='re\\pl', )"
            R"(MASTER_PASSWORD='s\'e\\cret', MASTER_CONNECT_RETRY=60, MASTER_AUTO_POSITION=0, )"
            "MASTER_LOG_FILE='bin.000042', MASTER_LOG_POS=4711, MASTER_SSL=0, "
            "MASTER_SSL_VERIFY_SERVER_CERT=0, MASTER_SSL_CA='', MASTER_SSL_CAPATH='', "
            "MASTER_SSL_CERT='', MASTER_SSL_KEY='', MASTER_SSL_CIPHER='', MASTER_SSL_CRL='', "
            "MASTER_SSL_CRLPATH=''");
}

TEST(ChangeSource, ByGtidAndWithSecurity) {
  NewSource source = new_source(GtidUse::kAuto);
  source.security.tls = true;
  source.security.verify_server = true;
  source.security.ca = "/etc/ca.pem";
  source.security.get_public_key = true;
  source.security.public_key_path = "/etc/key.pem";
  const std::string newest = change(mysql(90704), source);
  EXPECT_THAT(newest, testing::StartsWith("CHANGE REPLICATION SOURCE TO SOURCE_HOST="));
  EXPECT_THAT(newest, testing::EndsWith(" FOR CHANNEL ''"));
  EXPECT_THAT(newest, HasSubstr("SOURCE_AUTO_POSITION=1, SOURCE_SSL=1"));
  EXPECT_THAT(newest, HasSubstr("SOURCE_SSL_CA='/etc/ca.pem'"));
  EXPECT_THAT(newest, HasSubstr("GET_SOURCE_PUBLIC_KEY=1"));
  EXPECT_THAT(newest, HasSubstr("SOURCE_PUBLIC_KEY_PATH='/etc/key.pem'"));
  EXPECT_THAT(newest, Not(HasSubstr("LOG_FILE")));
  EXPECT_THAT(change(mysql(80036), source), HasSubstr("GET_MASTER_PUBLIC_KEY=1"));
  EXPECT_THAT(change(mysql(50744), source), Not(HasSubstr("PUBLIC_KEY")));
  EXPECT_THAT(change(mariadb(101119), source), HasSubstr("MASTER_USE_GTID=slave_pos"));
}

TEST(ChangeSource, CurrentPosIsMariadbs) {
  EXPECT_THAT(change(mariadb(101119), new_source(GtidUse::kCurrentPos)),
              HasSubstr("MASTER_USE_GTID=current_pos"));
  EXPECT_FALSE(change_source_sql(mysql(90704), new_source(GtidUse::kCurrentPos)).ok());
}

TEST(ChangeSource, WithoutAUserTheOldOneStays) {
  NewSource source = new_source(GtidUse::kAuto);
  source.user = "";
  const std::string sql = change(mariadb(101119), source);
  EXPECT_THAT(sql, Not(HasSubstr("USER")));
  EXPECT_THAT(sql, Not(HasSubstr("PASSWORD")));
}

TEST(ChangeSource, ErrorsDoNotQuote) {
  EXPECT_EQ(without_quotes("String 's'e\\cret' is too long for MASTER_PASSWORD (max 32)"),
            "String ... is too long for MASTER_PASSWORD (max 32)");
  EXPECT_EQ(without_quotes("You have an error near '=s\"ecret' at line 1"),
            "You have an error near ... at line 1");
  EXPECT_EQ(without_quotes("near 'secret and so on"), "near ...");
  EXPECT_EQ(without_quotes("Access denied"), "Access denied");
}

TEST(Privileges, GlobalOnesAndThoseOnTheServersOwnTables) {
  EXPECT_THAT(
      held_privileges({"GRANT SELECT, super, READ_ONLY ADMIN ON *.* TO `mha`@`%` IDENTIFIED BY "
                       "PASSWORD '*ABC' WITH GRANT OPTION",
                       "GRANT CONNECTION_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `mha`@`%`",
                       "GRANT RELOAD ON `shop`.* TO `mha`@`%`", "GRANT `dba`@`%` TO `mha`@`%`",
                       "REVOKE PROCESS ON `shop`.* FROM `mha`@`%`",
                       "GRANT INSERT, UPDATE ON `mysql`.* TO `mha`@`%`"}),
      ElementsAre("CONNECTION_ADMIN", "INSERT ON mysql.*", "READ_ONLY ADMIN", "SELECT", "SUPER",
                  "SYSTEM_VARIABLES_ADMIN", "UPDATE ON mysql.*"));
  EXPECT_THAT(held_privileges({"GRANT ALL PRIVILEGES ON `mysql`.* TO `mha`@`%`"}),
              testing::Contains("SELECT ON mysql.*"));
}

TEST(Privileges, WhatIsMissing) {
  const std::set<std::string> all_see{"PROCESS", "RELOAD", "EVENT", "SELECT ON mysql.*"};
  const auto with = [&all_see](std::set<std::string> more) {
    more.insert(all_see.begin(), all_see.end());
    return more;
  };
  EXPECT_THAT(missing_of(mysql(50624).privileges, {"ALL PRIVILEGES"}), IsEmpty());
  EXPECT_THAT(missing_of(mysql(50624).privileges, {"SUPER"}),
              ElementsAre("PROCESS", "RELOAD", "EVENT", "SELECT ON mysql.*"));
  EXPECT_THAT(
      missing_of(mysql(50624).privileges, {"SUPER", "PROCESS", "RELOAD", "EVENT", "SELECT"}),
      IsEmpty());
  EXPECT_THAT(missing_of(mysql(80036).privileges, with({"SUPER"})), IsEmpty());
  EXPECT_THAT(missing_of(mysql(80036).privileges, with({"REPLICATION CLIENT", "CONNECTION_ADMIN"})),
              ElementsAre("SYSTEM_VARIABLES_ADMIN", "REPLICATION_SLAVE_ADMIN", "BINLOG_ADMIN"));
  EXPECT_THAT(missing_of(mariadb(100622).privileges, with({"SUPER"})), IsEmpty());
  EXPECT_THAT(missing_of(mariadb(101119).privileges, with({"SUPER"})),
              ElementsAre("READ_ONLY ADMIN"));
  EXPECT_THAT(missing_of(mariadb(110806).privileges, with({"SUPER"})),
              testing::IsSupersetOf({"REPLICATION SLAVE ADMIN", "BINLOG REPLAY"}));
}

StatementResult mysql_84_row(const std::string& channel) {
  return {
      {"Source_Host",           "Source_User",         "Source_Port",
       "Connect_Retry",         "Source_Log_File",     "Read_Source_Log_Pos",
       "Relay_Log_File",        "Relay_Log_Pos",       "Relay_Source_Log_File",
       "Replica_IO_Running",    "Replica_SQL_Running", "Replicate_Do_DB",
       "Replicate_Rewrite_DB",  "Exec_Source_Log_Pos", "Source_SSL_Allowed",
       "Seconds_Behind_Source", "Last_IO_Errno",       "Last_IO_Error",
       "Last_SQL_Errno",        "Last_SQL_Error",      "SQL_Delay",
       "Retrieved_Gtid_Set",    "Auto_Position",       "Channel_Name",
       "Get_Source_public_key"},
      {{"db1",         "repl",       "3307",       "10",      "bin.000002", "600", "relay.000003",
        "44",          "bin.000001", "Connecting", "No",      "shop",       "",    "500",
        "Yes",         std::nullopt, "2003",       "no\nway", "0",          "",    "30",
        "a:1-5,\nb:1", "1",          channel,      "1"}},
      std::nullopt};
}

TEST(ReplicaStatus, ColumnsByName) {
  const ReplicaStatus status = parse_replica_status(mysql_84_row(""), mysql(80400));
  ASSERT_TRUE(status.replica.has_value());
  const ReplicaState& replica = *status.replica;
  EXPECT_EQ(replica.source_host, "db1");
  EXPECT_EQ(replica.source_port, 3307);
  EXPECT_EQ(replica.receiver, ReceiverState::kConnecting);
  EXPECT_FALSE(replica.applier_running);
  EXPECT_EQ(replica.receiver_error.number, 2003);
  EXPECT_EQ(replica.receiver_error.text, "no way");
  EXPECT_EQ(replica.received, (BinlogCoordinates{"bin.000002", 600}));
  EXPECT_EQ(replica.executed, (BinlogCoordinates{"bin.000001", 500}));
  EXPECT_EQ(replica.received_gtids, "a:1-5,b:1");
  EXPECT_EQ(replica.gtid_use, GtidUse::kAuto);
  EXPECT_FALSE(replica.behind.has_value());
  EXPECT_EQ(replica.delay, std::chrono::seconds{30});
  EXPECT_EQ(replica.connect_retry, 10U);
  EXPECT_THAT(replica.filters, ElementsAre(testing::Pair("Replicate_Do_DB", "shop")));
  EXPECT_TRUE(replica.security.tls);
  EXPECT_TRUE(replica.security.get_public_key);
}

TEST(ReplicaStatus, OtherChannelsAreNamed) {
  StatementResult rows = mysql_84_row("from_abroad");
  const ReplicaStatus none = parse_replica_status(rows, mysql(80400));
  EXPECT_FALSE(none.replica.has_value());
  EXPECT_THAT(none.other_channels, ElementsAre("from_abroad"));
  rows.rows.push_back(mysql_84_row("").rows.front());
  EXPECT_TRUE(parse_replica_status(rows, mysql(80400)).replica.has_value());
  EXPECT_FALSE(
      parse_replica_status({rows.columns, {}, std::nullopt}, mysql(80400)).replica.has_value());
}

ScheduledEvent event(const std::string& name, const std::string& definer) {
  return {"shop", name, EventStatus::kDisabledOnReplica, 1, definer, "latin1", "latin1_swedish_ci"};
}

TEST(EnableEventSql, KeepsDefinerAndCharacterSet) {
  EXPECT_THAT(enable_event_sql(event("nightly", "app@10.%")),
              ElementsAre("SET SESSION character_set_client='latin1', "
                          "collation_connection='latin1_swedish_ci'",
                          "ALTER DEFINER=`app`@`10.%` EVENT `shop`.`nightly` ENABLE"));
}

TEST(EnableEventSql, NamesAreQuoted) {
  EXPECT_EQ(enable_event_sql(event("a`b", "o'neill@work@%")).back(),
            "ALTER DEFINER=`o'neill@work`@`%` EVENT `shop`.`a``b` ENABLE");
  EXPECT_THAT(enable_event_sql(event("nightly", "batch@")).back(), HasSubstr("DEFINER=`batch` "));
}

// In latin1 its bytes would be another name.
TEST(EnableEventSql, ANameThatIsNotAsciiIsSaidInOurCharacterSet) {
  EXPECT_THAT(enable_event_sql(event("n\u00e4chtlich", "app@%")),
              ElementsAre("ALTER DEFINER=`app`@`%` EVENT `shop`.`n\u00e4chtlich` ENABLE"));
}

}  // namespace
}  // namespace mha
