// The whole failover over fakes, and with a fault in every call of it.
#include "engine/failover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "core/client_threads.h"
#include "engine/failover_cast.h"
#include "engine/steps_server.h"
#include "fakes/fake_event_files.h"
#include "fakes/fake_scripts.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Kind {
  std::string name;
  GtidUse gtid_use;
  ServerFamily family;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

// db1 was the master of db2 and db3, and is dead; its host answers unless a test says otherwise.
class DeadCluster {
 public:
  explicit DeadCluster(const Kind& kind) : cluster(kind.gtid_use, kind.family) {
    request.cluster = cluster.request.cluster;
    for (ClusterHost& host : request.cluster.hosts) host.binlog_dirs = {"/var/lib/mysql"};
    request.dead_host = "db1";
    cluster.mysql.replicate();
    cluster.ssh.add_host("db1")->set_answer(
        [this](const std::string& command) { return host_says(command); });
  }

  // `count` transactions that only db1's binary log has.
  void write_unseen(std::size_t count) {
    hold_receivers(true);
    cluster.server("db1").write_as_super(count);
    kill();
    cluster.mysql.replicate();
    hold_receivers(false);
  }
  // db3 alone receives `count` more.
  void write_for_db3(std::size_t count) {
    cluster.server("db2").replica->receiver = false;
    cluster.server("db1").write_as_super(count);
    cluster.mysql.replicate();
    cluster.server("db2").replica->receiver = true;
  }
  void kill() {
    cluster.server("db1").health = FakeHealth::kDown;
    server_runs = false;
  }
  void lose_host() {
    kill();
    cluster.ssh.set_health("db1", FakeHealth::kSilent);
    cluster.server("db1").health = FakeHealth::kSilent;
  }

  // `missing`: of the master's log it has all but so many.
  void add_binlog_server(const std::string& host, std::size_t missing) {
    cluster.ssh.add_host(host);
    BinlogServer server;
    server.id = "of_" + host;
    server.ssh.host = host;
    server.dirs = {"/var/binlogs"};
    request.cluster.binlog_servers.push_back(server);
    files.copy_binlog(host, "db1", cluster.server("db1").replication.binlog.size() - missing);
  }

  Outcome run() {
    Environment environment = cluster.environment();
    environment.scripts = &scripts;
    Failover failover(request, files, environment);
    Outcome outcome;
    outcome.ending = Ending::kUndone;
    Result<std::vector<Problem>> problems = failover.look();
    if (!problems.ok()) {
      outcome.headline = problems.error();
      return outcome;
    }
    if (!problems.value().empty()) {
      outcome.headline = Error{Code::kRefused, problems.value().front().text()};
      return outcome;
    }
    outcome = failover.run();
    summary = failover.summary();
    downtime = failover.operation_summary().downtime;
    leftovers = failover.operation_summary().leftovers;
    const TimePoint ended = cluster.clock.now();
    failover.outlast_who_waits();
    locks_kept = cluster.clock.now() - ended;
    locks_held = cluster.server("db2").locks.size();
    return outcome;
  }

  // The journal that the run has left, as one that was killed would have; nullopt where nothing
  // waits for an answer. Nothing fails any more.
  std::optional<JournalFile> left_by_the_killed() {
    cluster.faults.clear_faults();
    cluster.clock.advance(Milliseconds{5});
    forget_what_the_dead_noted(cluster.state_dir);
    const Environment environment = cluster.environment();
    return find_unfinished_failover(request.cluster, environment);
  }

  std::string history(const std::string& host) {
    return mysql_gtids(cluster.server(host).replication.executed);
  }

  EngineCluster cluster;
  FailoverRequest request;
  FailoverSummary summary;
  std::optional<TimePoint::duration> downtime;
  std::vector<std::string> leftovers;
  TimePoint::duration locks_kept{};  // after the failover's end
  std::size_t locks_held = 0;        // then, on db2
  FakeEventFiles files{cluster.mysql, cluster.faults};
  FakeScripts scripts{cluster.clock};
  bool server_runs = false;

 private:
  void hold_receivers(bool hold) {
    for (const char* host : {"db2", "db3"}) cluster.server(host).replica->receiver = !hold;
  }
  // As engine/remote_server.h asks: no server process there, or one that listens on 3306.
  Result<CommandOutput> host_says(const std::string& /*command*/) const {
    const char* const process =
        "listens=0CEA 100 555\nprocess=42\nname=mysqld\nstate=S\nparent=1\nuid=100\n"
        "fds=seen\nowns=555 \n";
    return CommandOutput{0, fmt::format("{}listed=yes\n", server_runs ? process : ""), ""};
  }
};

class FailoverTest : public testing::TestWithParam<Kind> {
 protected:
  static std::unique_ptr<DeadCluster> make() {
    auto dead = std::make_unique<DeadCluster>(GetParam());
    return dead;
  }
  static bool by_position() { return GetParam().gtid_use == GtidUse::kNone; }
  // Everything that a failover must come to, whatever it began with.
  static void expect_new_master(DeadCluster& dead, const std::string& next,
                                const std::string& replica) {
    const ClusterSeen seen = dead.cluster.seen();
    EXPECT_FALSE(seen.servers.at(next).read_only.blocks_writes()) << seen;
    EXPECT_TRUE(seen.servers.at(replica).read_only.blocks_writes()) << seen;
    EXPECT_THAT(seen.vip_holders, Contains(next));
    EXPECT_EQ(seen.servers.at(next).source, "");
    EXPECT_EQ(seen.servers.at(replica).source, next);
    EXPECT_TRUE(dead.cluster.server(next).write(2));
    dead.cluster.mysql.replicate();
    EXPECT_EQ(dead.history(replica), dead.history(next));
    EXPECT_EQ(dead.cluster.server(replica).replication.source.gtid_use, GetParam().gtid_use);
  }
};

