// The steps on read_only: what they set, put back, and say.
#include "core/steps_mysql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReadOnlyStepTest : public testing::Test {
 protected:
  Node& orig() {
    if (orig_ == nullptr) {
      orig_ = std::make_unique<Node>(cluster_.orig(), cluster_.environment().ports);
    }
    return *orig_;
  }
  Deadline soon() { return cluster_.clock.deadline_after(Milliseconds{30000}); }
  // The state that the by-hand command of `step` would be for, after the server has changed.
  std::string by_hand(Step& step) {
    Result<json> found = step.observe(soon());
    EXPECT_TRUE(found.ok());
    return step.undo_by_hand(found.value());
  }

  FakeCluster cluster_;
  FakeMysqlState& server_ = cluster_.orig_server();
  std::unique_ptr<Node> orig_;
};

TEST_F(ReadOnlyStepTest, EveryStateFoundIsPutBack) {
  const ReadOnlyState states[] = {{ReadOnly::kOff, std::nullopt},
                                  {ReadOnly::kOn, std::nullopt},
                                  {ReadOnly::kOff, false},
                                  {ReadOnly::kOn, false},
                                  {ReadOnly::kOn, true}};
  for (const bool super : {false, true}) {
    cluster_.settings.super_read_only = super;
    orig_.reset();
    for (const ReadOnlyState& state : states) {
      for (const auto make : {ensure_read_only, ensure_writable}) {
        server_.read_only = state;
        const std::unique_ptr<Step> step = make(orig(), cluster_.log);
        const Result<json> found = step->observe(soon());
        ASSERT_TRUE(found.ok());
        ASSERT_TRUE(step->apply(found.value(), soon()).ok());
        EXPECT_EQ(server_.read_only.blocks_writes(), step->kind() == "ensure_read_only");
        // From the journal, as another process reads it.
        ASSERT_TRUE(step->undo(json::parse(found.value().dump()), soon()).ok());
        EXPECT_EQ(server_.read_only, state) << step->kind() << " " << state_text(state);
        ASSERT_TRUE(step->undo(found.value(), soon()).ok()) << "twice";
        EXPECT_EQ(server_.read_only, state);
      }
    }
  }
}

TEST_F(ReadOnlyStepTest, Mariadb12sValuesArePutBack) {
  server_.identity = {ServerFamily::kMariadb, "12.1.2-MariaDB", 120102, 0, 1};
  for (const ReadOnly value : {ReadOnly::kNoLock, ReadOnly::kNoLockNoAdmin}) {
    server_.read_only = {value, std::nullopt};
    const std::unique_ptr<Step> step = ensure_writable(orig(), cluster_.log);
    const Result<json> found = step->observe(soon());
    ASSERT_TRUE(step->apply(found.value(), soon()).ok());
    ASSERT_EQ(server_.read_only.read_only, ReadOnly::kOff);
    ASSERT_TRUE(step->undo(found.value(), soon()).ok());
    EXPECT_EQ(server_.read_only.read_only, value);
  }
}

TEST_F(ReadOnlyStepTest, SuperReadOnlyOnlyWhereConfigured) {
  const std::unique_ptr<Step> plain = ensure_read_only(orig(), cluster_.log);
  ASSERT_TRUE(plain->apply({}, soon()).ok());
  EXPECT_EQ(server_.read_only, (ReadOnlyState{ReadOnly::kOn, false}));

  cluster_.settings.super_read_only = true;
  orig_.reset();
  const std::unique_ptr<Step> super = ensure_read_only(orig(), cluster_.log);
  ASSERT_TRUE(super->apply({}, soon()).ok());
  EXPECT_EQ(server_.read_only, (ReadOnlyState{ReadOnly::kOn, true}));
}

// Users of the predecessor look for it in the log.
TEST_F(ReadOnlyStepTest, TheLogSaysIt) {
  ASSERT_TRUE(ensure_read_only(orig(), cluster_.log)->apply({}, soon()).ok());
  EXPECT_TRUE(
      cluster_.log.has(LogLevel::kInfo, "Setting read_only to '1' on the original master 'db1'"));
}

