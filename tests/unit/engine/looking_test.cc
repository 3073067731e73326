// Discovery, topology, candidate and preflight over fakes: one thing wrong at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "engine/topology.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LookingTest : public testing::Test {
 protected:
  Discovery look() {
    Environment all = cluster_.environment();
    return discover(cluster_.request.cluster, Milliseconds{1000}, std::chrono::seconds{1}, all);
  }
  // Every problem as text, or the error.
  std::string problems() {
    Environment all = cluster_.environment();
    Switchover switchover(cluster_.request, all);
    const Result<std::vector<Problem>> found = switchover.look();
    if (!found.ok()) return "error: " + found.error().message;
    std::string text;
    for (const Problem& problem : found.value()) text += problem.text() + "\n";
    return text;
  }
  std::string candidate() {
    Environment all = cluster_.environment();
    Switchover switchover(cluster_.request, all);
    const Result<std::vector<Problem>> found = switchover.look();
    return found.ok() ? switchover.summary().new_master : "error: " + found.error().message;
  }
  Result<Topology> topology() { return find_topology(look().views); }

  EngineCluster cluster_;
};

TEST_F(LookingTest, DeadLivingUnreachableAndUnknownAreFourThings) {
  cluster_.server("db1").health = FakeHealth::kSilent;
  cluster_.server("db2").health = FakeHealth::kDown;
  cluster_.server("db3").health = FakeHealth::kDown;
  cluster_.ssh.set_health("db3", FakeHealth::kDown);
  const std::shared_ptr<FakeShellHost> shell = cluster_.ssh.add_host("db2");
  const Discovery seen = look();
  EXPECT_EQ(seen.views[0].reach, Reach::kUnknown) << "it accepts and says nothing";
  EXPECT_NE(seen.views[1].reach, Reach::kLiving);
  EXPECT_NE(seen.views[1].reach, Reach::kUnreachable) << "its host answers SSH";
  EXPECT_EQ(seen.views[2].reach, Reach::kUnreachable);
  for (const HostView& view : seen.views) EXPECT_FALSE(view.why.empty());
}

TEST_F(LookingTest, AServerThatRefusesOurAccountIsNotDead) {
  cluster_.server("db1").connect_error = Error{Code::kDenied, "access denied (error 1045)"};
  EXPECT_EQ(look().views[0].reach, Reach::kUnknown);
  EXPECT_THAT(problems(), AllOf(HasSubstr("db1 is unknown"), HasSubstr("1045")));
}

TEST_F(LookingTest, WhatIsLackingAndTheStatementsThatGiveIt) {
  HostView view;
  view.host.node.mysql.user = "mha";
  view.missing_privileges = {"PROCESS", "SELECT ON mysql.*", "EVENT"};
  EXPECT_EQ(view.lacking(), "the user 'mha' lacks PROCESS, SELECT ON mysql.*, EVENT");
  EXPECT_EQ(view.grants(),
            "GRANT PROCESS, EVENT ON *.* TO 'mha'@...; GRANT SELECT ON mysql.* TO 'mha'@...");
}

// The server's own words name one of several that would do, and none by which it is granted.
TEST_F(LookingTest, AServerThatTellsNothingForWantOfAPrivilegeIsSaidToWantIt) {
  cluster_.server("db1").replication.missing_privileges = {"REPLICATION CLIENT"};
  cluster_.faults.fail_matching("mysql db1:3306 state", FaultTime::kBefore,
                                {Code::kDenied, "you need one of (SUPER, REPLICATION CLIENT)"});
  EXPECT_THAT(problems(), HasSubstr("db1 is unknown: the user 'mha' lacks REPLICATION CLIENT; "
                                    "GRANT REPLICATION CLIENT ON *.* TO 'mha'@...: you need"));
}

TEST_F(LookingTest, TheMasterIsFoundByAddressAsWell) {
  cluster_.conf("db1").node.ip = "10.0.0.1";
  cluster_.server("db2").replication.source.host = "10.0.0.1";
  cluster_.request.cluster.resolve = [](const std::string& host) {
    return host == "db1-alias" ? std::vector<std::string>{"10.0.0.1"} : std::vector<std::string>{};
  };
  cluster_.server("db3").replication.source.host = "db1-alias";
  const Result<Topology> found = topology();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found.value().master, 0U);
  EXPECT_THAT(found.value().replicas_of(0), ElementsAre(1, 2));
}