TEST_P(FailoverTest, OfAKilledServer) {
  const auto dead = make();
  dead->kill();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db2", "db3");
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
  EXPECT_EQ(dead->summary.orig_master, "db1");
  EXPECT_EQ(dead->summary.new_master, "db2");
  EXPECT_THAT(dead->summary.new_replicas, ElementsAre("db3"));
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced) << dead->summary.fence.text();
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kNothing);
  EXPECT_TRUE(dead->downtime.has_value());
  Environment environment = dead->cluster.environment();
  EXPECT_FALSE(find_unfinished_failover(dead->request.cluster, environment));
}

// The cloud's interface may be gone with the master. Without a cloud the host itself cannot be
// reached.
TEST_P(FailoverTest, GoesOnWhereTheCloudDoesNotMoveTheAddress) {
  struct Case {
    VipType type;
    AddressTrouble trouble;
    Ending ending;
  };
  for (const Case& one : {Case{VipType::kAws, AddressTrouble::kIsTold, Ending::kIncomplete},
                          Case{VipType::kOpenstack, AddressTrouble::kIsTold, Ending::kIncomplete},
                          Case{VipType::kAws, AddressTrouble::kRefuses, Ending::kUndone},
                          Case{VipType::kMetal, AddressTrouble::kIsTold, Ending::kUndone}}) {
    const auto dead = make();
    dead->kill();
    dead->request.cloud_trouble = one.trouble;
    for (ClusterHost& host : dead->request.cluster.hosts) {
      host.node.settings.vip_type = one.type;
    }
    for (const char* call : {"vip db2 check", "vip db2 assign"}) {
      dead->cluster.faults.fail_matching(call, FaultTime::kBefore,
                                         {Code::kDenied, "the interface says no"});
    }
    const Outcome outcome = dead->run();
    EXPECT_EQ(outcome.ending, one.ending);
    ASSERT_TRUE(outcome.headline.has_value());
    EXPECT_THAT(outcome.headline->message, HasSubstr("the interface says no"));
    const bool promoted = one.ending == Ending::kIncomplete;
    EXPECT_EQ(dead->cluster.seen().servers.at("db2").read_only.blocks_writes(), !promoted);
    if (promoted) {
      EXPECT_THAT(outcome.headline->message, HasSubstr("by hand: add-vip-on db2"));
    }
    EXPECT_THAT(dead->cluster.seen().vip_holders, Not(Contains("db2")));
  }
}

// masterha_manager, which has looked at the replicas before, waits for its lock for a second.
TEST_P(FailoverTest, KeepsTheLocksUntilWhoWaitedHasGivenUp) {
  const auto dead = make();
  dead->kill();
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_GE(dead->locks_kept, Milliseconds{1'500});
  EXPECT_LE(dead->locks_kept, Milliseconds{1'600});
  EXPECT_EQ(dead->locks_held, 1U);
}

TEST_P(FailoverTest, SavesWhatOnlyTheDeadMasterHas) {
  const auto dead = make();
  dead->write_unseen(4);
  const std::string all = dead->history("db1");
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved);
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
  EXPECT_EQ(dead->history("db2"), all);
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, GetsWhatAnotherReplicaHasReceivedFirst) {
  const auto dead = make();
  dead->write_for_db3(3);
  dead->lose_host();
  const std::string all = dead->history("db3");
  ASSERT_NE(dead->history("db2"), all);
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kNotTried);
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, BringsAReplicaThatIsBehindUpToDate) {
  const auto dead = make();
  dead->write_for_db3(3);
  dead->kill();
  dead->request.wish.host = "db3";
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db3", "db2");
}

// As MariaDB's default is: what db3 has received is in its relay log alone.
TEST_P(FailoverTest, GetsWhatAnotherReplicaHasReceivedAndDoesNotLog) {
  const auto dead = make();
  dead->cluster.server("db3").replication.log_replica_updates = false;
  dead->write_for_db3(3);
  dead->lose_host();
  const std::string all = dead->history("db3");
  ASSERT_NE(dead->history("db2"), all);
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->history("db2"), all);
  expect_new_master(*dead, "db2", "db3");
}

// It has logged a part, from which its GTIDs seem to go on.
TEST_P(FailoverTest, GetsWhatAnotherReplicaHasReceivedAndLoggedInPart) {
  const auto dead = make();
  dead->cluster.server("db3").replication.log_replica_updates = false;
  dead->cluster.server("db1").write_as_super(1);
  dead->cluster.mysql.replicate();
  FakeReplicationState& partly = dead->cluster.server("db3").replication;
  ASSERT_EQ(partly.binlog.size() + 1, partly.executed.size());
  dead->write_for_db3(3);
  dead->lose_host();
  const std::string all = dead->history("db3");
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->history("db2"), all);
  expect_new_master(*dead, "db2", "db3");
}

// What came from a relay log is not asked for once more, when the failover is undone and the dead
// master comes back.
TEST_P(FailoverTest, PutsBackWhatHasGotADifferenceFromARelayLog) {
  const auto dead = make();
  dead->cluster.server("db3").replication.log_replica_updates = false;
  dead->write_for_db3(3);
  dead->lose_host();
  dead->request.salvage = SalvageMode::kRequire;
  const std::string all = dead->history("db3");
  const ClusterSeen found = dead->cluster.seen();
  EXPECT_EQ(dead->run().ending, Ending::kUndone);
  EXPECT_EQ(dead->cluster.seen(), found);
  EXPECT_EQ(dead->history("db2"), all);
  dead->cluster.server("db1").health = FakeHealth::kUp;
  dead->cluster.server("db1").write_as_super(1);
  dead->cluster.mysql.replicate();
  EXPECT_EQ(dead->history("db2"), dead->history("db1"));
  EXPECT_EQ(dead->cluster.server("db2").replica, (ReplicaThreads{true, true}));
}

