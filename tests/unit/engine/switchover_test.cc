// The whole switch over fakes, and with a fault in every call of it.
#include "engine/switchover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "engine/steps_server.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Kind {
  std::string name;
  GtidUse gtid_use;
  ServerFamily family;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class SwitchoverTest : public testing::TestWithParam<Kind> {
 protected:
  static std::unique_ptr<EngineCluster> make() {
    auto cluster = std::make_unique<EngineCluster>(GetParam().gtid_use, GetParam().family);
    cluster->server("db1").replication.event_scheduler = true;
    cluster->use_semi_sync({"db2", "db3"});
    cluster->server("db1").add_thread("app");
    // "old" is disabled on the master, and on the replicas by replication like the other.
    for (const auto& [name, status] :
         {std::pair{"nightly", EventStatus::kEnabled}, std::pair{"old", EventStatus::kDisabled}}) {
      cluster->server("db1").put_event(
          {"shop", name, status, 0, "app@%", "latin1", "latin1_swedish_ci"});
    }
    cluster->mysql.replicate();
    return cluster;
  }
  // While clients write to db2, a COMMIT there waits for more semi-sync replicas than it has.
  static void watch_commits(EngineCluster& cluster, bool& would_wait) {
    cluster.server("db2").on_call = [&would_wait](FakeMysqlState& state, const std::string&) {
      const SemiSync& seen = state.replication.semi_sync;
      would_wait |= !state.read_only.blocks_writes() && seen.source_enabled &&
                    seen.replicas < seen.wanted_replicas;
    };
  }
  static std::string history(EngineCluster& cluster, const std::string& host) {
    return mysql_gtids(cluster.server(host).replication.executed);
  }
};

TEST_P(SwitchoverTest, Switches) {
  const auto cluster = make();
  const Outcome outcome = cluster->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  const ClusterSeen seen = cluster->seen();
  EXPECT_THAT(seen.writers(), ElementsAre("db2")) << seen;
  EXPECT_THAT(seen.vip_holders, ElementsAre("db2"));
  EXPECT_EQ(seen.servers.at("db1").source, "db2");
  EXPECT_EQ(seen.servers.at("db2").source, "");
  EXPECT_EQ(seen.servers.at("db3").source, "db2");
  EXPECT_FALSE(seen.servers.at("db1").events);
  EXPECT_TRUE(seen.servers.at("db2").events);
  cluster->mysql.replicate();
  EXPECT_THAT(cluster->seen().servers.at("db1").enabled_events, IsEmpty());
  EXPECT_THAT(seen.servers.at("db2").enabled_events, ElementsAre("shop.nightly"));
  EXPECT_THAT(seen.servers.at("db3").enabled_events, IsEmpty());
  EXPECT_TRUE(seen.servers.at("db2").semi_sync_source);
  EXPECT_FALSE(seen.servers.at("db1").semi_sync_source);
  EXPECT_TRUE(cluster->summary.downtime.has_value());
  EXPECT_THAT(cluster->server("db1").threads, IsEmpty());

  // The others get what is written now, and nothing twice.
  EXPECT_TRUE(cluster->server("db2").write(5));
  cluster->mysql.replicate();
  EXPECT_EQ(history(*cluster, "db1"), history(*cluster, "db2"));
  EXPECT_EQ(history(*cluster, "db3"), history(*cluster, "db2"));
  EXPECT_FALSE(find_unfinished_switch(cluster->request.cluster, cluster->environment()));
}

TEST_P(SwitchoverTest, ThereAndBack) {
  const auto cluster = make();
  const ClusterSeen found = cluster->seen();
  ASSERT_EQ(cluster->run().ending, Ending::kDone);
  cluster->clock.advance(Milliseconds{5});
  cluster->server("db2").write(2);
  cluster->conf("db2").candidate_master = false;
  cluster->conf("db1").candidate_master = true;
  const Outcome back = cluster->run();
  ASSERT_EQ(back.ending, Ending::kDone) << back.headline->message;
  cluster->mysql.replicate();
  EXPECT_EQ(cluster->seen(), found);
}

