// What every driver of a cloud does in each of its modes, over a fake cloud and over a real one:
// moving, fencing, permissions. Faults are in cloud_fault_conformance.h.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "component/vip/cloud_fixture.h"

namespace mha {

TEST_P(CloudConformance, AssignsWhereNobodyHasItAndAgain) {
  expect_held_by_nobody();
  for (int i = 0; i < 2; ++i) {
    const Result<VipAssignment> assigned = a_->assign(OtherHolder::kRefuse, soon());
    ASSERT_TRUE(assigned.ok()) << assigned.error().message;
    EXPECT_THAT(assigned.value().warnings, testing::IsEmpty());
    expect_held_by("a");
    EXPECT_EQ(seen(*a_), VipPresence::kPresent);
    EXPECT_EQ(seen(*b_), VipPresence::kAbsent);
  }
}

TEST_P(CloudConformance, RemovesWhereNobodyHasItAndAgain) {
  for (int i = 0; i < 2; ++i) expect_ok(a_->remove(soon()));
  expect_held_by_nobody();
  ASSERT_TRUE(assign(*a_).ok());
  for (int i = 0; i < 2; ++i) {
    expect_ok(a_->remove(soon()));
    expect_held_by_nobody();
    EXPECT_EQ(seen(*a_), VipPresence::kAbsent);
  }
}

TEST_P(CloudConformance, ChecksBothHostsAndChangesNothing) {
  for (VipDriver* driver : {a_.get(), b_.get()}) expect_ok(driver->check(soon()));
  expect_held_by_nobody();
  ASSERT_TRUE(assign(*a_).ok());
  for (VipDriver* driver : {a_.get(), b_.get()}) expect_ok(driver->check(soon()));
  expect_held_by("a");
}

// The core tells the counterpart from a stranger by these.
TEST_P(CloudConformance, OneHostsHolderIsTheOthersIdentity) {
  expect_ok(a_->check(soon()));
  EXPECT_THAT(a_->own_identities(), testing::Contains(world_->id_of("a")));
  ASSERT_TRUE(assign(*a_).ok());
  const Result<std::vector<std::string>> others = b_->other_holders(soon());
  ASSERT_TRUE(others.ok()) << others.error().message;
  ASSERT_EQ(others.value().size(), 1U);
  EXPECT_THAT(a_->own_identities(), testing::Contains(others.value().front()));
}

TEST_P(CloudConformance, MovesToAndFro) {
  ASSERT_TRUE(assign(*a_).ok());
  for (int i = 0; i < 2; ++i) {
    a_->prepare_remove(soon());
    expect_ok(a_->remove(soon()));
    b_->prepare_assign(soon());
    expect_ok(assign(*b_));
    expect_held_by("b");
    b_->prepare_remove(soon());
    expect_ok(b_->remove(soon()));
    a_->prepare_assign(soon());
    expect_ok(assign(*a_));
    expect_held_by("a");
  }
}

TEST_P(CloudConformance, TakesItFromALivingCounterpart) {
  ASSERT_TRUE(assign(*a_).ok());
  expect_ok(assign(*b_));
  EXPECT_EQ(world_->api_holders(), Names{"b"});
  EXPECT_TRUE(world_->has_address("b"));
  EXPECT_EQ(seen(*a_), VipPresence::kAbsent);  // whatever its own configuration says
  EXPECT_EQ(seen(*b_), VipPresence::kPresent);
}

// The fencing of the address, where the host cannot be asked.
TEST_P(CloudConformance, TakesItAwayFromAHostThatAnswersNobody) {
  ASSERT_TRUE(assign(*a_).ok());
  world_->unplug("a");
  const std::unique_ptr<VipDriver> dead = blind("a");
  EXPECT_NE(dead->shell_use(), ShellUse::kNeeded);
  EXPECT_EQ(seen(*dead), VipPresence::kPresent);
  for (int i = 0; i < 2; ++i) {
    expect_ok(dead->remove(soon()));
    EXPECT_FALSE(world_->api_holders().contains("a"));
    EXPECT_EQ(seen(*dead), VipPresence::kAbsent);
  }
  const std::unique_ptr<VipDriver> next = fresh("b");
  expect_ok(assign(*next));
  expect_held_by("b");
}

TEST_P(CloudConformance, TakesItOverFromAHostThatAnswersNobody) {
  ASSERT_TRUE(assign(*a_).ok());
  world_->unplug("a");
  const std::unique_ptr<VipDriver> next = fresh("b");
  expect_ok(assign(*next));
  EXPECT_TRUE(world_->has_address("b"));
  if (world_->traits().moves_by_api) {
    EXPECT_EQ(world_->api_holders(), Names{"b"});
  }
}

TEST_P(CloudConformance, AFencedHostGetsItBackWhenItIsAssigned) {
  ASSERT_TRUE(assign(*a_).ok());
  expect_ok(blind("a")->remove(soon()));
  EXPECT_FALSE(world_->has_address("a"));
  const std::unique_ptr<VipDriver> later = fresh("a");
  expect_ok(assign(*later));
  expect_held_by("a");
}

TEST_P(CloudConformance, WithoutASessionOnlyTheInterfaceIsAsked) {
  const std::unique_ptr<VipDriver> dead = blind("a");
  expect_ok(dead->check(soon()));
  EXPECT_FALSE(dead->assign_by_hand().empty());
  EXPECT_FALSE(dead->remove_by_hand().empty());
  const Names before = world_->api_holders();
  const Status assigned = assign(*dead);
  if (world_->traits().has_os_part) {
    ASSERT_FALSE(assigned.ok());
    EXPECT_EQ(assigned.error().code, Code::kUnreachable);
    EXPECT_EQ(world_->api_holders(), before);
  } else {
    expect_ok(assigned);
    expect_held_by("a");
  }
}

TEST_P(CloudConformance, RefusesAThirdHolderByName) {
  if (!world_->traits().moves_by_api) return;
  world_->give_to_third_machine();
  const Result<std::vector<std::string>> others = a_->other_holders(soon());
  ASSERT_TRUE(others.ok());
  EXPECT_THAT(others.value(), testing::ElementsAre(world_->id_of("third")));
  const Status assigned = assign(*a_);
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused) << assigned.error().message;
  EXPECT_THAT(assigned.error().message, testing::HasSubstr(world_->id_of("third")));
  EXPECT_EQ(world_->api_holders(), Names{"third"});
  EXPECT_FALSE(world_->os_has("a"));
  // Not ours to take away either.
  expect_ok(a_->remove(soon()));
  expect_ok(blind("a")->remove(soon()));
  EXPECT_EQ(world_->api_holders(), Names{"third"});
}