// What was brought over as a client does it must not come once more from a master that is back
// after all, whether the failover itself turned back or was killed.
TEST_P(FailoverTest, PutsBackBehindWhatWasBroughtOver) {
  for (const bool is_killed : {false, true}) {
    for (const bool from_db3_too : {false, true}) {
      const auto prepare = [from_db3_too] {
        auto dead = make();
        if (from_db3_too) {
          dead->cluster.server("db3").replication.log_replica_updates = false;
          dead->write_for_db3(2);
        }
        dead->write_unseen(3);
        return dead;
      };
      const auto dead = prepare();
      const std::string all = dead->history("db1");
      const ClusterSeen found = dead->cluster.seen();
      const std::string last = "mysql db2:3306 set_read_only OFF";
      if (is_killed) {
        const auto fine = prepare();
        fine->run();
        std::size_t killed = 1;
        for (const std::string& call : fine->cluster.faults.calls()) {
          if (call.starts_with(last)) break;
          ++killed;
        }
        for (std::size_t lost = killed; lost < killed + 400; ++lost) {
          dead->cluster.faults.fail_call(lost, FaultTime::kBefore, {Code::kTimeout, "killed"});
        }
        dead->run();
        const auto journal = dead->left_by_the_killed();
        ASSERT_TRUE(journal.has_value());
        Environment environment = dead->cluster.environment();
        EXPECT_EQ(roll_back_failover(dead->request.cluster, *journal, environment).ending,
                  Ending::kUndone);
      } else {
        dead->cluster.faults.fail_matching(last, FaultTime::kBefore,
                                           {Code::kRefused, "a lock is in the way"});
        EXPECT_EQ(dead->run().ending, Ending::kUndone);
      }
      EXPECT_EQ(dead->history("db2"), all);
      EXPECT_EQ(dead->cluster.seen().servers.at("db2"), found.servers.at("db2"));
      dead->cluster.server("db1").health = FakeHealth::kUp;
      dead->cluster.server("db1").write_as_super(1);
      dead->cluster.mysql.replicate();
      EXPECT_EQ(dead->history("db2"), dead->history("db1"));
      EXPECT_EQ(dead->history("db3"), dead->history("db1"));
      EXPECT_EQ(dead->cluster.server("db2").replica, (ReplicaThreads{true, true}));
    }
  }
}

// Where it broke off, how far the dead master's log was applied nobody knows, unless GTIDs tell.
TEST_P(FailoverTest, WhatWasBroughtOverInPartIsTold) {
  const bool is_told =
      GetParam().family == ServerFamily::kMysql && GetParam().gtid_use != GtidUse::kNone;
  const auto dead = make();
  dead->write_unseen(3);
  dead->request.salvage = SalvageMode::kRequire;
  dead->cluster.faults.fail_matching("files apply", FaultTime::kAfter,
                                     {Code::kUnreachable, "the connection is lost"});
  EXPECT_EQ(dead->run().ending, Ending::kUndone);
  const auto part = Contains(HasSubstr("a part of what was to be brought over is on db2"));
  if (is_told) {
    EXPECT_THAT(dead->leftovers, Not(part));
  } else {
    EXPECT_THAT(dead->leftovers, part);
  }
}

// With MariaDB's default everywhere: two that are equal need nothing of each other's log.
TEST_P(FailoverTest, ANewMasterThatDoesNotLogIsFineWhereNobodyIsBehindIt) {
  for (const std::size_t unseen : {0, 2}) {
    const auto dead = make();
    for (const char* host : {"db2", "db3"}) {
      dead->cluster.server(host).replication.log_replica_updates = false;
    }
    dead->cluster.server("db1").write_as_super(2);
    dead->cluster.mysql.replicate();
    dead->write_unseen(unseen);
    const std::string all = dead->history("db1");
    const Outcome outcome = dead->run();
    ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
    EXPECT_EQ(dead->history("db2"), all);
    expect_new_master(*dead, "db2", "db3");
  }
}

// It would leave out what db2 lacks, with no error.
TEST_P(FailoverTest, ANewMasterThatDoesNotLogGivesNothingToWhoIsBehind) {
  const auto dead = make();
  dead->cluster.server("db3").replication.log_replica_updates = false;
  dead->write_for_db3(3);
  dead->kill();
  dead->request.wish.host = "db3";
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  if (by_position()) {
    ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
    expect_new_master(*dead, "db3", "db2");
    return;
  }
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, AllOf(HasSubstr("db3: it cannot be the new master: it "
                                                         "does not log what it replicates"),
                                               HasSubstr("db2 has received less")));
  EXPECT_EQ(dead->cluster.seen(), found);
}

// Nobody was behind when the hosts were looked at.
TEST_P(FailoverTest, ANewMasterThatDoesNotLogIsRefusedWhenSomebodyFallsBehind) {
  if (by_position()) return;
  const auto dead = make();
  dead->cluster.server("db2").replication.log_replica_updates = false;
  dead->kill();
  dead->cluster.server("db2").on_call = [&](FakeMysqlState& state, const std::string& call) {
    if (!call.ends_with(" stop_receiver")) return;
    state.replication.received += 1;
  };
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("'db3' has received less than"), HasSubstr("--new_master_host=db3")));
  EXPECT_EQ(dead->cluster.seen().servers, found.servers);
}