TEST_F(LookingTest, NoMasterAndADeadOne) {
  cluster_.server("db2").replica.reset();
  cluster_.server("db3").replica.reset();
  EXPECT_THAT(problems(), AllOf(HasSubstr("error: no master"), HasSubstr("db3")));
  cluster_.mysql.follow("db2:3306", "db1:3306");
  cluster_.server("db1").health = FakeHealth::kDown;
  EXPECT_THAT(problems(),
              AllOf(HasSubstr("error: the master db1 is"), HasSubstr("mysql_failover")));
}

TEST_F(LookingTest, TheCandidateIsChosenAsMhaDoes) {
  EXPECT_EQ(candidate(), "db2") << "candidate_master";
  cluster_.conf("db2").candidate_master = false;
  cluster_.conf("db3").candidate_master = true;
  EXPECT_EQ(candidate(), "db3");
  cluster_.conf("db3").candidate_master = false;
  EXPECT_EQ(candidate(), "db2") << "the conf's order";
  cluster_.server("db2").identity.version_number = 90704;
  EXPECT_EQ(candidate(), "db3") << "the oldest version first";
  cluster_.conf("db3").no_master = true;
  EXPECT_EQ(candidate(), "db2");
  cluster_.server("db2").replication.log_bin = false;
  EXPECT_THAT(candidate(), AllOf(HasSubstr("error: no host can become"), HasSubstr("no_master"),
                                 HasSubstr("no binary log")));
}

TEST_F(LookingTest, TheOperatorsWish) {
  cluster_.request.wish = {"db3", 0};
  EXPECT_EQ(candidate(), "db3");
  cluster_.request.wish = {"db3", 3307};
  EXPECT_THAT(candidate(), HasSubstr("no such server"));
  cluster_.request.wish = {"db1", 0};
  EXPECT_THAT(candidate(), HasSubstr("master already"));
  cluster_.request.wish = {"db9", 0};
  EXPECT_THAT(candidate(), HasSubstr("no such server"));
}

struct Wrong {
  std::string name;
  std::function<void(EngineCluster&)> make;
  std::string host;
  std::string says;
};
std::ostream& operator<<(std::ostream& out, const Wrong& wrong) { return out << wrong.name; }

class PreflightTest : public testing::TestWithParam<Wrong> {};

// Found, named with its host, alone, and nothing is changed.
TEST_P(PreflightTest, IsFoundWithItsRemedy) {
  EngineCluster cluster;
  cluster.request.wish = {"db2", 0};
  GetParam().make(cluster);
  const ClusterSeen found = cluster.seen();
  Environment all = cluster.environment();
  Switchover switchover(cluster.request, all);
  const Result<std::vector<Problem>> problems = switchover.look();
  ASSERT_TRUE(problems.ok()) << problems.error().message;
  ASSERT_EQ(problems.value().size(), 1U) << testing::PrintToString([&] {
    std::vector<std::string> texts;
    for (const Problem& problem : problems.value()) texts.push_back(problem.text());
    return texts;
  }());
  EXPECT_EQ(problems.value()[0].host, GetParam().host);
  EXPECT_THAT(problems.value()[0].what, HasSubstr(GetParam().says));
  EXPECT_FALSE(problems.value()[0].remedy.empty());
  EXPECT_EQ(cluster.seen(), found);
}