TEST_P(CloudConformance, TakesItFromAThirdHolderWhereToldAndSaysSo) {
  if (!world_->traits().moves_by_api) return;
  world_->give_to_third_machine();
  const Result<VipAssignment> assigned = a_->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(assigned.value().warnings,
              testing::Contains(testing::HasSubstr(world_->id_of("third"))));
  expect_held_by("a");
}

TEST_P(CloudConformance, WrongCredentialsAreDeniedAndChangeNothing) {
  ASSERT_TRUE(assign(*a_).ok());
  expect_denied(fresh("b", CloudKeys::kWrong)->check(soon()));
  expect_denied(fresh("a", CloudKeys::kWrong)->status(soon()).status());
  expect_denied(blind("a", CloudKeys::kWrong)->status(soon()).status());
  expect_denied(blind("a", CloudKeys::kWrong)->remove(soon()));
  // Where the hosts decide, it is the old one's answer that is in the way.
  const Status assigned = assign(*fresh("b", CloudKeys::kWrong));
  EXPECT_FALSE(assigned.ok());
  if (world_->traits().moves_by_api) expect_denied(assigned);
  expect_held_by("a");
}

TEST_P(CloudConformance, AMissingPermissionIsDeniedAndChangesNothing) {
  ASSERT_TRUE(assign(*a_).ok());
  expect_denied(blind("a", CloudKeys::kPoor)->remove(soon()));
  expect_held_by("a");
  if (world_->traits().check_sees_permissions) {
    expect_denied(fresh("b", CloudKeys::kPoor)->check(soon()));
  }
  if (world_->traits().moves_by_api) expect_denied(assign(*fresh("b", CloudKeys::kPoor)));
  EXPECT_TRUE(world_->api_holders().contains("a"));
  EXPECT_FALSE(world_->has_address("b"));
  EXPECT_EQ(seen(*a_), VipPresence::kPresent);
}

// Two managers, each sure that its host is the one. A driver's word is for the moment that it read:
// at the end there is one holder, and both see it alike.
TEST_P(CloudConformance, TwoManagersAtOnceEndWithOneHolder) {
  if (!world_->traits().moves_by_api) return;
  for (int i = 0; i < 3; ++i) {
    const std::unique_ptr<VipDriver> one = fresh("a");
    const std::unique_ptr<VipDriver> two = fresh("b");
    auto other = std::async(std::launch::async, [&] { return assign(*two); });
    const Status mine = assign(*one);
    const Status theirs = other.get();
    const Names holders = world_->api_holders();
    ASSERT_EQ(holders.size(), 1U);
    const bool a_has_it = holders.contains("a");
    const Status& its = a_has_it ? mine : theirs;
    const Status& the_others = a_has_it ? theirs : mine;
    // The other may have taken it, and given it back once the holder had seen it nowhere.
    const bool was_given_back =
        !the_others.ok() && the_others.error().message.find("was given back") != std::string::npos;
    EXPECT_TRUE(its.ok() || was_given_back) << its.error().message;
    const std::string holder = *holders.begin();
    EXPECT_TRUE(world_->has_address(holder)) << holder;
    EXPECT_EQ(seen(*a_), a_has_it ? VipPresence::kPresent : VipPresence::kAbsent);
    EXPECT_EQ(seen(*b_), a_has_it ? VipPresence::kAbsent : VipPresence::kPresent);
    for (const char* host : {"a", "b"}) {
      expect_ok(fresh(host)->remove(soon()));
      expect_ok(blind(host)->remove(soon()));
    }
  }
}

TEST_P(CloudConformance, TwoManagersForTheSameHost) {
  ASSERT_TRUE(assign(*a_).ok());
  expect_ok(a_->remove(soon()));
  const std::unique_ptr<VipDriver> one = fresh("b");
  const std::unique_ptr<VipDriver> two = fresh("b");
  auto other = std::async(std::launch::async, [&] { return assign(*two); });
  expect_ok(assign(*one));
  expect_ok(other.get());
  expect_held_by("b");
}

}  // namespace mha