// Its numbers are higher than those of what it lacks.
TEST_P(FailoverTest, WhatTheNewMasterHasOfItsOwnHidesNothing) {
  if (GetParam().family != ServerFamily::kMariadb) return;
  const auto dead = make();
  dead->cluster.server("db3").replication.log_replica_updates = false;
  dead->cluster.server("db3").replication.binlog.clear();
  dead->write_for_db3(3);
  dead->kill();
  dead->cluster.server("db2").write_as_super(9);
  const FakeHistory all = dead->cluster.server("db3").replication.executed;
  dead->run();
  EXPECT_EQ(dead->summary.new_master, "db2");
  for (const FakeTransaction& each : all) {
    EXPECT_TRUE(contains(dead->cluster.server("db2").replication.executed, each)) << each.number;
  }
}

// db3 applies what it has an hour later.
TEST_P(FailoverTest, ADelayedReplicaThatHasMostIsNotWaitedFor) {
  const auto dead = make();
  FakeReplicationState& delayed = dead->cluster.server("db3").replication;
  delayed.delay = std::chrono::hours{1};
  delayed.applier_held = true;
  dead->write_for_db3(3);
  dead->kill();
  const std::string all = dead->history("db1");
  const Milliseconds began = dead->cluster.clock.elapsed();
  const Outcome outcome = dead->run();
  EXPECT_LT(dead->cluster.clock.elapsed() - began, Milliseconds{90'000});
  ASSERT_TRUE(dead->downtime.has_value()) << outcome.headline->message;
  EXPECT_LT(*dead->downtime, Milliseconds{10'000});
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kNothing);
  if (by_position()) {
    EXPECT_EQ(outcome.ending, Ending::kIncomplete) << "its relay log has what it lacks";
    EXPECT_THAT(outcome.leftovers, Contains(AllOf(HasSubstr("delayed on purpose, by 3600 s"),
                                                  HasSubstr("once it has applied"))));
    return;
  }
  EXPECT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  delayed.applier_held = false;
  expect_new_master(*dead, "db2", "db3");
}

// What db2 replicates from for a moment is gone, or lacks what is asked for.
TEST_P(FailoverTest, ASourceOfTheDifferenceThatFailsIsNotWaitedForForAnHour) {
  if (GetParam().name == "MysqlPosition") return;
  for (const bool dies : {true, false}) {
    const auto dead = make();
    dead->write_for_db3(3);
    dead->kill();
    dead->cluster.server("db2").on_call = [&](FakeMysqlState& state, const std::string& call) {
      if (!call.ends_with(" wait_until_replicated")) return;
      state.replication.relay_log.clear();
      state.replication.applier_held = false;
      if (dies) {
        state.replication.connected = false;
        state.replication.receiver_error = {2003, "error connecting to master"};
      } else {
        state.replica->receiver = false;
        state.replication.receiver_error = {1236, "it has purged binary logs"};
      }
    };
    FakeReplicationState& next = dead->cluster.server("db2").replication;
    next.applier_held = true;
    const Milliseconds began = dead->cluster.clock.elapsed();
    const Outcome outcome = dead->run();
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    EXPECT_LT(dead->cluster.clock.elapsed() - began, Milliseconds{60'000});
    EXPECT_THAT(outcome.headline->message,
                AllOf(HasSubstr("does not get what"), HasSubstr(dies ? "2003" : "1236")));
  }
}

// What it has received may be what nobody else has.
TEST_P(FailoverTest, AReplicaThatDoesNotAnswerAnyMoreEndsIt) {
  for (const bool may_fail : {false, true}) {
    const auto dead = make();
    dead->write_for_db3(3);
    dead->lose_host();
    dead->request.cluster.hosts[2].ignore_fail = may_fail;
    FakeMysqlState& lost = dead->cluster.server("db3");
    dead->cluster.faults.on_begin = [&lost](const std::string& call) {
      if (call == "mysql db3:3306 state" && !lost.replica->receiver)
        lost.health = FakeHealth::kDown;
    };
    const Outcome outcome = dead->run();
    const ClusterSeen seen = dead->cluster.seen();
    EXPECT_EQ(seen.servers.at("db2").read_only.blocks_writes(), !may_fail) << seen;
    ASSERT_TRUE(outcome.headline.has_value());
    if (may_fail) {
      EXPECT_EQ(outcome.ending, Ending::kIncomplete);
      EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db3")));
    } else {
      EXPECT_EQ(outcome.ending, Ending::kNotUndone) << "its receiver cannot be started again";
      EXPECT_THAT(outcome.headline->message,
                  AllOf(HasSubstr("'db3' cannot be asked for what it has received"),
                        HasSubstr("ignore_fail=1")));
    }
  }
}

TEST_P(FailoverTest, ASessionThatWasLostIsOpenedOnceMore) {
  const auto dead = make();
  dead->write_for_db3(3);
  dead->lose_host();
  const std::string all = dead->history("db3");
  FakeMysqlState& lost = dead->cluster.server("db3");
  bool once = false;
  dead->cluster.faults.on_begin = [&](const std::string& call) {
    if (call != "mysql db3:3306 state" || lost.replica->receiver || once) return;
    once = true;
    lost.sessions.clear();
  };
  const Outcome outcome = dead->run();
  EXPECT_TRUE(once);
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->history("db2"), all);
  expect_new_master(*dead, "db2", "db3");
}

// By the writer's address, say: it would be no witness, and neither asked nor pointed anywhere.
TEST_P(FailoverTest, AReplicaWhoseSourceTheConfDoesNotKnowIsAReason) {
  struct Case {
    bool ignore_fail;
    Belief belief;
  };
  for (const Case& one : {Case{false, Belief::kConfirmed}, Case{true, Belief::kConfirmed},
                          Case{false, Belief::kForced}}) {
    const auto dead = make();
    dead->cluster.server("db3").replication.source.host = "10.0.0.100";
    dead->kill();
    dead->request.cluster.hosts[2].ignore_fail = one.ignore_fail;
    dead->request.belief = one.belief;
    const ClusterSeen found = dead->cluster.seen();
    const Outcome outcome = dead->run();
    if (!one.ignore_fail && one.belief == Belief::kConfirmed) {
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_THAT(outcome.headline->message,
                  AllOf(HasSubstr("db3: it replicates from 10.0.0.100:3306, which the conf does "
                                  "not have"),
                        HasSubstr("ignore_fail=1")));
      EXPECT_EQ(dead->cluster.seen(), found);
      continue;
    }
    ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
    EXPECT_THAT(dead->leftovers, ElementsAre(AllOf(HasSubstr("db3 replicates from 10.0.0.100:3306"),
                                                   HasSubstr("was left so"), HasSubstr("db2"))));
  }
}

TEST_P(FailoverTest, PrefersWhoHasReceivedMostWhereNobodyIsMarked) {
  const auto dead = make();
  for (ClusterHost& host : dead->request.cluster.hosts) host.candidate_master = false;
  dead->write_for_db3(2);
  dead->kill();
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_EQ(dead->summary.new_master, "db3");
}

TEST_P(FailoverTest, SaysNotFencedOfAHostThatIsGone) {
  const auto dead = make();
  dead->lose_host();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kNotFenced);
  EXPECT_THAT(dead->summary.fence.text(), HasSubstr("NOT FENCED"));
  expect_new_master(*dead, "db2", "db3");
}

// Silent for all of the patience, and back while the new master catches up.
TEST_P(FailoverTest, FencesAndSalvagesFromAHostThatAnswersBeforeThePromotion) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->lose_host();
  dead->cluster.server("db2").on_call = [&](FakeMysqlState&, const std::string& call) {
    if (call.find("wait_until_relay_log_applied") == std::string::npos) return;
    // Nothing else moves the clock so far: the call has been made, and heard nothing.
    while (dead->cluster.clock.elapsed() < Milliseconds{3000}) std::this_thread::yield();
    dead->cluster.ssh.set_health("db1", FakeHealth::kUp);
    dead->cluster.clock.advance(Milliseconds{5000});
  };
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced) << dead->summary.fence.text();
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved) << dead->summary.salvage.why;
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, SalvagesFromTheBinlogServerThatHasMost) {
  const auto dead = make();
  dead->write_unseen(4);
  const std::string all = dead->history("db1");
  dead->lose_host();
  dead->add_binlog_server("bl1", 3);
  dead->add_binlog_server("bl2", 0);
  dead->add_binlog_server("bl3", 1);
  dead->add_binlog_server("bl4", 0);
  dead->cluster.ssh.set_health("bl4", FakeHealth::kDown);
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved) << dead->summary.salvage.why;
  EXPECT_THAT(dead->summary.salvage.from, HasSubstr("bl2"));
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_THAT(dead->leftovers, Contains(AllOf(HasSubstr("bl2"), HasSubstr("had not got yet"))))
      << "nobody can say that it has all";
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, TheMastersOwnLogsComeBeforeTheBinlogServers) {
  const auto dead = make();
  dead->write_unseen(4);
  dead->add_binlog_server("bl1", 2);
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_EQ(dead->summary.salvage.from, "");
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
}

