// What every driver that moves an address does, on a fake network as well as on a real one.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "component/vip/vip_world.h"

namespace mha {

class VipConformance : public testing::TestWithParam<MakeVipWorld> {
 protected:
  void SetUp() override {
    world_ = GetParam()();
    if (world_ == nullptr) return;  // it has said why
    a_ = world_->driver("a");
    b_ = world_->driver("b");
  }
  Deadline soon() { return world_->clock().deadline_after(Milliseconds{10000}); }
  Status assign(VipDriver& driver, OtherHolder other = OtherHolder::kRefuse) {
    return driver.assign(other, soon()).status();
  }
  VipPresence seen(VipDriver& driver) {
    const Result<VipPresence> presence = driver.status(soon());
    EXPECT_TRUE(presence.ok()) << presence.status().error().message;
    return presence.ok() ? presence.value() : VipPresence::kAbsent;
  }

  std::unique_ptr<VipWorld> world_;
  std::unique_ptr<VipDriver> a_;
  std::unique_ptr<VipDriver> b_;
};

TEST_P(VipConformance, SaysThatItMovesAnAddress) {
  if (world_ == nullptr) GTEST_SKIP();
  EXPECT_TRUE(a_->moves_an_address());
  EXPECT_FALSE(a_->provider().empty());
  EXPECT_FALSE(a_->assign_by_hand().empty());
  EXPECT_FALSE(a_->remove_by_hand().empty());
}

TEST_P(VipConformance, CheckAndStatusChangeNothing) {
  if (world_ == nullptr) GTEST_SKIP();
  const Status checked = a_->check(soon());
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_EQ(seen(*a_), VipPresence::kAbsent);
  EXPECT_FALSE(world_->has_address("a"));
}

TEST_P(VipConformance, AssignAndRemoveAreIdempotent) {
  if (world_ == nullptr) GTEST_SKIP();
  for (int i = 0; i < 2; ++i) {
    const Status assigned = assign(*a_);
    ASSERT_TRUE(assigned.ok()) << assigned.error().message;
    EXPECT_TRUE(world_->has_address("a"));
    EXPECT_EQ(seen(*a_), VipPresence::kPresent);
    EXPECT_EQ(seen(*b_), VipPresence::kAbsent);
  }
  for (int i = 0; i < 2; ++i) {
    const Status removed = a_->remove(soon());
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_FALSE(world_->has_address("a"));
    EXPECT_EQ(seen(*a_), VipPresence::kAbsent);
  }
}

TEST_P(VipConformance, AnotherHolderIsSeenAndThisHostIsNone) {
  if (world_ == nullptr) GTEST_SKIP();
  EXPECT_THAT(a_->other_holders(soon()).value(), testing::IsEmpty());
  ASSERT_TRUE(assign(*a_).ok());
  EXPECT_THAT(a_->other_holders(soon()).value(), testing::IsEmpty());
  EXPECT_THAT(b_->other_holders(soon()).value(), testing::SizeIs(1));
}

TEST_P(VipConformance, RefusesWhereAnotherHoldsIt) {
  if (world_ == nullptr) GTEST_SKIP();
  world_->give_to_third_machine();
  const Status assigned = assign(*a_);
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused);
  EXPECT_FALSE(world_->has_address("a"));
  EXPECT_EQ(seen(*a_), VipPresence::kAbsent);
}

TEST_P(VipConformance, TakesOverWhereToldAndSaysSo) {
  if (world_ == nullptr) GTEST_SKIP();
  world_->give_to_third_machine();
  const Result<VipAssignment> assigned = a_->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.status().error().message;
  EXPECT_EQ(!assigned.value().warnings.empty(), world_->tells_whom_it_took_over_from());
  EXPECT_TRUE(world_->has_address("a"));
}

TEST_P(VipConformance, MovesFromOneHostToTheOther) {
  if (world_ == nullptr) GTEST_SKIP();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(assign(*a_).ok());
    ASSERT_TRUE(a_->remove(soon()).ok());
    ASSERT_TRUE(assign(*b_).ok());
    EXPECT_FALSE(world_->has_address("a"));
    EXPECT_TRUE(world_->has_address("b"));
    ASSERT_TRUE(b_->remove(soon()).ok());
  }
}

// Prepared or not, the result is the same.
TEST_P(VipConformance, PreparingChangesNothingButTime) {
  if (world_ == nullptr) GTEST_SKIP();
  a_->prepare_assign(soon());
  EXPECT_FALSE(world_->has_address("a"));
  const Status assigned = assign(*a_);
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_TRUE(world_->has_address("a"));
  a_->prepare_remove(soon());
  EXPECT_TRUE(world_->has_address("a"));
  const Status removed = a_->remove(soon());
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_FALSE(world_->has_address("a"));
}

TEST_P(VipConformance, WhatWasPreparedAndNotUsedDoesNothing) {
  if (world_ == nullptr) GTEST_SKIP();
  ASSERT_TRUE(assign(*b_).ok());
  b_->prepare_remove(soon());
  b_.reset();
  a_->prepare_assign(soon());
  a_.reset();
  world_->end_sessions();
  EXPECT_TRUE(world_->has_address("b"));
  EXPECT_FALSE(world_->has_address("a"));
}

TEST_P(VipConformance, APreparedAssignRefusesAnotherHolderToo) {
  if (world_ == nullptr) GTEST_SKIP();
  world_->give_to_third_machine();
  a_->prepare_assign(soon());
  const Status assigned = assign(*a_);
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused);
  EXPECT_FALSE(world_->has_address("a"));
}

TEST_P(VipConformance, WithoutASessionItIsUnreachable) {
  if (world_ == nullptr) GTEST_SKIP();
  if (a_->shell_use() != ShellUse::kNeeded) return;  // CloudConformance says what then
  const std::unique_ptr<VipDriver> blind = world_->driver_without_session("a");
  EXPECT_EQ(blind->check(soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(blind->status(soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(blind->other_holders(soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(blind->assign(OtherHolder::kRefuse, soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(blind->remove(soon()).error().code, Code::kUnreachable);
  EXPECT_FALSE(blind->assign_by_hand().empty());
}

TEST_P(VipConformance, APassedDeadlineIsATimeout) {
  if (world_ == nullptr) GTEST_SKIP();
  const Deadline passed{world_->clock().now()};
  const Result<VipAssignment> assigned = a_->assign(OtherHolder::kRefuse, passed);
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
}

}  // namespace mha
