// The failover of a dead master: what is taken off it, what is said, what the new one gets.
#include "core/hard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/start_states.h"
#include "unit/core/sweep.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr Milliseconds kPatience{5000};

class HardTest : public testing::Test {
 protected:
  Outcome status() { return hard_status(cluster_.orig(), environment_); }
  Outcome stopssh() { return hard_stopssh(cluster_.orig(), environment_); }
  Outcome stop() { return hard_stop(cluster_.orig(), kPatience, environment_); }
  Outcome start() {
    cluster_.clock.advance(Milliseconds{1});
    return hard_start(cluster_.hard(), environment_);
  }
  std::optional<bool> fenced() { return was_fenced("db1", 3306, environment_); }
  void no_vip() {
    cluster_.settings.vip_type = VipType::kNone;
    cluster_.settings.writer_vip.reset();
    cluster_.vip.set_holders({});
  }
  // The journal of the only run of `operation`.
  std::vector<json> records(const std::string& operation) {
    const auto paths = find_journals(cluster_.state_dir, operation, journal_subject("db1", 3306));
    if (paths.size() != 1) {
      ADD_FAILURE() << paths.size() << " journals of " << operation;
      return {};
    }
    const Result<JournalFile> journal = read_journal(paths[0]);
    EXPECT_TRUE(journal.ok());
    return journal.ok() ? journal.value().records : std::vector<json>{};
  }
  std::vector<json> records_with(const std::string& operation, const std::string& event) {
    std::vector<json> some;
    for (const json& record : records(operation)) {
      if (record["event"] == event) some.push_back(record);
    }
    return some;
  }
  void mysqld_runs_as(const std::string& pids) {
    cluster_.orig_shell->set_answer([pids](const std::string& command) -> Result<CommandOutput> {
      EXPECT_THAT(command, HasSubstr("pidof"));
      return CommandOutput{0, pids, ""};
    });
  }

  FakeCluster cluster_;
  Environment environment_ = cluster_.environment();
};

// --- status

TEST_F(HardTest, StatusIsDoneOnlyWhereTheAddressIs) {
  EXPECT_EQ(status().ending, Ending::kDone);
  cluster_.vip.set_holders({"db2"});
  const Outcome absent = status();
  EXPECT_EQ(absent.ending, Ending::kUndone);
  EXPECT_THAT(absent.headline->message, AllOf(StartsWith("The VIP was not found on host db1; "),
                                              HasSubstr("add-vip-on db1")));
}

TEST_F(HardTest, StatusChangesNothing) {
  status();
  EXPECT_THAT(cluster_.faults.calls(),
              ElementsAre("ssh db1 connect", "vip db1 check", "vip db1 status"));
  EXPECT_FALSE(std::filesystem::exists(cluster_.state_dir));
}

TEST_F(HardTest, StatusWithoutAVirtualIpNeedsNoSsh) {
  no_vip();
  EXPECT_EQ(status().ending, Ending::kDone);
  EXPECT_EQ(cluster_.faults.count(), 0U);
}

TEST_F(HardTest, StatusSaysWhatKeepsTheHookFromItsWork) {
  for (const char* call : {"ssh db1 connect", "vip db1 check", "vip db1 status"}) {
    FakeCluster cluster;
    Environment environment = cluster.environment();
    cluster.faults.fail_matching(call, FaultTime::kBefore, {Code::kDenied, "the reason"});
    const Outcome outcome = hard_status(cluster.orig(), environment);
    EXPECT_EQ(outcome.ending, Ending::kUndone) << call;
    EXPECT_THAT(outcome.headline->message,
                AllOf(HasSubstr("checking the vip"), HasSubstr("the reason")));
  }
}

TEST_F(HardTest, StatusOfASilentHostIsBounded) {
  cluster_.silence_ssh("db1");
  EXPECT_EQ(status().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.clock.elapsed(), cluster_.settings.operation_timeout);
}

// --- stopssh

TEST_F(HardTest, StopsshTakesTheAddressOff) {
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_EQ(fenced(), true);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo, "Removing the vip using the 'fake' provider"));
}

// The master was rebooted: the predecessor aborted the failover here.
TEST_F(HardTest, StopsshOfAnAbsentAddressIsASuccess) {
  cluster_.vip.set_holders({});
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_EQ(fenced(), true);
}