TEST_P(FailoverTest, BinlogServersAreAskedWhereTheMastersLogsCannotBeRead) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->add_binlog_server("bl1", 0);
  dead->cluster.faults.fail_matching("files db1 fetch_binlog", FaultTime::kBefore,
                                     {Code::kRefused, "the disk is broken"});
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_THAT(dead->summary.salvage.from, HasSubstr("bl1"));
  EXPECT_EQ(dead->history("db2"), all);
}

TEST_P(FailoverTest, BinlogServersThatAreGoneSaveNothing) {
  for (const SalvageMode mode : {SalvageMode::kAuto, SalvageMode::kRequire}) {
    const auto dead = make();
    dead->write_unseen(2);
    dead->lose_host();
    dead->add_binlog_server("bl1", 0);
    dead->cluster.ssh.set_health("bl1", FakeHealth::kSilent);
    dead->request.salvage = mode;
    const ClusterSeen found = dead->cluster.seen();
    const Outcome outcome = dead->run();
    EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kFailed);
    EXPECT_THAT(dead->summary.salvage.why,
                AllOf(HasSubstr("does not answer SSH"), HasSubstr("binlog server bl1 (of_bl1): ")));
    if (mode == SalvageMode::kRequire) {
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_EQ(dead->cluster.seen(), found);
    } else {
      EXPECT_EQ(outcome.ending, Ending::kDone);
      EXPECT_THAT(dead->leftovers, Contains(HasSubstr("what only db1 had is not on db2")));
    }
  }
}

// Transactions are behind it that nobody can read.
TEST_P(FailoverTest, OfADamagedLogAPartIsSalvaged) {
  for (const std::size_t readable : {0, 1}) {
    const auto dead = make();
    const std::size_t before = dead->cluster.server("db1").replication.binlog.size();
    dead->write_unseen(3);
    dead->files.damage_binlog("db1", before + readable);
    const Outcome outcome = dead->run();
    EXPECT_EQ(outcome.ending, Ending::kIncomplete);
    EXPECT_THAT(outcome.leftovers, ElementsAre(AllOf(HasSubstr("salvaged in part only"),
                                                     HasSubstr("'db1' is damaged at"),
                                                     HasSubstr("keep its binary logs"))));
    EXPECT_THAT(dead->leftovers, IsEmpty()) << "said once";
    EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kInPart);
    const OperationSummary summary = operation_summary_of(dead->summary);
    EXPECT_THAT(summary.salvaged, SizeIs(readable));
    EXPECT_THAT(summary.lost, IsEmpty());
    EXPECT_EQ(dead->cluster.server("db2").replication.executed.size(), before + readable);
    expect_new_master(*dead, "db2", "db3");
  }
}

