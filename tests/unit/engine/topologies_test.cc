// Replicas of replicas, and two masters that replicate from each other: found, and switched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "engine/topology.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Kind {
  std::string name;
  GtidUse gtid_use;
  ServerFamily family;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class TopologiesTest : public testing::TestWithParam<Kind> {
 protected:
  TopologiesTest() : cluster_(GetParam().gtid_use, GetParam().family) {}

  // As replication brings it about: `replica` continues where it is, from `source`.
  void follow(const std::string& replica, const std::string& source) {
    follow(cluster_, replica, source);
  }
  static void follow(EngineCluster& cluster, const std::string& replica,
                     const std::string& source) {
    cluster.mysql.replicate();
    if (GetParam().gtid_use == GtidUse::kNone) {
      FakeReplicationState& own = cluster.server(replica).replication;
      own.received = cluster.server(source).replication.binlog.size();
      own.applied = own.received;
    }
    cluster.mysql.follow(replica + ":3306", source + ":3306", GetParam().gtid_use);
  }
  Result<Topology> topology() {
    Environment all = cluster_.environment();
    return find_topology(
        discover(cluster_.request.cluster, Milliseconds{1000}, std::chrono::seconds{1}, all).views);
  }
  std::string problems() {
    Environment all = cluster_.environment();
    Switchover switchover(cluster_.request, all);
    const Result<std::vector<Problem>> found = switchover.look();
    if (!found.ok()) return "error: " + found.error().message;
    std::string text;
    for (const Problem& problem : found.value()) text += problem.text() + "\n";
    return text;
  }
  void switch_to(const std::string& host) {
    cluster_.clock.advance(Milliseconds{5});
    cluster_.request.wish = {host, 0};
    const Outcome outcome = cluster_.run();
    ASSERT_EQ(outcome.ending, Ending::kDone)
        << (outcome.headline.has_value() ? outcome.headline->message : "");
  }
  std::string source_of(const std::string& host) { return cluster_.seen().servers.at(host).source; }
  bool replicates(const std::string& host) {
    return cluster_.server(host).replica == ReplicaThreads{true, true};
  }
  // What the master takes now reaches everybody, once.
  void expect_everybody_gets_what_is_written(const std::string& master,
                                             const std::vector<std::string>& others) {
    EXPECT_TRUE(cluster_.server(master).write(3));
    for (std::size_t tier = 0; tier < others.size(); ++tier) cluster_.mysql.replicate();
    for (const std::string& host : others) {
      EXPECT_EQ(mysql_gtids(cluster_.server(host).replication.executed),
                mysql_gtids(cluster_.server(master).replication.executed))
          << host;
    }
  }

  EngineCluster cluster_;
};

TEST_P(TopologiesTest, AThirdTierIsFound) {
  follow("db3", "db2");
  const Result<Topology> found = topology();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found.value().master, 0U);
  EXPECT_THAT(found.value().replicas_of(0), ElementsAre(1));
  EXPECT_THAT(found.value().replicas_of(1), ElementsAre(2));
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_P(TopologiesTest, TheCandidatesOwnReplicaKeepsItsSource) {
  follow("db3", "db2");
  switch_to("db2");
  EXPECT_EQ(source_of("db3"), "db2");
  EXPECT_EQ(source_of("db1"), "db2");
  EXPECT_EQ(source_of("db2"), "");
  EXPECT_TRUE(replicates("db3"));
  expect_everybody_gets_what_is_written("db2", {"db1", "db3"});
}

TEST_P(TopologiesTest, AReplicaOfAnIntermediateKeepsItsSource) {
  cluster_.add_host("db4");
  follow("db4", "db3");
  switch_to("db2");
  EXPECT_EQ(source_of("db3"), "db2");
  EXPECT_EQ(source_of("db4"), "db3");
  EXPECT_TRUE(replicates("db4"));
  expect_everybody_gets_what_is_written("db2", {"db1", "db3", "db4"});
  switch_to("db3");
  EXPECT_EQ(source_of("db4"), "db3");
  EXPECT_EQ(source_of("db2"), "db3");
  expect_everybody_gets_what_is_written("db3", {"db1", "db2", "db4"});
}

// Nothing is pointed to a replica of a replica, and it is not chosen by itself.
TEST_P(TopologiesTest, AThirdTierReplicaIsNoCandidate) {
  follow("db3", "db2");
  cluster_.request.wish = {"db3", 0};
  EXPECT_THAT(problems(),
              HasSubstr("error: the new master db3 does not replicate from the master"));
  cluster_.request.wish = {};
  cluster_.conf("db2").no_master = true;
  EXPECT_THAT(problems(), AllOf(HasSubstr("error: no host can become the new master"),
                                HasSubstr("db3: it does not replicate from the master")));
}

TEST_P(TopologiesTest, AThirdTierReplicaThatStandsStillIsAReason) {
  follow("db3", "db2");
  cluster_.server("db3").replica->applier = false;
  EXPECT_THAT(problems(), HasSubstr("db3: its SQL thread does not run"));
}

// It stays below the same source: its filters are nobody else's affair.
TEST_P(TopologiesTest, AThirdTierReplicasFiltersAreItsOwn) {
  follow("db3", "db2");
  cluster_.server("db3").replication.filters["Replicate_Do_DB"] = "shop";
  EXPECT_THAT(problems(), IsEmpty());
  follow("db3", "db1");
  EXPECT_THAT(problems(), HasSubstr("filters differ"));
}

