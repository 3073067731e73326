// Counting, and failing what the plan says.
#include "fakes/fault_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;

Status succeed() { return {}; }

TEST(FaultPlan, RecordsEveryCall) {
  FaultPlan plan;
  EXPECT_TRUE(plan.around("a", succeed).ok());
  EXPECT_TRUE(plan.around("b", succeed).ok());
  EXPECT_THAT(plan.calls(), ElementsAre("a", "b"));
  EXPECT_EQ(plan.count(), 2U);
}

TEST(FaultPlan, FailsCallKOnly) {
  for (std::size_t k = 1; k <= 3; ++k) {
    FaultPlan plan;
    plan.fail_call(k, FaultTime::kBefore, {Code::kTimeout, "planned"});
    std::vector<bool> outcomes;
    for (int call = 0; call < 3; ++call) outcomes.push_back(plan.around("same", succeed).ok());
    EXPECT_EQ(outcomes[0], k != 1);
    EXPECT_EQ(outcomes[1], k != 2);
    EXPECT_EQ(outcomes[2], k != 3);
    EXPECT_EQ(plan.count(), 3U);
  }
}

TEST(FaultPlan, BeforeIsWithoutTheEffectAndAfterIsWithIt) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    FaultPlan plan;
    plan.fail_call(1, when, {Code::kRefused, "planned"});
    bool done = false;
    const Status status = plan.around("call", [&] {
      done = true;
      return Status{};
    });
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(done, when == FaultTime::kAfter);
  }
}

TEST(FaultPlan, EffectsOwnErrorGoesThrough) {
  FaultPlan plan;
  const Status status = plan.around("call", [] { return Status{Error{Code::kDenied, "own"}}; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "own");
}

TEST(FaultPlan, FailsWhatMatchesSoManyTimes) {
  FaultPlan plan;
  plan.fail_matching("db2", FaultTime::kBefore, {Code::kUnreachable, "gone"}, 2);
  EXPECT_TRUE(plan.around("db1 x", succeed).ok());
  EXPECT_FALSE(plan.around("db2 x", succeed).ok());
  EXPECT_FALSE(plan.around("db2 y", succeed).ok());
  EXPECT_TRUE(plan.around("db2 z", succeed).ok());
  plan.fail_matching("db1", FaultTime::kBefore, {Code::kUnreachable, "gone"});
  for (int call = 0; call < 5; ++call) EXPECT_FALSE(plan.around("db1", succeed).ok());
  plan.clear_faults();
  EXPECT_TRUE(plan.around("db1", succeed).ok());
  EXPECT_EQ(plan.count(), 10U);
}

TEST(FaultPlan, AfterBelongsToTheCallThatBeganUnderThisText) {
  FaultPlan plan;
  plan.fail_call(1, FaultTime::kAfter, {Code::kTimeout, "planned"});
  EXPECT_FALSE(plan.before("first").has_value());
  EXPECT_FALSE(plan.before("second").has_value());
  EXPECT_FALSE(plan.after("second").has_value());
  EXPECT_TRUE(plan.after("first").has_value());
}

}  // namespace
}  // namespace mha