TEST_P(FailoverTest, RequiredSalvageIsAllOfIt) {
  const auto dead = make();
  const std::size_t before = dead->cluster.server("db1").replication.binlog.size();
  dead->write_unseen(3);
  dead->files.damage_binlog("db1", before + 1);
  dead->request.salvage = SalvageMode::kRequire;
  const ClusterSeen found = dead->cluster.seen();
  const std::string had = dead->history("db2");
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("--salvage=require"), HasSubstr("is damaged at")));
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kFailed);
  EXPECT_EQ(dead->cluster.seen().servers, found.servers);
  EXPECT_EQ(dead->history("db2"), had);
}

// Who carries it on says so too.
TEST_P(FailoverTest, WhatWasSalvagedInPartIsRemembered) {
  const auto dead = make();
  const std::size_t before = dead->cluster.server("db1").replication.binlog.size();
  dead->write_unseen(2);
  dead->files.damage_binlog("db1", before);
  // From there on nothing of this process reaches anybody.
  bool is_killed = false;
  dead->cluster.faults.on_begin = [&](const std::string& call) {
    if (is_killed || call.find("vip db2 assign") == std::string::npos) return;
    is_killed = true;
    dead->cluster.faults.fail_matching("", FaultTime::kBefore, {Code::kTimeout, "killed"});
  };
  dead->run();
  dead->cluster.faults.on_begin = nullptr;
  const auto journal = dead->left_by_the_killed();
  ASSERT_TRUE(journal.has_value());
  Environment environment = dead->cluster.environment();
  const ResumedFailover done = resume_failover(dead->request, *journal, dead->files, environment);
  EXPECT_EQ(done.outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(done.outcome.leftovers, Contains(HasSubstr("salvaged in part only")));
  EXPECT_THAT(done.operation_summary.leftovers, Not(Contains(HasSubstr("binary log")))) << "once";
}

TEST_P(FailoverTest, SemiSyncIsOnOnlyWhereAReplicaIs) {
  for (const bool is_source_already : {false, true}) {
    for (const std::vector<std::string>& replicas :
         {std::vector<std::string>{"db2", "db3"}, std::vector<std::string>{"db2"}}) {
      const auto dead = make();
      dead->cluster.use_semi_sync(replicas);
      dead->kill();
      FakeMysqlState& next = dead->cluster.server("db2");
      next.replication.semi_sync.source_enabled = is_source_already;
      bool is_freed = false;
      bool would_wait = false;
      next.on_call = [&](FakeMysqlState& state, const std::string& call) {
        const SemiSync& seen = state.replication.semi_sync;
        would_wait |= is_freed && seen.source_enabled && seen.replicas == 0;
        if (!call.ends_with("set_semi_sync source OFF")) return;
        is_freed = true;
        state.replication.semi_sync.source_enabled = false;
      };
      const bool comes = replicas.size() == 2;
      const Outcome outcome = dead->run();
      EXPECT_EQ(outcome.ending, comes ? Ending::kDone : Ending::kIncomplete);
      EXPECT_TRUE(is_freed);
      EXPECT_FALSE(would_wait);
      EXPECT_EQ(next.replication.semi_sync.source_enabled, comes);
      EXPECT_EQ(next.replication.semi_sync.replicas, comes ? 1U : 0U);
      if (comes) continue;
      EXPECT_THAT(outcome.leftovers,
                  ElementsAre(AllOf(HasSubstr("'db2' is no semi-sync source"),
                                    HasSubstr("SET GLOBAL rpl_semi_sync_master_enabled=ON"))));
    }
  }
}

// Nobody is left to come.
TEST_P(FailoverTest, SemiSyncWithoutAnyReplicaIsNotWaitedFor) {
  const auto dead = make();
  dead->cluster.use_semi_sync({"db2"});
  dead->kill();
  std::erase_if(dead->request.cluster.hosts,
                [](const ClusterHost& host) { return host.node.host == "db3"; });
  const Milliseconds began = dead->cluster.clock.elapsed();
  EXPECT_EQ(dead->run().ending, Ending::kIncomplete);
  EXPECT_LT(dead->cluster.clock.elapsed() - began, kSemiSyncReplicasCome);
  EXPECT_FALSE(dead->cluster.server("db2").replication.semi_sync.source_enabled);
}

TEST_P(FailoverTest, RequiredFencingEndsIt) {
  const auto dead = make();
  dead->lose_host();
  dead->request.fencing = Fencing::kRequired;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("NOT FENCED"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

TEST_P(FailoverTest, RequiredSalvageEndsIt) {
  const auto dead = make();
  dead->lose_host();
  dead->request.salvage = SalvageMode::kRequire;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("--salvage=require"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

// The dead master is not given back what was taken from it; who reads the report is told.
TEST_P(FailoverTest, AnUndoneOneSaysThatTheFenceStays) {
  const auto dead = make();
  dead->kill();
  dead->request.salvage = SalvageMode::kRequire;
  for (ClusterHost& host : dead->request.cluster.hosts) host.binlog_dirs.clear();
  EXPECT_EQ(dead->run().ending, Ending::kUndone);
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced);
  EXPECT_THAT(dead->leftovers,
              Contains(AllOf(HasSubstr("'db1' stays fenced"), HasSubstr("run this again"))));
}

TEST_P(FailoverTest, ALivingMasterIsNotDead) {
  const auto dead = make();
  dead->server_runs = true;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db1: it is not dead"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

// A failover that nobody finished has made db2 the master: a second one must not make another.
TEST_P(FailoverTest, AnotherHostThatIsTheMasterIsAReason) {
  for (const bool has_address : {true, false}) {
    const auto dead = make();
    dead->kill();
    FakeMysqlState& other = dead->cluster.server("db2");
    other.replica.reset();
    other.replication.source = {};
    other.read_only.read_only = ReadOnly::kOff;
    dead->cluster.vip.set_holders({"db2"});
    for (ClusterHost& host : dead->request.cluster.hosts) {
      if (has_address) continue;
      host.node.settings.vip_type = VipType::kNone;
      host.node.settings.writer_vip.reset();
    }
    const ClusterSeen found = dead->cluster.seen();
    const Outcome outcome = dead->run();
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    EXPECT_THAT(outcome.headline->message,
                HasSubstr(has_address ? "db2: it has the virtual IP" : "db2: it takes writes"));
    EXPECT_EQ(dead->cluster.seen(), found);
  }
}

// Of two masters the idle one has died: the other one goes on.
TEST_P(FailoverTest, TheIdleOneOfTwoMastersNeedsNoSuccessor) {
  const auto dead = make();
  dead->cluster.mysql.follow("db1:3306", "db2:3306", GetParam().gtid_use);
  dead->request.dead_host = "db2";
  dead->cluster.server("db2").health = FakeHealth::kDown;
  dead->cluster.ssh.add_host("db2")->set_answer([](const std::string& /*command*/) {
    return CommandOutput{0, "pgrep=1\n", ""};
  });
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db1: it has the virtual IP"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

TEST_P(FailoverTest, SaysWhatAReplicaAloneHas) {
  const auto dead = make();
  dead->cluster.server("db3").write_as_super(1);
  dead->kill();
  const Ending ending = dead->run().ending;
  // MariaDB refuses a replica whose last GTID the new master does not have.
  const bool is_refused = GetParam().name == "MariadbGtid";
  EXPECT_EQ(ending, is_refused ? Ending::kIncomplete : Ending::kDone);
  if (by_position() && GetParam().family == ServerFamily::kMysql) {
    EXPECT_THAT(dead->leftovers, IsEmpty()) << "without GTIDs nobody can tell";
  } else {
    EXPECT_THAT(dead->leftovers, ElementsAre(HasSubstr("db3 has transactions of its own")));
  }
}

TEST_P(FailoverTest, AReplicaIsNoMaster) {
  const auto dead = make();
  dead->request.dead_host = "db3";
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db3 is not the master of any living host"));
}

TEST_P(FailoverTest, AStoppedSqlThreadIsStarted) {
  const auto dead = make();
  dead->cluster.server("db2").replica->applier = false;
  dead->cluster.server("db1").write(2);
  dead->cluster.mysql.replicate();
  dead->kill();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db2", "db3");
}

// Once the new master writes: a host without power has no binary log to save.
TEST_P(FailoverTest, ShutdownScriptComesLastWhereItWasNotNeeded) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->request.cluster.hosts[0].scripts.shutdown = "/usr/local/bin/power_off";
  std::string had;
  dead->scripts.on("power_off", [&] {
    had = dead->history("db2");
    EXPECT_FALSE(dead->cluster.server("db2").read_only.blocks_writes());
    return 1;
  });
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete) << "it may still have power";
  EXPECT_THAT(dead->scripts.commands(), ElementsAre(HasSubstr("--command=stopssh")));
  EXPECT_EQ(had, all);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("shutdown_script failed (exit 1)")));
}

// A process that died before the shutdown_script and the report leaves both to the one that carries
// on.
TEST_P(FailoverTest, WhoCarriesOnNamesTheEventsAndShutsTheHostDown) {
  const auto dead = make();
  dead->kill();
  dead->request.cluster.hosts[0].scripts.shutdown = "/usr/local/bin/power_off";
  FakeMysqlState& next = dead->cluster.server("db2");
  ScheduledEvent& event = next.replication.events.emplace_back();
  event.schema = "app";
  event.name = "nightly";
  event.status = EventStatus::kDisabledOnReplica;
  dead->cluster.faults.fail_matching("mysql db3:3306 replicate_from db2:3306", FaultTime::kBefore,
                                     {Code::kTimeout, "killed"});
  EXPECT_EQ(dead->run().ending, Ending::kIncomplete);
  EXPECT_THAT(dead->leftovers, Contains(HasSubstr("app.nightly")));
  EXPECT_THAT(dead->scripts.commands(), SizeIs(1));
  const auto journal = dead->left_by_the_killed();
  Environment environment = dead->cluster.environment();
  environment.scripts = &dead->scripts;
  ASSERT_TRUE(journal.has_value());
  const ResumedFailover done = resume_failover(dead->request, *journal, dead->files, environment);
  EXPECT_EQ(done.outcome.ending, Ending::kDone) << done.outcome.headline->message;
  EXPECT_THAT(done.operation_summary.leftovers, Contains(HasSubstr("app.nightly")));
  EXPECT_THAT(dead->scripts.commands(), SizeIs(2));
}

// masterha_manager may have begun one of its own meanwhile.
TEST_P(FailoverTest, IsNeitherCarriedOnNorPutBackBesideAnother) {
  for (const char* lost :
       {"mysql db3:3306 replicate_from db2:3306", "mysql db2:3306 set_read_only"}) {
    const auto dead = make();
    dead->kill();
    dead->cluster.faults.fail_matching(lost, FaultTime::kBefore, {Code::kTimeout, "killed"});
    dead->run();
    const auto journal = dead->left_by_the_killed();
    Environment environment = dead->cluster.environment();
    ASSERT_TRUE(journal.has_value()) << lost;
    dead->cluster.server("db3").locks[kMhaFailoverLock] = 4711;
    const ClusterSeen before = dead->cluster.seen();
    const Outcome outcome =
        summarize(*journal).past_point_of_no_return
            ? resume_failover(dead->request, *journal, dead->files, environment).outcome
            : roll_back_failover(dead->request.cluster, *journal, environment);
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    ASSERT_TRUE(outcome.headline.has_value()) << lost;
    EXPECT_THAT(outcome.headline->message, HasSubstr("another failover is at work")) << lost;
    EXPECT_EQ(dead->cluster.seen(), before);
  }
}

TEST_P(FailoverTest, AReplicaThatFailsDoesNotStopTheOthers) {
  const auto dead = make();
  dead->kill();
  dead->cluster.faults.fail_matching("mysql db3:3306 replicate_from db2:3306", FaultTime::kBefore,
                                     {Code::kRefused, "no"});
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db3")));
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
}

// Before the point of no return: the replicas are as they were found, or what is not is named.
// After it: forward.
TEST_P(FailoverTest, AFaultInEveryCall) {
  const auto prepare = [] {
    auto dead = make();
    dead->cluster.use_semi_sync({"db2", "db3"});
    dead->write_for_db3(1);
    dead->write_unseen(2);
    return dead;
  };
  const auto fine = prepare();
  const ClusterSeen found = fine->cluster.seen();
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->cluster.faults.count();
  int undone = 0;
  int forward = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
      for (const Code code : {Code::kTimeout, Code::kRefused}) {
        const auto dead = prepare();
        dead->cluster.faults.fail_call(k, when, {code, "the injected fault"});
        const Outcome outcome = dead->run();
        const ClusterSeen seen = dead->cluster.seen();
        SCOPED_TRACE(fmt::format("call {} ({}) {} {}: {}", k,
                                 dead->cluster.faults.calls().at(k - 1),
                                 when == FaultTime::kBefore ? "before" : "after", to_string(code),
                                 outcome.headline ? outcome.headline->message : ""));
        EXPECT_TRUE(seen.servers.at("db3").read_only.blocks_writes()) << seen;
        switch (outcome.ending) {
          case Ending::kDone:
          case Ending::kIncomplete:
            ++forward;
            EXPECT_FALSE(seen.servers.at("db2").read_only.blocks_writes()) << seen;
            EXPECT_EQ(outcome.leftovers.empty(), outcome.ending == Ending::kDone);
            break;
          case Ending::kUndone:
            ++undone;
            EXPECT_EQ(seen.servers, found.servers);
            EXPECT_THAT(outcome.leftovers, IsEmpty());
            break;
          case Ending::kNotUndone:
            ADD_FAILURE() << "one fault alone can be undone: " << seen;
            break;
        }
      }
    }
  }
  EXPECT_GT(undone, 50);
  EXPECT_GT(forward, 20);
}

