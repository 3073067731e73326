// Fake servers replicate from each other as real ones would.
#include "fakes/fake_replication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fakes/fake_clock.h"
#include "fakes/fake_mysql.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class FakeReplicationTest : public testing::Test {
 protected:
  FakeReplicationTest() {
    make_mariadb(mysql_.server("m1:3306"));
    make_mariadb(mysql_.server("m2:3306"));
  }

  std::unique_ptr<MysqlServer> open(const std::string& host) {
    MysqlTarget target;
    target.host = host;
    target.user = "mha";
    auto session = mysql_.connect(target, soon());
    EXPECT_TRUE(session.ok());
    return std::move(session).value();
  }
  Deadline soon() { return clock_.deadline_after(Milliseconds{5000}); }
  ServerState state(const std::string& host) {
    return open(host)->replication().state(soon()).value();
  }
  static NewSource source(const std::string& host, GtidUse gtid_use) {
    NewSource source;
    source.host = host;
    source.user = "repl";
    source.gtid_use = gtid_use;
    return source;
  }

  FakeClock clock_;
  FaultPlan faults_;
  FakeMysqlConnector mysql_{faults_, &clock_};
};

TEST_F(FakeReplicationTest, TransactionsArriveAndAreTold) {
  mysql_.follow("db2:3306", "db1:3306");
  ASSERT_TRUE(mysql_.server("db1:3306").write(3));
  const auto position = open("db1")->replication().own_position(soon()).value();
  EXPECT_THAT(position.gtids, testing::EndsWith(":1-3"));
  const ServerState replica = state("db2");
  EXPECT_EQ(replica.executed_gtids, position.gtids);
  ASSERT_TRUE(replica.replica.has_value());
  EXPECT_EQ(replica.replica->source_host, "db1");
  EXPECT_EQ(replica.replica->executed, position.binlog);
  EXPECT_EQ(replica.replica->receiver, ReceiverState::kRunning);
  EXPECT_TRUE(open("db2")->replication().wait_until_applied(position, GtidUse::kAuto, soon()).ok());
}

TEST_F(FakeReplicationTest, SwitchThereAndBackByGtid) {
  for (const std::string family : {"db", "m"}) {
    const std::string first = family + "1";
    const std::string second = family + "2";
    mysql_.follow(second + ":3306", first + ":3306");
    mysql_.server(first + ":3306").write(2);
    for (int turn = 0; turn < 2; ++turn) {
      const std::string from = turn == 0 ? first : second;
      const std::string to = turn == 0 ? second : first;
      const auto old_source = open(from);
      const auto candidate = open(to);
      const SourcePosition end = old_source->replication().own_position(soon()).value();
      ASSERT_TRUE(candidate->replication().wait_until_applied(end, GtidUse::kAuto, soon()).ok());
      ASSERT_FALSE(candidate->replication().forget_source(soon()).ok());
      ASSERT_TRUE(candidate->replication().stop_replica(soon()).ok());
      ASSERT_TRUE(candidate->replication().forget_source(soon()).ok());
      EXPECT_FALSE(state(to).replica.has_value());
      Replication& old_replication = old_source->replication();
      ASSERT_TRUE(old_replication.replicate_from(source(to, GtidUse::kAuto), soon()).ok());
      ASSERT_TRUE(old_replication.start_replica(soon()).ok());
      ASSERT_TRUE(mysql_.server(to + ":3306").write());
      mysql_.replicate();
      EXPECT_EQ(state(from).executed_gtids, state(to).executed_gtids);
    }
  }
}

TEST_F(FakeReplicationTest, PositionDecidesWhatIsApplied) {
  FakeMysqlState& first = mysql_.server("m1:3306");
  first.write(4);
  const auto replica = open("m2");
  NewSource from = source("m1", GtidUse::kNone);
  from.start = fake_coordinates("m1:3306", 3);
  ASSERT_TRUE(replica->replication().replicate_from(from, soon()).ok());
  ASSERT_TRUE(replica->replication().start_replica(soon()).ok());
  EXPECT_THAT(mysql_.server("m2:3306").replication.executed, SizeIs(1));

  // The same once more: a transaction comes twice.
  ASSERT_TRUE(replica->replication().replicate_from(from, soon()).ok());
  const Status twice = replica->replication().start_replica(soon());
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message, HasSubstr("1062"));
  from.start = fake_coordinates("other:3306", 3);
  ASSERT_TRUE(replica->replication().replicate_from(from, soon()).ok());
  EXPECT_THAT(replica->replication().start_replica(soon()).error().message, HasSubstr("1236"));
}