// Somebody whom read_only does not bind, and who came after the look, writes to the old master
// while its address goes: the candidate has that too in the end, and the others follow from there.
TEST_P(SwitchoverTest, WhatIsWrittenPastReadOnlyIsNotLost) {
  const auto cluster = make();
  bool has_written = false;
  cluster->server("db2").on_call = [&](FakeMysqlState& state, const std::string& call) {
    if (!call.ends_with(" stop_replica") || has_written) return;
    has_written = true;
    state.replica = ReplicaThreads{};  // before the write: it must fetch it once more
    cluster->server("db1").write_as_super(2);
  };
  const Outcome outcome = cluster->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  ASSERT_TRUE(has_written);
  cluster->mysql.replicate();
  for (const char* host : {"db1", "db3"}) {
    EXPECT_EQ(history(*cluster, host), history(*cluster, "db2")) << host;
  }
  const FakeHistory& all = cluster->server("db2").replication.executed;
  EXPECT_TRUE(contains(all, cluster->server("db1").replication.executed.back()));
  EXPECT_THAT(cluster->seen().writers(), ElementsAre("db2"));
}

// The original master passes on what it gets: who followed it by place and still did would get the
// new master's rows twice.
TEST_P(SwitchoverTest, ByPositionTheOriginalMasterIsRepointedLast) {
  const auto cluster = make();
  ASSERT_EQ(cluster->run().ending, Ending::kDone);
  const std::vector<std::string> calls = cluster->faults.calls();
  const auto at = [&calls](const std::string& call) {
    const auto found = std::ranges::find(calls, call);
    EXPECT_NE(found, calls.end()) << call;
    return found - calls.begin();
  };
  if (GetParam().gtid_use != GtidUse::kNone) return;
  EXPECT_LT(at("mysql db3:3306 replicate_from db2:3306"),
            at("mysql db1:3306 replicate_from db2:3306"));
}

// Somebody has altered the event on the replica itself: that is his, and stays.
TEST_P(SwitchoverTest, AnEventThatWasAlteredOnTheReplicaStaysAsItIs) {
  const auto cluster = make();
  for (ScheduledEvent& event : cluster->server("db2").replication.events) {
    if (event.name == "nightly") event.status = EventStatus::kDisabled;
  }
  ASSERT_EQ(cluster->run().ending, Ending::kDone);
  EXPECT_THAT(cluster->seen().servers.at("db2").enabled_events, IsEmpty());
  EXPECT_TRUE(cluster->log.has(LogLevel::kWarning, "stays disabled"));
}

// The old master is one of the two that each COMMIT waits for. Many confs have both roles on.
TEST_P(SwitchoverTest, SemiSyncComesOnceItsReplicasAreThere) {
  for (const bool is_source_already : {false, true}) {
    const auto cluster = make();
    cluster->server("db2").replication.semi_sync.wanted_replicas = 2;
    cluster->server("db2").replication.semi_sync.source_enabled = is_source_already;
    bool would_wait = false;
    watch_commits(*cluster, would_wait);
    const Outcome outcome = cluster->run();
    ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
    EXPECT_FALSE(would_wait);
    const SemiSync& seen = cluster->server("db2").replication.semi_sync;
    EXPECT_TRUE(seen.source_enabled);
    EXPECT_EQ(seen.replicas, 2U);
    EXPECT_TRUE(cluster->server("db1").replication.semi_sync.replica_enabled);
  }
}

TEST_P(SwitchoverTest, SemiSyncStaysOffWhereNoReplicaComes) {
  for (const OrigMaster orig_master : {OrigMaster::kStaysAlone, OrigMaster::kBecomesReplica}) {
    const auto cluster = make();
    cluster->request.limits.orig_master = orig_master;
    cluster->server("db3").replication.semi_sync.replica_enabled = false;
    const bool fails = orig_master == OrigMaster::kBecomesReplica;
    if (fails) {
      cluster->faults.fail_matching("mysql db1:3306 set_semi_sync replica ON", FaultTime::kBefore,
                                    {Code::kRefused, "the injected fault"});
    }
    bool would_wait = false;
    watch_commits(*cluster, would_wait);
    const Outcome outcome = cluster->run();
    EXPECT_EQ(outcome.ending, Ending::kIncomplete);
    EXPECT_FALSE(would_wait);
    EXPECT_FALSE(cluster->server("db2").replication.semi_sync.source_enabled);
    EXPECT_THAT(outcome.leftovers, SizeIs(fails ? 2 : 1));
    EXPECT_THAT(outcome.leftovers,
                Contains(AllOf(HasSubstr("'db2' is no semi-sync source"), HasSubstr("0 semi-sync"),
                               HasSubstr("SET GLOBAL rpl_semi_sync_master_enabled=ON"))));
  }
}