TEST_F(ReadOnlyStepTest, WhoBlocksIsNamed) {
  server_.blockers.push_back({42, "thread 42 (app@10.0.0.5): LOCK TABLES on `shop`.`orders`"});
  cluster_.settings.lock_wait_timeout = std::chrono::seconds{3};
  const Status set = ensure_read_only(orig(), cluster_.log)->apply({}, soon());
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().code, Code::kRefused);
  EXPECT_THAT(set.error().message,
              AllOf(HasSubstr("setting read_only on the original master 'db1'"),
                    HasSubstr("blocked by: thread 42 (app@10.0.0.5): LOCK TABLES on "
                              "`shop`.`orders`"),
                    Not(HasSubstr("more"))));
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{3000});
  EXPECT_FALSE(server_.read_only.blocks_writes());
}

TEST_F(ReadOnlyStepTest, FiveBlockersAreNamedAndTheRestCounted) {
  for (std::uint64_t id = 1; id <= 7; ++id)
    server_.blockers.push_back({id, fmt::format("t{}", id)});
  const Status set = ensure_read_only(orig(), cluster_.log)->apply({}, soon());
  ASSERT_FALSE(set.ok());
  EXPECT_THAT(set.error().message, HasSubstr("blocked by: t1; t2; t3; t4; t5; and 2 more"));
}

TEST_F(ReadOnlyStepTest, WhereNobodyCanTellWhoBlocksTheErrorStays) {
  server_.blockers.push_back({42, "x"});
  cluster_.faults.fail_matching("write_blockers", FaultTime::kBefore, {Code::kDenied, "no"});
  const Status set = ensure_read_only(orig(), cluster_.log)->apply({}, soon());
  ASSERT_FALSE(set.ok());
  EXPECT_THAT(set.error().message, AllOf(HasSubstr("1205"), Not(HasSubstr("blocked by"))));
}

TEST_F(ReadOnlyStepTest, TheCommandByHandReachesWhatWasFound) {
  const std::unique_ptr<Step> step = ensure_read_only(orig(), cluster_.log);
  server_.read_only = {ReadOnly::kOff, false};
  EXPECT_EQ(by_hand(*step), "mysql -h db1 -P 3306 -e 'SET GLOBAL read_only=OFF'");
  server_.read_only = {ReadOnly::kOn, std::nullopt};
  EXPECT_EQ(by_hand(*step), "mysql -h db1 -P 3306 -e 'SET GLOBAL read_only=ON'");
  server_.read_only = {ReadOnly::kOn, true};
  EXPECT_EQ(by_hand(*step),
            "mysql -h db1 -P 3306 -e 'SET GLOBAL read_only=ON, GLOBAL super_read_only=ON'");
  // read_only=ON alone would leave the super_read_only that we have set.
  server_.read_only = {ReadOnly::kOn, false};
  EXPECT_EQ(by_hand(*step),
            "mysql -h db1 -P 3306 -e 'SET GLOBAL read_only=ON, GLOBAL super_read_only=OFF'");
}

TEST_F(ReadOnlyStepTest, AJournalThatDoesNotSayWhatWasFoundIsAnError) {
  const std::unique_ptr<Step> step = ensure_read_only(orig(), cluster_.log);
  for (const json& found : {json::object(), json{{"read_only", "maybe"}}}) {
    const Status undone = step->undo(found, soon());
    ASSERT_FALSE(undone.ok());
    EXPECT_EQ(undone.error().code, Code::kInternal);
    EXPECT_EQ(step->undo_by_hand(found), "");
  }
  EXPECT_EQ(cluster_.faults.count(), 0U);
}

TEST_F(ReadOnlyStepTest, NamesAndDescriptions) {
  EXPECT_EQ(ensure_read_only(orig(), cluster_.log)->name(), "ensure_read_only db1:3306");
  EXPECT_EQ(ensure_writable(orig(), cluster_.log)->name(), "ensure_writable db1:3306");
  EXPECT_EQ(ensure_read_only(orig(), cluster_.log)->description(),
            "set read_only on the original master 'db1'");
  EXPECT_EQ(ensure_writable(orig(), cluster_.log)->description(),
            "set read_only off on the original master 'db1'");
}

}  // namespace
}  // namespace mha