INSTANTIATE_TEST_SUITE_P(
    One, PreflightTest,
    testing::Values(
        Wrong{"Receiver", [](EngineCluster& c) { c.server("db3").replica->receiver = false; },
              "db3", "I/O thread"},
        Wrong{"Applier",
              [](EngineCluster& c) {
                c.server("db3").replica->applier = false;
                c.server("db3").replication.applier_error = {1062, "Duplicate entry"};
              },
              "db3", "Duplicate entry"},
        Wrong{"Behind",
              [](EngineCluster& c) {
                c.server("db3").replication.applier_held = true;
                c.server("db3").replication.lag = std::chrono::seconds{90};
                c.server("db1").write(1);
                c.mysql.replicate();
              },
              "db3", "90 s behind"},
        Wrong{"Errant", [](EngineCluster& c) { c.server("db3").write_as_super(1); }, "db3",
              "transactions that the master has not: 00000000-0000-0000-0000-000000000003:1"},
        Wrong{"Filters",
              [](EngineCluster& c) {
                c.server("db3").replication.filters["Replicate_Do_DB"] = "shop";
              },
              "db3", "filters differ"},
        Wrong{"OlderReplica",
              [](EngineCluster& c) { c.server("db3").identity.version_number = 50744; }, "db3",
              "would replicate from db2"},
        Wrong{"NoBinaryLog", [](EngineCluster& c) { c.server("db2").replication.log_bin = false; },
              "db2", "no binary log"},
        Wrong{"NoLogReplicaUpdates",
              [](EngineCluster& c) { c.server("db2").replication.log_replica_updates = false; },
              "db2", "does not log"},
        Wrong{"NoMaster", [](EngineCluster& c) { c.conf("db2").no_master = true; }, "db2",
              "no_master"},
        Wrong{"LongWriter",
              [](EngineCluster& c) {
                c.server("db1").replication.long_writers.push_back(
                    {17, std::chrono::seconds{60}, "thread 17 (app@10.0.0.5): UPDATE"});
              },
              "db1", "thread 17"},
        Wrong{"SemiSync",
              [](EngineCluster& c) {
                c.server("db1").replication.semi_sync = {true, true, false, 4};
              },
              "db1", "4 sessions wait"},
        Wrong{"Privileges",
              [](EngineCluster& c) {
                c.server("db3").replication.missing_privileges = {"REPLICATION_SLAVE_ADMIN"};
              },
              "db3", "REPLICATION_SLAVE_ADMIN"},
        Wrong{
            "Clock",
            [](EngineCluster& c) { c.server("db2").replication.clock_skew = Milliseconds{60'000}; },
            "db2", "60.0 s ahead"},
        Wrong{"Sudo",
              [](EngineCluster& c) {
                c.vip.set_check_error("db2", Error{Code::kDenied, "sudo asks for a password"});
              },
              "db2", "sudo"},
        Wrong{"VipElsewhere",
              [](EngineCluster& c) {
                c.vip.set_holders({"db1", "db3"});
              },
              "db3", "has the virtual IP"},
        Wrong{"VipAtAStranger",
              [](EngineCluster& c) { c.vip.set_strangers({"02:00:00:00:00:99"}); }, "",
              "02:00:00:00:00:99"},
        Wrong{"HeldByMha",
              [](EngineCluster& c) {
                FakeMysqlState& orig = c.server("db1");
                orig.locks["MHA_Master_High_Availability_Monitor"] = orig.add_thread("mha");
              },
              "db1", "advisory lock"},
        Wrong{"Channels",
              [](EngineCluster& c) { c.server("db3").replication.other_channels = {"west"}; },
              "db3", "west"},
        Wrong{"FailoverError",
              [](EngineCluster& c) { write_whole(c.folder.path("app1.failover.error"), ""); }, "",
              "last failover failed"},
        Wrong{"ServerId",
              [](EngineCluster& c) {
                c.server("db3").identity.server_id = c.server("db1").identity.server_id;
              },
              "db1, db3", "server_id"},
        Wrong{
            "Delayed",
            [](EngineCluster& c) { c.server("db2").replication.delay = std::chrono::seconds{600}; },
            "db2", "delayed on purpose"},
        Wrong{"NoReplicationPassword",
              [](EngineCluster& c) { c.conf("db1").repl_password = Secret{}; }, "db1",
              "repl_password"},
        Wrong{"Unreachable",
              [](EngineCluster& c) {
                c.server("db3").health = FakeHealth::kDown;
                c.ssh.set_health("db3", FakeHealth::kDown);
              },
              "db3", "unreachable"}),
    testing::PrintToStringParamName());

TEST_F(LookingTest, EveryReasonAtOnce) {
  cluster_.server("db3").replica->applier = false;
  cluster_.server("db1").replication.missing_privileges = {"SUPER"};
  cluster_.conf("db2").no_master = true;
  cluster_.request.wish = {"db2", 0};
  EXPECT_THAT(problems(), AllOf(HasSubstr("db3: its SQL thread"), HasSubstr("lacks SUPER"),
                                HasSubstr("no_master")));
}

// Behind what came from the master later its position does not show it.
TEST(LookingAtMariadbTest, AReplicasOwnTransactionIsFoundInItsLog) {
  EngineCluster cluster(GtidUse::kAuto, ServerFamily::kMariadb);
  const auto problems = [&cluster] {
    Environment all = cluster.environment();
    Switchover switchover(cluster.request, all);
    return switchover.look().value();
  };
  EXPECT_THAT(problems(), IsEmpty());
  cluster.server("db3").write_as_super(1);
  cluster.server("db1").write(2);
  cluster.mysql.replicate();
  ASSERT_EQ(mariadb_gtids(cluster.server("db3").replication.executed), "0-1-5");
  const std::vector<Problem> found = problems();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front().text(),
              HasSubstr("db3: it has transactions that the master has not: 0-3-4"));
}

TEST_F(LookingTest, KillingBlockersIsNoReasonNotTo) {
  cluster_.server("db1").replication.long_writers.push_back(
      {17, std::chrono::seconds{60}, "thread 17"});
  EXPECT_THAT(problems(), HasSubstr("thread 17"));
  cluster_.request.limits.long_writers = LongWriters::kKill;
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LookingTest, CommitsThatWaitForASemiSyncReplicaThatIsThereAreNoReason) {
  cluster_.use_semi_sync({"db2", "db3"});
  cluster_.server("db1").replication.semi_sync.waiting_sessions = 4;
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LookingTest, ALockInTheWayPutsEverythingBackAndKillBlockersEndsIt) {
  FakeMysqlState& orig = cluster_.server("db1");
  const std::uint64_t blocker = orig.add_thread("app");
  orig.blockers.push_back({blocker, "thread (app): LOCK TABLES"});
  const ClusterSeen found = cluster_.seen();
  const Outcome refused = cluster_.run();
  EXPECT_EQ(refused.ending, Ending::kUndone);
  EXPECT_THAT(refused.headline->message, HasSubstr("LOCK TABLES"));
  EXPECT_EQ(cluster_.seen(), found);
  EXPECT_THAT(orig.threads, Not(IsEmpty())) << "nobody was killed";

  cluster_.clock.advance(Milliseconds{5});
  cluster_.request.limits.long_writers = LongWriters::kKill;
  EXPECT_EQ(cluster_.run().ending, Ending::kDone);
}

// The server has not noticed yet that the session is gone, as after a rollback right before.
TEST_F(LookingTest, ALockThatGoesInAMomentIsNoReason) {
  FakeMysqlState& replica = cluster_.server("db3");
  replica.locks["MHA_Master_High_Availability_Failover"] = 7;
  int asked = 0;
  replica.on_call = [&asked](FakeMysqlState& state, const std::string& call) {
    if (call.find("lock_holders") == std::string::npos || ++asked != 3) return;
    state.locks.clear();
  };
  const Outcome outcome = cluster_.run();
  EXPECT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
}

// Two managers that start at the same moment: preflight sees nothing, the locks decide.
TEST_F(LookingTest, AnotherSwitchThatBeganMeanwhileKeepsUsAway) {
  FakeMysqlState& replica = cluster_.server("db3");
  replica.on_call = [](FakeMysqlState& state, const std::string& call) {
    if (call.find("take_lock") == std::string::npos) return;
    state.locks["MHA_Master_High_Availability_Failover"] = 7;
  };
  const ClusterSeen found = cluster_.seen();
  const Outcome outcome = cluster_.run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("another switch"));
  EXPECT_EQ(cluster_.seen(), found);
}

// A candidate that does not get what the master has: the time is bounded, and nothing is changed.
TEST_F(LookingTest, MaxDowntimePutsEverythingBack) {
  cluster_.request.max_downtime = Milliseconds{2000};
  FakeMysqlState& orig = cluster_.server("db1");
  FakeMysqlState& next = cluster_.server("db2");
  // As soon as writes are off, the candidate stops applying, with one transaction to go.
  orig.on_call = [&](FakeMysqlState& state, const std::string& call) {
    if (call.find("set_read_only ON") == std::string::npos) return;
    next.replication.applier_held = true;
    if (!state.read_only.blocks_writes()) state.write_as_super(1);
  };
  const ClusterSeen found = cluster_.seen();
  const Milliseconds before = cluster_.clock.elapsed();
  const Outcome outcome = cluster_.run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(cluster_.seen(), found);
  EXPECT_LE(cluster_.clock.elapsed() - before, Milliseconds{3000});
}

}  // namespace
}  // namespace mha