TEST_F(FakeReplicationTest, ErrantTransactionOfMariadbIsRefused) {
  mysql_.server("m1:3306").write(1);
  mysql_.server("m2:3306").write_as_super(2);
  const auto replica = open("m2");
  Replication& replication = replica->replication();
  ASSERT_TRUE(replication.replicate_from(source("m1", GtidUse::kAuto), soon()).ok());
  EXPECT_THAT(replication.start_replica(soon()).error().message, HasSubstr("1236"));
}

TEST_F(FakeReplicationTest, WaitEndsAtTheDeadlineAndTheSessionLives) {
  mysql_.follow("db2:3306", "db1:3306");
  mysql_.server("db2:3306").replication.applier_held = true;
  mysql_.server("db1:3306").write();
  const SourcePosition end = open("db1")->replication().own_position(soon()).value();
  const auto replica = open("db2");
  const Deadline deadline = soon();
  const Status late = replica->replication().wait_until_applied(end, GtidUse::kAuto, deadline);
  EXPECT_EQ(late.error().code, Code::kTimeout);
  EXPECT_TRUE(clock_.passed(deadline));
  EXPECT_TRUE(replica->replication().state(soon()).ok());

  // The world moves on while somebody waits.
  mysql_.server("db2:3306").on_call = [](FakeMysqlState& state, const std::string& call) {
    if (call.ends_with("(waiting)")) state.replication.applier_held = false;
  };
  EXPECT_TRUE(replica->replication().wait_until_applied(end, GtidUse::kAuto, soon()).ok());
}

TEST_F(FakeReplicationTest, StoppedApplierIsSaidAtOnce) {
  mysql_.follow("db2:3306", "db1:3306");
  mysql_.server("db2:3306").replication.applier_fault = {1146, "no such table"};
  mysql_.server("db1:3306").write();
  const SourcePosition end = open("db1")->replication().own_position(soon()).value();
  const Status refused = open("db2")->replication().wait_until_applied(end, GtidUse::kNone, soon());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("no such table"));
  EXPECT_EQ(clock_.elapsed(), Milliseconds{0});
}

TEST_F(FakeReplicationTest, DeadSourceIsBeingConnectedTo) {
  mysql_.follow("db2:3306", "db1:3306");
  mysql_.server("db1:3306").write();
  mysql_.replicate();
  mysql_.server("db1:3306").write();
  mysql_.server("db1:3306").health = FakeHealth::kDown;
  const ServerState replica = state("db2");
  EXPECT_EQ(replica.replica->receiver, ReceiverState::kConnecting);
  EXPECT_THAT(replica.executed_gtids, testing::EndsWith(":1"));
  EXPECT_THAT(mysql_.server("db1:3306").replication.executed, SizeIs(2));
}

TEST_F(FakeReplicationTest, ScriptBringsWhatWasSalvaged) {
  mysql_.follow("db2:3306", "db1:3306");
  FakeMysqlState& dead = mysql_.server("db1:3306");
  dead.health = FakeHealth::kDown;
  dead.write(2);
  const std::string script = fake_binlog_script(dead.replication.binlog);
  const BinlogReplay replay{whole_text(script), 0, Switch::kOn, {}};
  const Result<std::uint64_t> done =
      open("db2")->replication().execute_binlog_script(replay, soon());
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done.value(), 2U);
  EXPECT_EQ(mysql_.server("db2:3306").replication.executed, dead.replication.executed);
}

TEST_F(FakeReplicationTest, GtidTexts) {
  const FakeHistory history{{1, 1}, {1, 2}, {2, 1}, {1, 4}};
  EXPECT_EQ(mysql_gtids(history), fake_uuid(1) + ":1-2:4," + fake_uuid(2) + ":1");
  EXPECT_EQ(mariadb_gtids(history), "0-1-4");
  EXPECT_TRUE(covers(ServerFamily::kMysql, history, mysql_gtids(history)));
  EXPECT_FALSE(covers(ServerFamily::kMysql, history, fake_uuid(1) + ":1-3"));
  EXPECT_FALSE(covers(ServerFamily::kMysql, history, fake_uuid(2) + ":1-2"));
  EXPECT_TRUE(covers(ServerFamily::kMariadb, history, "0-2-3"));
  EXPECT_FALSE(covers(ServerFamily::kMariadb, history, "0-2-5"));
}

}  // namespace
}  // namespace mha