TEST_F(HardTest, StopsshThatFailsSaysWhatToDo) {
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "no sudo"});
  const Outcome outcome = stopssh();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("the virtual IP was not removed from the original master 'db1'"),
                    HasSubstr("no sudo"), HasSubstr("by hand: del-vip-on db1")));
  EXPECT_EQ(fenced(), false);
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db1"));
}

TEST_F(HardTest, StopsshSaysThatMysqldIsAlive) {
  mysqld_runs_as("815 4711\n");
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning,
                               "mysqld still runs on the original master 'db1' (pid 815 4711)"));
  EXPECT_THAT(records_with("hard_stop", "fact"),
              ElementsAre(testing::ResultOf(
                  [](const json& record) { return record.value("mysqld_pids", ""); }, "815 4711")));
}

TEST_F(HardTest, StopsshSaysThatMysqldIsDead) {
  mysqld_runs_as("");
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo, "mysqld does not run"));
  EXPECT_FALSE(cluster_.log.has(LogLevel::kWarning, "mysqld"));
}

TEST_F(HardTest, WhetherMysqldRunsIsOnlyTold) {
  cluster_.orig_shell->set_answer([this](const std::string&) -> Result<CommandOutput> {
    cluster_.clock.advance(Milliseconds{3000});
    return Error{Code::kTimeout, "no answer in time"};
  });
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "whether mysqld still runs"));
  EXPECT_FALSE(cluster_.log.has(LogLevel::kInfo, "mysqld does not run"));
}

TEST_F(HardTest, StopsshOfASilentHostIsBounded) {
  cluster_.silence_ssh("db1");
  EXPECT_EQ(stopssh().ending, Ending::kUndone);
  // The operation's time, and the look for mysqld.
  EXPECT_LE(cluster_.clock.elapsed(), cluster_.settings.operation_timeout + Milliseconds{3000});
}

// --- stop

TEST_F(HardTest, StopTriesOnceMore) {
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_EQ(fenced(), true);
}

TEST_F(HardTest, StopOfASilentHostCostsItsPatienceAndNoMore) {
  cluster_.silence_ssh("db1");
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_EQ(cluster_.clock.elapsed(), kPatience);
}

TEST_F(HardTest, StopThatCannotFenceProceedsAndSaysSo) {
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "NOT FENCED"));
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "unfenced_failover=proceed"));
  EXPECT_FALSE(cluster_.log.has(LogLevel::kInfo, "the virtual IP is not on"));
  EXPECT_EQ(fenced(), false);
}

TEST_F(HardTest, StopThatCannotFenceRefusesWhereTheOperatorSaysSo) {
  cluster_.settings.unfenced_failover = UnfencedFailover::kRefuse;
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  const Outcome outcome = stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("NOT FENCED"), HasSubstr("unfenced_failover=refuse")));
  EXPECT_EQ(fenced(), false);
}

TEST_F(HardTest, StopThatFencesDoesNotRefuse) {
  cluster_.settings.unfenced_failover = UnfencedFailover::kRefuse;
  EXPECT_EQ(stop().ending, Ending::kDone);
}

// A cloud needs no help of a host that answers nobody, and nobody waits for that host.
TEST_F(HardTest, StopInACloudFencesWithoutAskingTheHost) {
  cluster_.vip.be_a_cloud();
  cluster_.silence_ssh("db1");
  const Milliseconds before = cluster_.clock.elapsed();
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_LT(cluster_.clock.elapsed() - before, Milliseconds{1000});
  EXPECT_TRUE(cluster_.vip.holders().empty());
  EXPECT_EQ(records_with("hard_stop", "fence").front().value("by", ""), "fake");
  EXPECT_TRUE(records_with("hard_stop", "fence").front().value("fenced", false));
}

TEST_F(HardTest, StopInACloudWhoseInterfaceFailsAsksTheHost) {
  cluster_.vip.be_a_cloud();
  cluster_.faults.fail_matching("remove by interface", FaultTime::kBefore,
                                {Code::kDenied, "no permission"}, 1);
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.vip.holders().empty());
  EXPECT_EQ(records_with("hard_stop", "fence").front().value("by", ""), "host");
}

TEST_F(HardTest, StopInACloudThatFailsBothWaysSaysBoth) {
  cluster_.vip.be_a_cloud();
  cluster_.settings.unfenced_failover = UnfencedFailover::kRefuse;
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  cluster_.faults.fail_matching("remove by interface", FaultTime::kBefore,
                                {Code::kDenied, "no permission"}, 1);
  const Outcome outcome = stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(
      outcome.headline->message,
      testing::AllOf(HasSubstr("NOT FENCED"), HasSubstr("no permission"), HasSubstr("db1")));
}

