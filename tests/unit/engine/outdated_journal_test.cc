// An unfinished switch that is answered for late: after the cluster has gone on without it, or with
// hosts that do not answer any more.
#include "engine/outdated_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "engine/failover.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OutdatedJournalTest : public testing::Test {
 protected:
  // A switch from db1 to db2 whose process dies right before its first call that contains `last`.
  void switch_until(const std::string& last) {
    EngineCluster fine;
    fine.run();
    const std::vector<std::string>& calls = fine.faults.calls();
    const auto first = std::find_if(calls.begin(), calls.end(), [&last](const std::string& call) {
      return call.find(last) != std::string::npos;
    });
    ASSERT_NE(first, calls.end()) << last;
    const auto number = static_cast<std::size_t>(first - calls.begin()) + 1;
    for (std::size_t dead = number; dead < number + 400; ++dead) {
      cluster_.faults.fail_call(dead, FaultTime::kBefore, {Code::kTimeout, "killed"});
    }
    cluster_.run();
    cluster_.faults.clear_faults();
    cluster_.clock.advance(Milliseconds{5});
    forget_what_the_dead_noted(cluster_.state_dir);
    journal_ = find_unfinished_switch(cluster(), environment_);
    ASSERT_TRUE(journal_.has_value());
  }
  [[nodiscard]] const Cluster& cluster() const { return cluster_.request.cluster; }

  void expect_refused(const std::string& why) {
    const ClusterSeen seen = cluster_.seen();
    const Result<Remedy> remedy = remedy_for_switch(cluster(), *journal_, environment_);
    ASSERT_FALSE(remedy.ok());
    EXPECT_EQ(remedy.error().code, Code::kRefused);
    EXPECT_THAT(remedy.error().message, HasSubstr(why));
    EXPECT_THAT(remedy.error().message, HasSubstr("nothing was changed"));
    for (const Outcome& outcome : {roll_back_switch(cluster(), *journal_, environment_),
                                   resume_switch(cluster_.request, *journal_, environment_)}) {
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_THAT(outcome.headline->message, HasSubstr(why));
    }
    EXPECT_EQ(cluster_.seen(), seen);
  }
  // As a DBA does by hand, or a program that keeps no journal here.
  void promote_by_hand(const std::string& host) {
    cluster_.server(host).replica.reset();
    cluster_.server(host).read_only.read_only = ReadOnly::kOff;
    cluster_.vip.set_holders({host});
  }

  EngineCluster cluster_;
  Environment environment_ = cluster_.environment();
  std::optional<JournalFile> journal_;
};

constexpr const char* kInTheHurry = "vip db1 remove";

TEST_F(OutdatedJournalTest, AMasterThatWasMadeSinceKeepsItsWrites) {
  switch_until(kInTheHurry);
  promote_by_hand("db2");
  expect_refused("db2 takes writes");
}

TEST_F(OutdatedJournalTest, AReplicaThatWasTheMasterIsGivenNoWrites) {
  switch_until(kInTheHurry);
  promote_by_hand("db3");
  cluster_.mysql.follow("db1:3306", "db3:3306", GtidUse::kAuto);
  expect_refused("db1 replicates from db3");
}

// The candidate's silence takes all of its own time, and none of the other's.
TEST_F(OutdatedJournalTest, ASilentCandidateDoesNotHideWhatTheOriginalHasBecome) {
  switch_until(kInTheHurry);
  promote_by_hand("db3");
  cluster_.mysql.follow("db1:3306", "db3:3306", GtidUse::kAuto);
  cluster_.server("db2").health = FakeHealth::kSilent;
  expect_refused("db1 replicates from db3");
}

TEST_F(OutdatedJournalTest, ACandidateWithoutASourceIsNoCandidateAnyMore) {
  switch_until(kInTheHurry);
  cluster_.server("db2").replica.reset();
  expect_refused("db2 replicates from nobody");
}

TEST_F(OutdatedJournalTest, ANewMasterThatFollowsSomebodyAgainIsNotMadeTheMaster) {
  switch_until("vip db2 assign");
  ASSERT_EQ(remedy_for_switch(cluster(), *journal_, environment_).value(), Remedy::kCarryOn);
  promote_by_hand("db3");
  cluster_.server("db2").read_only.read_only = ReadOnly::kOn;
  cluster_.mysql.follow("db2:3306", "db3:3306", GtidUse::kAuto);
  const ClusterSeen seen = cluster_.seen();
  const Outcome outcome = resume_switch(cluster_.request, *journal_, environment_);
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db2 replicates from db3"));
  EXPECT_EQ(cluster_.seen(), seen);
}

