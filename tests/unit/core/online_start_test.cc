// The online start: it gives the clients to the new master, or back to the original one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "core/journal.h"
#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class OnlineStartTest : public testing::Test {
 protected:
  // After a stop that went well.
  Outcome start_after_stop() {
    EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
    cluster_.clock.advance(Milliseconds{300});
    cluster_.mha_stops_the_applier();
    stop_calls_ = cluster_.faults.count();
    return cluster_.start();
  }
  [[nodiscard]] std::vector<std::string> start_calls() const {
    std::vector<std::string> calls = cluster_.faults.calls();
    calls.erase(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(stop_calls_));
    return calls;
  }
  std::optional<JournalFile> open_stop_journal() {
    return find_open_journal(cluster_.environment(), "online_stop", "db1", 3306,
                             cluster_.clock.wall_now() - std::chrono::hours{1});
  }
  [[nodiscard]] JournalSummary start_journal() const {
    const auto paths =
        find_journals(cluster_.state_dir, "online_start", journal_subject("db1", 3306));
    if (paths.size() != 1) {
      ADD_FAILURE() << paths.size() << " journals of online_start";
      return {};
    }
    const Result<JournalFile> journal = read_journal(paths[0]);
    EXPECT_TRUE(journal.ok());
    return journal.ok() ? summarize(journal.value()) : JournalSummary{};
  }

  FakeCluster cluster_;
  FakeMysqlState& orig_ = cluster_.orig_server();
  FakeMysqlState& next_ = cluster_.next_server();
  const ClusterState found_ = cluster_.state();
  std::size_t stop_calls_ = 0;
};

TEST_F(OnlineStartTest, TheNewMasterTakesWritesAndHasTheAddress) {
  const Outcome outcome = start_after_stop();
  EXPECT_EQ(outcome.ending, Ending::kDone);
  EXPECT_EQ(
      cluster_.state(),
      (ClusterState{
          {ReadOnly::kOn, false}, {ReadOnly::kOff, false}, {"db2"}, ReplicaThreads{true, false}}))
      << "replication is MHA's";
  EXPECT_FALSE(open_stop_journal().has_value()) << "the switch is carried through";
  EXPECT_TRUE(start_journal().past_point_of_no_return);
}

TEST_F(OnlineStartTest, SshIsOpenBeforeWritesAreOnAndTheAddressComesAfter) {
  start_after_stop();
  const std::vector<std::string> calls = start_calls();
  const std::size_t writable = position(calls, "mysql db2:3306 set_read_only OFF");
  ASSERT_LT(writable, calls.size());
  EXPECT_LT(position(calls, "ssh db2 connect"), writable);
  EXPECT_GT(position(calls, "vip db2 assign"), writable);
  EXPECT_THAT(calls, Contains("vip db2 assign"));
  EXPECT_THAT(calls, Not(Contains(HasSubstr("kTakeOver"))));
}

// MHA's own connection and the replica's threads are on the new master: none of them is touched.
TEST_F(OnlineStartTest, NobodyIsEndedOnTheNewMaster) {
  next_.add_thread("mha");
  next_.add_thread("system user", "Slave_IO");
  start_after_stop();
  EXPECT_EQ(next_.threads.size(), 2U);
  EXPECT_THAT(start_calls(), Not(Contains(HasSubstr(" kill "))));
}

TEST_F(OnlineStartTest, WithoutAVirtualIpItOnlyTakesWrites) {
  cluster_.settings.vip_type = VipType::kNone;
  cluster_.settings.writer_vip.reset();
  EXPECT_EQ(start_after_stop().ending, Ending::kDone);
  EXPECT_FALSE(next_.read_only.blocks_writes());
  EXPECT_TRUE(start_journal().past_point_of_no_return);
  EXPECT_THAT(cluster_.faults.calls(), Not(Contains(testing::ContainsRegex("^(ssh|vip) "))));
}

TEST_F(OnlineStartTest, AFailureBeforeThePointOfNoReturnGivesTheClientsBack) {
  for (const char* call : {"ssh db2 connect", "mysql db2:3306 connect",
                           "mysql db2:3306 read_only_state", "mysql db2:3306 set_read_only OFF"}) {
    FakeCluster cluster;
    const ClusterState found = cluster.state();
    ASSERT_EQ(cluster.stop().ending, Ending::kDone);
    cluster.mha_stops_the_applier();
    cluster.faults.fail_matching(call, FaultTime::kBefore, {Code::kUnreachable, "the reason"}, 1);
    const Outcome outcome = cluster.start();
    EXPECT_EQ(outcome.ending, Ending::kUndone) << call;
    EXPECT_THAT(outcome.headline->message, HasSubstr("the reason")) << call;
    EXPECT_EQ(cluster.state(), found) << call;
    EXPECT_FALSE(find_open_journal(cluster.environment(), "online_stop", "db1", 3306,
                                   cluster.clock.wall_now() - std::chrono::hours{1})
                     .has_value())
        << call;
  }
}

// A cloud may take longer to answer than a session that has died is worth: it is asked once, on the
// session that there is.
TEST_F(OnlineStartTest, ASlowCloudIsNoDeadSession) {
  cluster_.vip.be_a_cloud();
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.mha_stops_the_applier();
  stop_calls_ = cluster_.faults.count();
  cluster_.vip.set_on_call([this](const std::string& call) {
    if (call == "vip db2 status") cluster_.clock.sleep_for(Milliseconds{2000});
  });
  EXPECT_EQ(cluster_.start().ending, Ending::kDone);
  EXPECT_THAT(start_calls(), Contains("vip db2 status").Times(1));
  EXPECT_THAT(start_calls(), Contains("ssh db2 connect").Times(1));
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
}