TEST_P(SwitchoverTest, ASemiSyncSourceThatWasOneIsOneAgainWhenUndone) {
  const auto cluster = make();
  cluster->server("db2").replication.semi_sync.source_enabled = true;
  cluster->faults.fail_matching("mysql db1:3306 set_read_only ON", FaultTime::kBefore,
                                {Code::kRefused, "the injected fault"});
  const ClusterSeen found = cluster->seen();
  EXPECT_EQ(cluster->run().ending, Ending::kUndone);
  EXPECT_EQ(cluster->seen(), found);
}

// A process that was killed has pointed the old master before it was a semi-sync replica.
TEST_P(SwitchoverTest, AReceiverThatBeganWithoutSemiSyncBeginsAnew) {
  const auto cluster = std::make_unique<EngineCluster>(GetParam().gtid_use, GetParam().family);
  cluster->use_semi_sync({});
  Environment environment = cluster->environment();
  const SemiSync& source = cluster->server("db1").replication.semi_sync;
  Node node(cluster->conf("db2").node, environment.ports);
  const Deadline deadline = cluster->clock.deadline_after(Milliseconds{10'000});
  for (int time = 0; time < 2; ++time) {
    const Status done = ensure_semi_sync_replica(node, cluster->log)->apply({}, deadline);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(cluster->server("db2").replica->receiver, time == 1);
    ASSERT_TRUE(node.mysql(deadline).value()->replication().start_replica(deadline).ok());
    cluster->mysql.replicate();
    EXPECT_EQ(source.replicas, 1U);
  }
}

// Where thousands are ended and log in again, the answer to the KILLs comes too late, and nobody
// else gets in for long.
TEST_P(SwitchoverTest, UndoNeedsNoLogin) {
  const auto cluster = make();
  const ClusterSeen found = cluster->seen();
  cluster->server("db1").on_call = [](FakeMysqlState& state, const std::string& call) {
    if (call.find(" kill ") == std::string::npos) return;
    state.connect_error = Error{Code::kTimeout, "no answer in time"};
  };
  cluster->faults.fail_matching("mysql db1:3306 kill", FaultTime::kAfter,
                                {Code::kTimeout, "no answer in time"}, 1);
  EXPECT_EQ(cluster->run().ending, Ending::kUndone);
  EXPECT_EQ(cluster->seen(), found);
}

// Before the point of no return: as it was found, or what is not is named. After it: forward. Never
// two writers.
TEST_P(SwitchoverTest, AFaultInEveryCall) {
  const auto fine = make();
  const ClusterSeen found = fine->seen();
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->faults.count();
  const ClusterSeen done = fine->seen();
  int undone = 0;
  int incomplete = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
      for (const Code code : {Code::kTimeout, Code::kRefused}) {
        const auto cluster = make();
        cluster->faults.fail_call(k, when, {code, "the injected fault"});
        const Outcome outcome = cluster->run();
        const ClusterSeen seen = cluster->seen();
        SCOPED_TRACE(fmt::format("call {} ({}) {} {}: {}", k, cluster->faults.calls().at(k - 1),
                                 when == FaultTime::kBefore ? "before" : "after", to_string(code),
                                 outcome.headline ? outcome.headline->message : ""));
        EXPECT_LE(seen.writers().size(), 1U) << seen;
        switch (outcome.ending) {
          case Ending::kDone:
            EXPECT_EQ(seen, done);
            break;
          case Ending::kUndone:
            ++undone;
            EXPECT_EQ(seen, found);
            EXPECT_THAT(outcome.leftovers, IsEmpty());
            break;
          case Ending::kIncomplete:
            ++incomplete;
            EXPECT_THAT(seen.writers(), ElementsAre("db2")) << seen;
            EXPECT_THAT(outcome.leftovers, testing::Not(IsEmpty()));
            break;
          case Ending::kNotUndone:
            ADD_FAILURE() << "one fault alone can be undone: " << seen;
            break;
        }
      }
    }
  }
  EXPECT_GT(undone, 50);
  EXPECT_GT(incomplete, 5);
}