// A process killed before call k, for every k: another run ends in one writable master with the
// address and everything that was in the dead one's log.
TEST_P(FailoverTest, KilledAtEveryCall) {
  for (const bool db3_logs : {true, false}) {
    const auto prepare = [db3_logs] {
      auto dead = make();
      dead->cluster.server("db3").replication.log_replica_updates = db3_logs;
      dead->cluster.use_semi_sync({"db2", "db3"});
      dead->write_for_db3(1);
      dead->write_unseen(2);
      return dead;
    };
    const auto fine = prepare();
    const std::string all = fine->history("db1");
    ASSERT_EQ(fine->run().ending, Ending::kDone);
    const std::size_t calls = fine->cluster.faults.count();
    int resumed = 0;
    int again = 0;
    for (std::size_t k = 1; k <= calls; ++k) {
      const auto dead = prepare();
      for (std::size_t lost = k; lost < k + 400; ++lost) {
        dead->cluster.faults.fail_call(lost, FaultTime::kBefore, {Code::kTimeout, "killed"});
      }
      dead->run();
      const auto journal = dead->left_by_the_killed();
      Environment environment = dead->cluster.environment();
      SCOPED_TRACE(
          fmt::format("killed before call {} ({})", k, fine->cluster.faults.calls().at(k - 1)));
      if (journal.has_value() && summarize(*journal).past_point_of_no_return) {
        ++resumed;
        const ResumedFailover done =
            resume_failover(dead->request, *journal, dead->files, environment);
        EXPECT_EQ(done.outcome.ending, Ending::kDone) << done.outcome.headline->message;
      } else {
        ++again;
        if (journal.has_value()) {
          const Outcome back = roll_back_failover(dead->request.cluster, *journal, environment);
          EXPECT_EQ(back.ending, Ending::kUndone);
        }
        dead->cluster.clock.advance(Milliseconds{5});
        const Outcome second = dead->run();
        EXPECT_EQ(second.ending, Ending::kDone) << second.headline->message;
      }
      EXPECT_THAT(dead->cluster.seen().writers(), Contains("db2"));
      EXPECT_EQ(dead->history("db2"), all);
      expect_new_master(*dead, "db2", "db3");
      EXPECT_FALSE(find_unfinished_failover(dead->request.cluster, environment));
    }
    EXPECT_GT(again, 10);
    EXPECT_GT(resumed, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Families, FailoverTest,
    testing::Values(Kind{"MysqlGtid", GtidUse::kAuto, ServerFamily::kMysql},
                    Kind{"MysqlPosition", GtidUse::kNone, ServerFamily::kMysql},
                    Kind{"MariadbGtid", GtidUse::kAuto, ServerFamily::kMariadb},
                    Kind{"MariadbPosition", GtidUse::kNone, ServerFamily::kMariadb}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace mha