// A session that has died is found before the cloud is asked.
TEST_F(OnlineStartTest, ADeadSessionIsOpenedAnewBeforeACloudIsAsked) {
  cluster_.vip.be_a_cloud();
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.mha_stops_the_applier();
  stop_calls_ = cluster_.faults.count();
  const auto answers = std::make_shared<int>(0);
  cluster_.next_shell->set_answer([answers](const std::string&) -> Result<CommandOutput> {
    if (++*answers == 1) return Error{Code::kUnreachable, "the session broke"};
    return CommandOutput{};
  });
  EXPECT_EQ(cluster_.start().ending, Ending::kDone);
  EXPECT_THAT(start_calls(), Contains("vip db2 status").Times(1));
  EXPECT_THAT(start_calls(), Contains("ssh db2 connect").Times(2));
}

TEST_F(OnlineStartTest, WhatIsGivenBackIsWhatStopFound) {
  orig_.read_only = {ReadOnly::kOn, false};
  cluster_.settings.super_read_only = true;
  cluster_.vip.set_holders({});
  const ClusterState found = cluster_.state();
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.faults.fail_matching("ssh db2 connect", FaultTime::kBefore, {Code::kUnreachable, "x"},
                                1);
  EXPECT_EQ(cluster_.start().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found);
}

// The new master has died in between: nobody else takes writes.
TEST_F(OnlineStartTest, ADeadNewMasterGivesTheClientsBack) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  next_.health = FakeHealth::kDown;
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  const Outcome outcome = cluster_.start();
  EXPECT_EQ(cluster_.state().orig, found_.orig);
  EXPECT_EQ(cluster_.vip.holders(), found_.vip_holders);
  EXPECT_EQ(outcome.ending, Ending::kNotUndone) << "db2's read_only could not be looked at";
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("ensure_read_only db2")));
  EXPECT_THAT(outcome.leftovers, testing::Each(HasSubstr("db2")));
}

TEST_F(OnlineStartTest, AnAddressThatCannotBeAddedIsIncomplete) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.vip.set_strangers({"02:00:00:00:00:99"});
  const Outcome outcome = cluster_.start();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(outcome.leftovers, ElementsAre(AllOf(HasSubstr("02:00:00:00:00:99"),
                                                   HasSubstr("by hand: add-vip-on db2"))));
  EXPECT_FALSE(next_.read_only.blocks_writes());
  EXPECT_TRUE(orig_.read_only.blocks_writes());
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_FALSE(open_stop_journal().has_value()) << "nothing is to be put back any more";
}

TEST_F(OnlineStartTest, AFailingAnnouncementIsAWarning) {
  cluster_.vip.set_warning("db2", "arping: no such device");
  EXPECT_EQ(start_after_stop().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "arping: no such device"));
}

TEST_F(OnlineStartTest, WithoutAStopThereIsNothingToGiveBack) {
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  const Outcome outcome = cluster_.start();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found_);
}

TEST_F(OnlineStartTest, AnOldStopIsHistory) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  const ClusterState stopped = cluster_.state();
  cluster_.clock.advance(std::chrono::hours{2});
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  EXPECT_EQ(cluster_.start().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), stopped);
}

// Whether the new master takes writes is not known, so the original one must not: and that is said.
TEST_F(OnlineStartTest, WhereTheNewMasterMayTakeWritesTheOriginalStaysReadOnlyAndThatIsSaid) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.faults.fail_matching("mysql db2:3306 set_read_only OFF", FaultTime::kAfter,
                                {Code::kTimeout, "no answer"}, 1);
  next_.on_call = [this](FakeMysqlState& state, const std::string& call) {
    if (call.find("set_read_only OFF") != std::string::npos) return;
    if (!state.read_only.blocks_writes()) state.health = FakeHealth::kDown;
  };
  const Outcome outcome = cluster_.start();
  ASSERT_FALSE(next_.read_only.blocks_writes()) << "the world of this test";
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_TRUE(orig_.read_only.blocks_writes());
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("ensure_writable db2")));
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db1")));
}

TEST_F(OnlineStartTest, WithoutAJournalTheClientsAreGivenBack) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  // The very name that the journal of `start` will have.
  const std::string stop_path =
      find_journals(cluster_.state_dir, "online_stop", journal_subject("db1", 3306)).at(0);
  std::string path = stop_path;
  path.replace(path.find("online_stop"), std::string("online_stop").size(), "online_start");
  write_whole(path, "");
  const Outcome outcome = cluster_.start();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("journal"));
  EXPECT_EQ(cluster_.state(), found_);
}

TEST_F(OnlineStartTest, ASilentNewHostIsBounded) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  cluster_.settings.operation_timeout = std::chrono::seconds{10};
  const Milliseconds before = cluster_.clock.elapsed();
  cluster_.silence_ssh("db2");
  const Outcome outcome = cluster_.start();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found_);
  EXPECT_LE(cluster_.clock.elapsed() - before, Milliseconds{20000});
}

TEST_F(OnlineStartTest, AnInterruptBeforeThePointOfNoReturnGivesTheClientsBack) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  next_.on_call = [this](FakeMysqlState& /*state*/, const std::string& call) {
    if (call.find(" connect ") != std::string::npos) cluster_.interrupt.request();
  };
  EXPECT_EQ(cluster_.start().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found_);
}

TEST_F(OnlineStartTest, AnInterruptAfterThePointOfNoReturnIsIgnored) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  next_.on_call = [this](FakeMysqlState& /*state*/, const std::string& call) {
    if (call.find("set_read_only OFF") != std::string::npos) cluster_.interrupt.request();
  };
  EXPECT_EQ(cluster_.start().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
}

}  // namespace
}  // namespace mha
