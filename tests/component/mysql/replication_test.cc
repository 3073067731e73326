// Replication between two real MariaDB servers: what only they can show.
#include "ports/replication.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "mysql_fixture.h"
#include "server_pair.h"

namespace mha {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ReplicationTest : public MysqlTest {
 protected:
  void SetUp() override {
    MysqlTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    pair_ = std::make_unique<ServerPair>(plain_pair());
    for (std::size_t server = 0; server < 2; ++server) {
      sessions_.at(server) = open(local_target(pair_->port(server)));
      ASSERT_NE(sessions_.at(server), nullptr);
    }
  }

  Replication& on(std::size_t server) { return sessions_.at(server)->replication(); }
  ServerState state(std::size_t server) {
    Result<ServerState> found = on(server).state(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? std::move(found).value() : ServerState{};
  }
  NewSource source(std::size_t server) {
    NewSource source = ServerPair::account();
    source.host = "127.0.0.1";
    source.port = pair_->port(server);
    source.gtid_use = GtidUse::kAuto;
    return source;
  }
  void follow(std::size_t server, std::size_t its_source) {
    expect_ok(on(server).replicate_from(source(its_source), soon()));
    expect_ok(on(server).start_replica(soon()));
  }
  void expect_caught_up(std::size_t server, std::size_t its_source) {
    const Result<SourcePosition> end = on(its_source).own_position(soon());
    ASSERT_TRUE(end.ok()) << end.error().message;
    expect_ok(on(server).wait_until_applied(end.value(), GtidUse::kAuto, soon()));
  }
  // (Megabytes of it take the thread sanitizer long.)
  Status execute(MysqlServer& server, const std::string& script) {
    return server.replication()
        .execute_binlog_script({whole_text(script), 0, Switch::kOn, {}},
                               within(Milliseconds{60'000}))
        .status();
  }
  static void expect_ok(const Status& status) {
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  // What mariadb-binlog says of the server's only binary log.
  std::string binlog_script(std::size_t server) {
    const TemporaryFolder folder;
    const std::string folder_of_data = *pair_->admin(server).value("SELECT @@datadir");
    const std::string file = *pair_->admin(server).value("SHOW MASTER STATUS");
    pair_->admin(server).execute("FLUSH BINARY LOGS");
    run_program({"mariadb-binlog", "--no-defaults", "--result-file=" + folder.path() + "/sql",
                 folder_of_data + file});
    std::ostringstream text;
    text << std::ifstream{folder.path() + "/sql"}.rdbuf();
    return text.str();
  }
  std::string variable(std::size_t server, const std::string& name) {
    return pair_->admin(server).value("SELECT " + name).value_or("NULL");
  }

  std::unique_ptr<ServerPair> pair_;
  std::array<std::unique_ptr<MysqlServer>, 2> sessions_;
};

TEST_F(ReplicationTest, SecurityAndRetryAreKeptAsTheyWere) {
  NewSource wanted = source(0);
  wanted.connect_retry = 7;
  wanted.security.tls = true;
  wanted.security.ca = "/etc/it's a ca.pem";
  wanted.security.ca_path = "/etc/back\\slash";
  wanted.security.certificate = "/etc/cert.pem";
  wanted.security.key = "/etc/key.pem";
  wanted.security.cipher = "AES";
  wanted.security.crl = "/etc/crl.pem";
  wanted.security.crl_path = "/etc/crl";
  wanted.security.verify_server = true;
  expect_ok(on(1).replicate_from(wanted, soon()));
  const ServerState found = state(1);
  ASSERT_TRUE(found.replica.has_value());
  const SourceSecurity& security = found.replica->security;
  EXPECT_EQ(found.replica->connect_retry, 7U);
  EXPECT_TRUE(security.tls);
  EXPECT_TRUE(security.verify_server);
  EXPECT_EQ(security.ca, wanted.security.ca);
  EXPECT_EQ(security.ca_path, wanted.security.ca_path);
  EXPECT_EQ(security.certificate, wanted.security.certificate);
  EXPECT_EQ(security.key, wanted.security.key);
  EXPECT_EQ(security.cipher, wanted.security.cipher);
  EXPECT_EQ(security.crl, wanted.security.crl);
  EXPECT_EQ(security.crl_path, wanted.security.crl_path);
}

TEST_F(ReplicationTest, PasswordIsInNoError) {
  NewSource wrong = source(0);
  wrong.password = Secret{"hidden-" + std::string(200, 'x')};
  const Status too_long = on(1).replicate_from(wrong, soon());
  if (!too_long.ok()) {
    EXPECT_THAT(too_long.error().message, Not(HasSubstr("hidden")));
  }
  wrong.password = Secret{"hidden'wrong"};
  expect_ok(on(1).replicate_from(wrong, soon()));
  const Status refused = on(1).start_replica(soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("1045"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hidden")));
  // A host name that the server finds too long is quoted by it, and the statement with it.
  wrong.host = std::string(300, 'h');
  const Status long_host = on(1).replicate_from(wrong, soon());
  ASSERT_FALSE(long_host.ok());
  EXPECT_THAT(long_host.error().message, Not(HasSubstr("hidden")));
}

TEST_F(ReplicationTest, WithoutAUserTheOldAccountGoesOn) {
  follow(1, 0);
  NewSource same = source(0);
  same.user = "";
  same.password = Secret{};
  expect_ok(on(1).replicate_from(same, soon()));
  expect_ok(on(1).start_replica(soon()));
  EXPECT_EQ(state(1).replica->source_user, "repl");
}

TEST_F(ReplicationTest, ErrantTransactionIsTheServersWord) {
  pair_->write(0, 1);
  pair_->write(1, 1);
  expect_ok(on(1).replicate_from(source(0), soon()));
  const Status refused = on(1).start_replica(soon());
  // The dump thread may refuse just after the receiver was seen to run.
  if (refused.ok()) {
    EXPECT_TRUE(eventually([&] { return state(1).replica->receiver_error.number == 1236; }));
  } else {
    EXPECT_THAT(refused.error().message, HasSubstr("1236"));
  }
}

TEST_F(ReplicationTest, OtherConnectionsAreNamedAndLeftAlone) {
  TestClient& admin = pair_->admin(1);
  ASSERT_TRUE(admin.execute("CHANGE MASTER 'abroad' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1"));
  EXPECT_FALSE(state(1).replica.has_value());
  follow(1, 0);
  EXPECT_THAT(state(1).other_channels, testing::ElementsAre("abroad"));
  EXPECT_EQ(state(1).replica->source_port, pair_->port(0));
  expect_ok(on(1).stop_replica(soon()));
  expect_ok(on(1).forget_source(soon()));
  EXPECT_THAT(state(1).other_channels, testing::ElementsAre("abroad"));
  EXPECT_TRUE(admin.execute("RESET SLAVE 'abroad' ALL"));
}

TEST_F(ReplicationTest, FiltersAreShown) {
  TestClient& admin = pair_->admin(1);
  follow(1, 0);
  expect_ok(on(1).stop_replica(soon()));
  ASSERT_TRUE(admin.execute("SET GLOBAL replicate_do_db='shop,blog'"));
  ASSERT_TRUE(admin.execute("SET GLOBAL replicate_wild_ignore_table='shop.tmp%'"));
  const auto filters = state(1).replica->filters;
  EXPECT_THAT(filters,
              testing::ElementsAre(testing::Pair("Replicate_Do_DB", "shop,blog"),
                                   testing::Pair("Replicate_Wild_Ignore_Table", "shop.tmp%")));
  admin.execute("SET GLOBAL replicate_do_db=''");
  admin.execute("SET GLOBAL replicate_wild_ignore_table=''");
}

TEST_F(ReplicationTest, MissingPrivilegesAreNamed) {
  TestClient& admin = pair_->admin(0);
  admin.execute("DROP USER few@'%'");
  ASSERT_TRUE(admin.execute("CREATE USER few@'%'"));
  ASSERT_TRUE(admin.execute("GRANT PROCESS, SUPER ON *.* TO few@'%'"));
  ASSERT_TRUE(admin.execute("GRANT RELOAD, EVENT ON *.* TO few@'%'"));
  ASSERT_TRUE(admin.execute("GRANT SELECT ON mysql.* TO few@'%'"));
  ASSERT_TRUE(admin.execute("GRANT ALL ON shop.* TO few@'%'"));
  MysqlTarget target = local_target(pair_->port(0));
  target.user = "few";
  target.password = Secret{};
  const auto few = open(target);
  ASSERT_NE(few, nullptr);
  const auto missing = few->replication().missing_privileges(soon());
  ASSERT_TRUE(missing.ok()) << missing.error().message;
  EXPECT_THAT(missing.value(), testing::ElementsAre("READ_ONLY ADMIN"));
  // What is said to suffice does: each step of a switch but that.
  Replication& replication = few->replication();
  EXPECT_TRUE(replication.state(soon()).ok());
  expect_ok(replication.replicate_from(source(1), soon()));
  expect_ok(replication.start_replica(soon()));
  expect_ok(replication.stop_replica(soon()));
  expect_ok(replication.forget_source(soon()));
  expect_ok(replication.set_event_scheduler(Switch::kOff, soon()));
  expect_ok(replication.set_semi_sync(SemiSyncRole::kSource, Switch::kOff, soon()));
  const Status read_only =
      few->set_read_only({ReadOnly::kOn, std::nullopt}, std::chrono::seconds{1}, soon());
  EXPECT_EQ(read_only.error().code, Code::kDenied);
}

TEST_F(ReplicationTest, LongWriters) {
  TestClient idle;
  TestClient running;
  TestClient reader;
  const std::vector<TestClient*> all{&idle, &running, &reader};
  for (TestClient* client : all) ASSERT_TRUE(client->connect(pair_->port(0)));
  pair_->write(0, 3);
  ASSERT_TRUE(idle.execute("BEGIN"));
  ASSERT_TRUE(idle.execute("UPDATE shop.orders SET amount = 9 WHERE id = 1000"));
  ASSERT_TRUE(reader.execute("BEGIN"));
  ASSERT_TRUE(reader.execute("SELECT * FROM shop.orders"));
  running.send("UPDATE shop.orders SET amount = SLEEP(30) WHERE id = 1001");
  const auto ids = [&](std::chrono::seconds at_least) {
    const auto writers = on(0).long_writers(at_least, soon());
    EXPECT_TRUE(writers.ok()) << writers.error().message;
    std::vector<std::uint64_t> found;
    if (!writers.ok()) return found;
    for (const LongWriter& writer : writers.value()) {
      EXPECT_THAT(writer.text, HasSubstr(std::to_string(writer.thread_id)));
      EXPECT_GE(writer.age, at_least);
      found.push_back(writer.thread_id);
    }
    return found;
  };
  EXPECT_TRUE(eventually([&] {
    return testing::Value(ids(std::chrono::seconds{0}),
                          testing::UnorderedElementsAre(idle.id(), running.id()));
  }));
  EXPECT_TRUE(eventually([&] {
    return testing::Value(ids(std::chrono::seconds{1}),
                          testing::UnorderedElementsAre(idle.id(), running.id()));
  }));
  EXPECT_THAT(ids(std::chrono::seconds{20}), IsEmpty());
  ASSERT_TRUE(pair_->admin(0).execute("KILL " + std::to_string(running.id())));
  ASSERT_TRUE(idle.execute("ROLLBACK"));
  // InnoDB keeps what it said until nobody has asked for a tenth of a second.
  EXPECT_TRUE(eventually([&] {
    clock_.sleep_for(Milliseconds{150});
    return ids(std::chrono::seconds{0}).empty();
  }));
}

TEST_F(ReplicationTest, SalvagedStatementsAreExecutedWithTheirGtids) {
  TestClient& admin = pair_->admin(0);
  pair_->write(0, 2);
  ASSERT_TRUE(admin.execute("SET SESSION binlog_format='ROW'"));
  pair_->write(0, 2);
  ASSERT_TRUE(admin.execute("CREATE TABLE shop.notes (note TEXT) CHARACTER SET utf8mb4"));
  ASSERT_TRUE(admin.execute("SET SESSION binlog_format='STATEMENT'"));
  const std::string note =
      "it\\'s; a \\\"note\\\" \\\\ /*!*/;\\n/*!*/;\\nDELIMITER ;\\n \xE2\x82\xAC";
  ASSERT_TRUE(admin.execute("INSERT INTO shop.notes VALUES ('" + note + "')"));
  ASSERT_TRUE(admin.execute("SET SESSION sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"));
  ASSERT_TRUE(admin.execute("INSERT INTO shop.notes VALUES ('a\\')"));
  ASSERT_TRUE(admin.execute("INSERT INTO shop.notes VALUES ('b'), ('''')"));
  ASSERT_TRUE(admin.execute(
      "CREATE PROCEDURE shop.twice() BEGIN DELETE FROM notes; DELETE FROM notes; END"));
  expect_ok(execute(*sessions_[1], binlog_script(0)));
  EXPECT_EQ(pair_->rows(1), 4U);
  const std::string notes = "(SELECT GROUP_CONCAT(HEX(note)) FROM shop.notes)";
  EXPECT_EQ(variable(1, notes), variable(0, notes));
  EXPECT_EQ(state(1).binlog_gtids, state(0).binlog_gtids);
  for (TestClient* each : {&pair_->admin(0), &pair_->admin(1)}) {
    each->execute("SET sql_log_bin=0");
    each->execute("DROP TABLE shop.notes");
    each->execute("DROP PROCEDURE shop.twice");
  }
}

TEST_F(ReplicationTest, ScriptEndsAtTheFirstErrorAndLeavesNothingOpen) {
  const Status failed =
      execute(*sessions_[1],
              "DELIMITER /*!*/;\nSET @@session.sql_mode=1048576, @@session.server_id=77/*!*/;\n"
              "SET TIMESTAMP=1/*!*/;\n"
              "BEGIN\n/*!*/;\nINSERT INTO shop.orders VALUES (1000, 1)\n/*!*/;\n"
              "INSERT INTO shop.nowhere VALUES (1)\n/*!*/;\n"
              "INSERT INTO shop.orders VALUES (1001, 1)\n/*!*/;\nCOMMIT\n/*!*/;\n");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::kRefused);
  EXPECT_THAT(failed.error().message, HasSubstr("statement 5"));
  EXPECT_THAT(failed.error().message, HasSubstr("INSERT INTO shop.nowhere"));
  EXPECT_THAT(failed.error().message, HasSubstr("1146"));
  EXPECT_EQ(pair_->rows(1), 0U);
  // The session is as before: what it writes has the server's own id, and the time of now.
  expect_ok(execute(*sessions_[1], "INSERT INTO shop.orders VALUES (1000, NOW() > 20200101)"));
  EXPECT_EQ(variable(1, "(SELECT amount FROM shop.orders WHERE id = 1000)"), "1");
  EXPECT_EQ(variable(1, "@@global.gtid_binlog_pos"), "0-2-1");
}

TEST_F(ReplicationTest, StatementThatIsTooLargeIsNotSent) {
  TestClient& admin = pair_->admin(1);
  const std::string before = variable(1, "@@global.max_allowed_packet");
  ASSERT_TRUE(admin.execute("SET GLOBAL max_allowed_packet=1048576"));
  const auto session = open(local_target(pair_->port(1)));
  ASSERT_NE(session, nullptr);
  const std::string script = "SELECT LENGTH('" + std::string(1048576, 'x') + "')";
  const Status refused = execute(*session, script);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("max_allowed_packet"));
  EXPECT_LT(refused.error().message.size(), 600U);
  EXPECT_TRUE(session->replication().state(soon()).ok());
  ASSERT_TRUE(admin.execute("SET GLOBAL max_allowed_packet=" + before));
  expect_ok(execute(*sessions_[1], script));
}

TEST_F(ReplicationTest, LargeRowEventIsExecuted) {
  TestClient& admin = pair_->admin(0);
  ASSERT_TRUE(admin.execute("SET SESSION binlog_format='ROW'"));
  ASSERT_TRUE(admin.execute("CREATE TABLE shop.large (body LONGTEXT)"));
  ASSERT_TRUE(admin.execute("INSERT INTO shop.large VALUES (REPEAT('x', 9000000))"));
  expect_ok(execute(*sessions_[1], binlog_script(0)));
  EXPECT_EQ(variable(1, "(SELECT LENGTH(body) FROM shop.large)"), "9000000");
  for (TestClient* each : {&pair_->admin(0), &pair_->admin(1)}) {
    each->execute("SET sql_log_bin=0");
    each->execute("DROP TABLE shop.large");
  }
}

TEST_F(ReplicationTest, SilentServerCostsTheDeadline) {
  MariadbServer server{replication_options(3)};
  const auto session = open(server.target());
  ASSERT_NE(session, nullptr);
  server.freeze();
  const Result<ServerState> late =
      timed([&] { return session->replication().state(within(Milliseconds{300})); });
  server.thaw();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::kTimeout);
  EXPECT_LT(took_ms(), 600);
}

}  // namespace
}  // namespace mha