// A process killed before call k, for every k, and clients who reach each server by its own address
// go on writing where they can: another process ends in one writable master with the address, which
// has all that they wrote.
TEST_P(SwitchoverTest, KilledAtEveryCall) {
  const auto fine = make();
  const ClusterSeen found = fine->seen();
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->faults.count();
  int rolled_back = 0;
  int resumed = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    const auto cluster = make();
    // From call k on nothing of this process reaches anybody, its undo included.
    for (std::size_t dead = k; dead < k + 400; ++dead) {
      cluster->faults.fail_call(dead, FaultTime::kBefore, {Code::kTimeout, "killed"});
    }
    cluster->run();
    cluster->faults.clear_faults();
    cluster->clock.advance(Milliseconds{5});
    forget_what_the_dead_noted(cluster->state_dir);
    FakeHistory written;
    for (const std::string& host : cluster->seen().writers()) {
      ASSERT_TRUE(cluster->server(host).write());
      written.push_back(cluster->server(host).replication.executed.back());
    }
    Environment environment = cluster->environment();
    std::optional<JournalFile> journal =
        find_unfinished_switch(cluster->request.cluster, environment);
    SCOPED_TRACE(fmt::format("killed before call {} ({})", k, fine->faults.calls().at(k - 1)));
    if (!journal.has_value()) {
      const ClusterSeen seen = cluster->seen();
      EXPECT_EQ(seen.writers().size(), 1U) << seen;
      continue;
    }
    const Result<Remedy> remedy =
        remedy_for_switch(cluster->request.cluster, *journal, environment);
    ASSERT_TRUE(remedy.ok()) << remedy.error().message;
    if (remedy.value() == Remedy::kCarryOn) {
      ++resumed;
      EXPECT_EQ(roll_back_switch(cluster->request.cluster, *journal, environment).ending,
                Ending::kNotUndone);
      const Outcome outcome = resume_switch(cluster->request, *journal, environment);
      EXPECT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
      EXPECT_THAT(cluster->seen().writers(), ElementsAre("db2"));
      EXPECT_THAT(cluster->seen().vip_holders, ElementsAre("db2"));
      EXPECT_THAT(cluster->seen().servers.at("db2").enabled_events, ElementsAre("shop.nightly"));
      for (const std::string host : {"db1", "db3"}) {
        EXPECT_EQ(cluster->server(host).replica, (ReplicaThreads{true, true})) << host;
      }
    } else {
      ++rolled_back;
      EXPECT_EQ(resume_switch(cluster->request, *journal, environment).ending, Ending::kUndone);
      const Outcome outcome = roll_back_switch(cluster->request.cluster, *journal, environment);
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_EQ(cluster->seen(), found);
    }
    const FakeHistory& kept =
        cluster->server(cluster->seen().writers().front()).replication.executed;
    for (const FakeTransaction& each : written) {
      EXPECT_TRUE(contains(kept, each)) << "lost what server " << each.server_id << " took";
    }
    EXPECT_FALSE(find_unfinished_switch(cluster->request.cluster, environment));
  }
  EXPECT_GT(rolled_back, 10);
  EXPECT_GT(resumed, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Families, SwitchoverTest,
    testing::Values(Kind{"MysqlGtid", GtidUse::kAuto, ServerFamily::kMysql},
                    Kind{"MysqlPosition", GtidUse::kNone, ServerFamily::kMysql},
                    Kind{"MariadbGtid", GtidUse::kAuto, ServerFamily::kMariadb},
                    Kind{"MariadbPosition", GtidUse::kNone, ServerFamily::kMariadb}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace mha