// SSH answers MHA: the host's own word comes first, and the address stays routed for `start`.
TEST_F(HardTest, StopsshInACloudAsksTheHostFirst) {
  cluster_.vip.be_a_cloud();
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_EQ(records_with("hard_stop", "fence").front().value("by", ""), "host");
  cluster_.vip.set_holders({"db1"});
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  EXPECT_EQ(stopssh().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.vip.holders().empty());
}

TEST_F(HardTest, StopWithoutAVirtualIpSaysNothingOfFencing) {
  for (const bool ssh_answers : {true, false}) {
    FakeCluster cluster;
    cluster.settings.vip_type = VipType::kNone;
    cluster.settings.writer_vip.reset();
    Environment environment = cluster.environment();
    const Outcome outcome = ssh_answers ? hard_stopssh(cluster.orig(), environment)
                                        : hard_stop(cluster.orig(), kPatience, environment);
    EXPECT_EQ(outcome.ending, Ending::kDone);
    EXPECT_EQ(was_fenced("db1", 3306, environment), std::nullopt)
        << "nothing was taken off, and nothing was read back";
  }
}

// A failover must not wait for a disk.
TEST_F(HardTest, WithoutAJournalTheAddressIsTakenOffAllTheSame) {
  write_whole(cluster_.folder.path("file"), "");
  environment_.state_dir = cluster_.folder.path("file/state");
  EXPECT_EQ(stop().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "going on without a journal"));
  EXPECT_EQ(fenced(), std::nullopt);
  EXPECT_EQ(start().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
}

TEST_F(HardTest, AFenceOfLongAgoIsNone) {
  stop();
  EXPECT_EQ(fenced(), true);
  cluster_.clock.advance(std::chrono::hours{1} + Milliseconds{1});
  EXPECT_EQ(fenced(), std::nullopt);
}

TEST_F(HardTest, TheNewestFenceCounts) {
  stop();
  cluster_.clock.advance(Milliseconds{1000});
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  stop();
  EXPECT_EQ(fenced(), false);
}

// --- start

TEST_F(HardTest, StartGivesTheClientsToTheNewMaster) {
  stop();
  EXPECT_EQ(start().ending, Ending::kDone);
  EXPECT_FALSE(cluster_.next_server().read_only.blocks_writes());
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
  const std::vector<std::string> calls = cluster_.faults.calls();
  EXPECT_LT(position(calls, "ssh db2 connect"), position(calls, "db2:3306 set_read_only OFF"));
  EXPECT_LT(position(calls, "db2:3306 set_read_only OFF"), position(calls, "vip db2 assign"));
  EXPECT_THAT(calls, Not(Contains(HasSubstr("kTakeOver"))));
}

TEST_F(HardTest, StartWithoutAVirtualIp) {
  no_vip();
  EXPECT_EQ(start().ending, Ending::kDone);
  EXPECT_FALSE(cluster_.next_server().read_only.blocks_writes());
  EXPECT_THAT(records_with("hard_start", "point_of_no_return"), testing::SizeIs(1));
}

// SSH that is dead costs the address, not the failover: the replicas would stay on a dead master.
TEST_F(HardTest, StartOverDeadSshMakesItWritableAndIsIncomplete) {
  stop();
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_FALSE(cluster_.next_server().read_only.blocks_writes());
  EXPECT_THAT(outcome.leftovers, ElementsAre(HasSubstr("by hand: add-vip-on db2")));
}

TEST_F(HardTest, StartOverSilentSshLeavesTimeForMysql) {
  cluster_.settings.operation_timeout = std::chrono::seconds{10};
  cluster_.silence_ssh("db2");
  const Milliseconds before = cluster_.clock.elapsed();
  const Outcome outcome = start();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_FALSE(cluster_.next_server().read_only.blocks_writes());
  // Half of the time before the point of no return, and all of it again for the address after it.
  EXPECT_LE(cluster_.clock.elapsed() - before, Milliseconds{15001});
}

TEST_F(HardTest, StartWithoutMysqlChangesNothing) {
  stop();
  cluster_.next_server().health = FakeHealth::kDown;
  const Outcome outcome = start();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_TRUE(cluster_.next_server().read_only.blocks_writes());
}