TEST_P(TopologiesTest, OfTwoThatFollowEachOtherTheWriterIsTheMaster) {
  follow("db1", "db2");
  ASSERT_TRUE(topology().ok()) << topology().error().message;
  EXPECT_EQ(topology().value().master, 0U);
  EXPECT_THAT(problems(), IsEmpty());
  cluster_.server("db2").read_only.read_only = ReadOnly::kOff;
  EXPECT_THAT(problems(), HasSubstr("error: two masters: db1, db2"));
  cluster_.server("db1").read_only.read_only = ReadOnly::kOn;
  cluster_.server("db2").read_only.read_only = ReadOnly::kOn;
  EXPECT_THAT(problems(), HasSubstr("error: no master"));
}

TEST_P(TopologiesTest, OfTwoMastersTheOtherTakesOver) {
  follow("db1", "db2");
  switch_to("db2");
  EXPECT_EQ(source_of("db2"), "") << "the ring is open";
  EXPECT_EQ(source_of("db1"), "db2");
  EXPECT_EQ(source_of("db3"), "db2");
  EXPECT_TRUE(replicates("db1"));
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db2"));
  EXPECT_THAT(cluster_.seen().vip_holders, ElementsAre("db2"));
  expect_everybody_gets_what_is_written("db2", {"db1", "db3"});
}

// Clients write on the new master at once, and the old one, which follows it, logs that as well:
// who still follows the old one must not get it there and then a second time from the new one.
TEST_P(TopologiesTest, WhatTheNewMasterTakesComesToNobodyTwice) {
  for (const bool ring : {false, true}) {
    EngineCluster cluster(GetParam().gtid_use, GetParam().family);
    if (ring) follow(cluster, "db1", "db2");
    FakeMysqlState& next = cluster.server("db2");
    cluster.server("db3").on_call = [&next](FakeMysqlState& /*db3*/, const std::string& /*call*/) {
      next.write();
    };
    const Outcome outcome = cluster.run();
    EXPECT_EQ(outcome.ending, Ending::kDone)
        << ring << (outcome.headline.has_value() ? outcome.headline->message : "");
    cluster.server("db3").on_call = nullptr;
    cluster.mysql.replicate();
    for (const std::string host : {"db1", "db3"}) {
      EXPECT_EQ(cluster.server(host).replica, (ReplicaThreads{true, true})) << host;
      EXPECT_EQ(mysql_gtids(cluster.server(host).replication.executed),
                mysql_gtids(next.replication.executed))
          << host;
    }
  }
}

TEST_P(TopologiesTest, OfTwoMastersAndAReplicaTheReplicaTakesOver) {
  follow("db1", "db2");
  switch_to("db3");
  EXPECT_EQ(source_of("db1"), "db3");
  EXPECT_EQ(source_of("db2"), "db3");
  EXPECT_EQ(source_of("db3"), "");
  expect_everybody_gets_what_is_written("db3", {"db1", "db2"});
}

TEST_P(TopologiesTest, AMasterWhoseOwnReplicationStandsStillIsAReason) {
  follow("db1", "db2");
  cluster_.server("db1").replica->applier = false;
  EXPECT_THAT(problems(), HasSubstr("db1: its SQL thread does not run"));
}

// What began is put back: its own replication runs again.
TEST_P(TopologiesTest, AMastersOwnReplicationIsPutBack) {
  follow("db1", "db2");
  FakeMysqlState& orig = cluster_.server("db1");
  orig.blockers.push_back({orig.add_thread("app"), "thread (app): LOCK TABLES"});
  const ClusterSeen found = cluster_.seen();
  EXPECT_EQ(cluster_.run().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.seen(), found);
}

// Nobody may take the idle master's death for that of the one who takes the writes.
TEST_P(TopologiesTest, TheIdleOneOfTwoMastersIsDead) {
  follow("db1", "db2");
  cluster_.server("db2").health = FakeHealth::kDown;
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  EXPECT_THAT(problems(), AllOf(HasSubstr("error: which host is the master is not certain: db2"),
                                HasSubstr("db1, which replicates from it, takes writes"),
                                Not(HasSubstr("mysql_failover"))));
}

// Before the point of no return: as it was found, and never two writers.
TEST_P(TopologiesTest, AFaultInEveryCallOfASwitchBetweenTwoMasters) {
  const auto make = [] {
    auto cluster = std::make_unique<EngineCluster>(GetParam().gtid_use, GetParam().family);
    follow(*cluster, "db1", "db2");
    return cluster;
  };
  const auto fine = make();
  const ClusterSeen found = fine->seen();
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->faults.count();
  int undone = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    const auto cluster = make();
    cluster->faults.fail_call(k, FaultTime::kAfter, {Code::kTimeout, "the injected fault"});
    const Outcome outcome = cluster->run();
    const ClusterSeen seen = cluster->seen();
    SCOPED_TRACE(fmt::format("call {} ({})", k, cluster->faults.calls().at(k - 1)));
    EXPECT_LE(seen.writers().size(), 1U) << seen;
    EXPECT_NE(outcome.ending, Ending::kNotUndone);
    if (outcome.ending != Ending::kUndone) continue;
    ++undone;
    EXPECT_EQ(seen, found);
  }
  EXPECT_GT(undone, 20);
}

INSTANTIATE_TEST_SUITE_P(
    Families, TopologiesTest,
    testing::Values(Kind{"MysqlGtid", GtidUse::kAuto, ServerFamily::kMysql},
                    Kind{"MysqlPosition", GtidUse::kNone, ServerFamily::kMysql},
                    Kind{"MariadbGtid", GtidUse::kAuto, ServerFamily::kMariadb},
                    Kind{"MariadbPosition", GtidUse::kNone, ServerFamily::kMariadb}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace mha