TEST_F(OutdatedJournalTest, ALaterOperationThatMadeANewMasterIsAnAnswer) {
  switch_until(kInTheHurry);
  for (const char* operation : {"failover", "switchover", "online_start", "hard_start"}) {
    const auto path = [&](const std::string& record) {
      Result<std::unique_ptr<Journal>> later =
          create_file_journal(cluster_.state_dir, operation, journal_subject("db3", 3306),
                              nlohmann::json::object(), cluster_.clock);
      EXPECT_TRUE(later.ok());
      EXPECT_TRUE(later.value()->append(nlohmann::json{{"event", record}}).ok());
      return later.value()->path();
    };
    const std::string without = path("step_begin");
    EXPECT_FALSE(is_superseded(*journal_, cluster(), environment_)) << operation;
    EXPECT_TRUE(find_unfinished_switch(cluster(), environment_).has_value()) << operation;
    std::filesystem::remove(without);
    const std::string with = path("point_of_no_return");
    EXPECT_TRUE(is_superseded(*journal_, cluster(), environment_)) << operation;
    if (operation != std::string{"switchover"}) {
      EXPECT_FALSE(find_unfinished_switch(cluster(), environment_).has_value()) << operation;
    }
    std::filesystem::remove(with);
    EXPECT_FALSE(is_superseded(*journal_, cluster(), environment_)) << operation;
  }
}

// It was to be made writable next, and never was.
TEST_F(OutdatedJournalTest, ACandidateThatIsGoneDoesNotKeepTheClientsFromTheOriginal) {
  switch_until(kInTheHurry);
  ASSERT_THAT(cluster_.seen().writers(), IsEmpty());
  cluster_.server("db2").health = FakeHealth::kDown;
  const Outcome outcome = roll_back_switch(cluster(), *journal_, environment_);
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db1"));
  EXPECT_THAT(cluster_.seen().vip_holders, ElementsAre("db1"));
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db2")));
}

TEST_F(OutdatedJournalTest, WhatWaitsForADeadNewMasterStaysUnfinished) {
  switch_until("vip db2 assign");
  cluster_.server("db2").health = FakeHealth::kDown;
  const ClusterSeen seen = cluster_.seen();
  const Outcome refused = resume_switch(cluster_.request, *journal_, environment_);
  EXPECT_EQ(refused.ending, Ending::kUndone);
  EXPECT_THAT(refused.headline->message, HasSubstr("stays unfinished"));
  EXPECT_EQ(cluster_.seen(), seen);
  ASSERT_TRUE(find_unfinished_switch(cluster(), environment_).has_value());

  cluster_.server("db2").health = FakeHealth::kUp;
  cluster_.server("db2").read_only.read_only = ReadOnly::kOn;  // from its my.cnf
  const Outcome done = resume_switch(cluster_.request, *journal_, environment_);
  EXPECT_EQ(done.ending, Ending::kDone) << done.headline->message;
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db2"));
  EXPECT_THAT(cluster_.seen().vip_holders, ElementsAre("db2"));
  EXPECT_FALSE(find_unfinished_switch(cluster(), environment_).has_value());
}

TEST_F(OutdatedJournalTest, AReplicaThatDidNotAnswerIsLeftToDo) {
  switch_until("vip db2 assign");
  cluster_.server("db3").health = FakeHealth::kDown;
  const Outcome outcome = resume_switch(cluster_.request, *journal_, environment_);
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db3")));
}

// Another program's switch or failover began and ended between our look and our locks.
TEST(StillAsSeen, WhoWasFasterIsNoticed) {
  for (const bool repoints : {true, false}) {
    EngineCluster cluster;
    Environment environment = cluster.environment();
    Switchover late(cluster.request, environment);
    const Result<std::vector<Problem>> problems = late.look();
    ASSERT_TRUE(problems.ok());
    ASSERT_THAT(problems.value(), IsEmpty());
    if (repoints) cluster.mysql.follow("db3:3306", "db2:3306");
    if (!repoints) cluster.server("db2").read_only.read_only = ReadOnly::kOff;
    const ClusterSeen seen = cluster.seen();
    const Outcome outcome = late.run();
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    EXPECT_THAT(outcome.headline->message,
                AllOf(HasSubstr("nothing was changed"), HasSubstr("somebody else has switched")));
    EXPECT_EQ(cluster.seen(), seen);
  }
}

}  // namespace
}  // namespace mha