TEST_F(HardTest, StartTakesTheAddressOverOnlyWhereItWasNotFencedAndMayProceed) {
  struct Case {
    bool fenced;
    UnfencedFailover setting;
    bool takes_over;
  };
  for (const Case& one : {Case{false, UnfencedFailover::kProceed, true},
                          Case{false, UnfencedFailover::kRefuse, false},
                          Case{true, UnfencedFailover::kProceed, false},
                          Case{true, UnfencedFailover::kRefuse, false}}) {
    FakeCluster cluster;
    cluster.settings.unfenced_failover = one.setting;
    Environment environment = cluster.environment();
    if (!one.fenced) cluster.ssh.set_health("db1", FakeHealth::kDown);
    hard_stop(cluster.orig(), kPatience, environment);
    // Somebody has it, be it the dead master or a stranger.
    cluster.vip.set_holders({"db1"});
    cluster.clock.advance(Milliseconds{100});
    const Outcome outcome = hard_start(cluster.hard(), environment);
    EXPECT_FALSE(cluster.next_server().read_only.blocks_writes());
    EXPECT_EQ(outcome.ending, one.takes_over ? Ending::kDone : Ending::kIncomplete);
    EXPECT_EQ(cluster.vip.holders().contains("db2"), one.takes_over);
    EXPECT_EQ(cluster.log.has(LogLevel::kWarning, "link of db1 still answers"), one.takes_over);
  }
}

TEST_F(HardTest, StartWithOneFault) {
  for (const StartState& start_state : start_states()) {
    for (const SweepFault& fault : sweep_faults()) {
      std::size_t k = 1;
      for (;; ++k) {
        FakeCluster cluster;
        start_state.prepare(cluster);
        cluster.orig_server().health = FakeHealth::kDown;
        cluster.vip.set_holders({});
        Environment environment = cluster.environment();
        const ClusterState found = cluster.state();
        cluster.faults.fail_call(k, fault.when, fault.error());
        const Outcome outcome = hard_start(cluster.hard(), environment);
        const ClusterState state = cluster.state();
        if (cluster.faults.count() < k) {
          EXPECT_EQ(outcome.ending, Ending::kDone);
          break;
        }
        SCOPED_TRACE(start_state.name + ": " + fault_text(cluster, k, fault));
        switch (outcome.ending) {
          case Ending::kDone:  // SSH is tried again
            EXPECT_FALSE(state.next.blocks_writes());
            EXPECT_TRUE(state.vip_holders.contains("db2"));
            break;
          case Ending::kIncomplete:
            EXPECT_FALSE(state.next.blocks_writes());
            EXPECT_THAT(outcome.leftovers, Not(IsEmpty()));
            break;
          case Ending::kUndone:
            EXPECT_EQ(state, found);
            break;
          case Ending::kNotUndone:
            ADD_FAILURE() << "one fault must be undone";
        }
      }
      EXPECT_GE(k, 4U);
    }
  }
}

TEST_F(HardTest, StartWithTwoFaults) {
  for (const SweepFault& first : lost_answers()) {
    for (const SweepFault& second : lost_answers()) {
      for (std::size_t k = 1;; ++k) {
        bool first_hit = true;
        for (std::size_t j = k + 1;; ++j) {
          FakeCluster cluster;
          cluster.vip.set_holders({});
          Environment environment = cluster.environment();
          const ClusterState found = cluster.state();
          cluster.faults.fail_call(k, first.when, first.error());
          cluster.faults.fail_call(j, second.when, second.error());
          const Outcome outcome = hard_start(cluster.hard(), environment);
          first_hit = cluster.faults.count() >= k;
          if (cluster.faults.count() < j) break;
          SCOPED_TRACE(fault_text(cluster, k, first) + ", " + fault_text(cluster, j, second));
          const ClusterState state = cluster.state();
          if (outcome.ending == Ending::kIncomplete) {
            EXPECT_FALSE(state.next.blocks_writes());
            EXPECT_THAT(outcome.leftovers, Not(IsEmpty()));
          } else if (outcome.ending == Ending::kDone) {
            EXPECT_FALSE(state.next.blocks_writes());
            EXPECT_TRUE(state.vip_holders.contains("db2"));
          } else {
            expect_truth(outcome, found, state);
          }
        }
        if (!first_hit) break;
      }
    }
  }
}

}  // namespace
}  // namespace mha
