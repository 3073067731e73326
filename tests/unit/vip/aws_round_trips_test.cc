// How often EC2 is asked while clients wait, and that what is not asked again is no guess.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "unit/vip/aws_world.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class AwsRoundTrips : public AwsTest, public testing::WithParamInterface<AwsMode> {
 protected:
  AwsRoundTrips() { use_mode(GetParam()); }
  // Calls of EC2 that `act` makes.
  template <typename Act>
  std::size_t calls_of(Act act) {
    const std::size_t before = ec2_.actions().size();
    act();
    return ec2_.actions().size() - before;
  }
  [[nodiscard]] static std::size_t moves() { return GetParam() == AwsMode::kRoute ? 3 : 1; }
};

INSTANTIATE_TEST_SUITE_P(Aws, AwsRoundTrips, testing::ValuesIn(all_aws_modes()),
                         [](const auto& mode) { return name_of(mode.param); });

TEST_P(AwsRoundTrips, RightAfterStatusTheMoveIsTheFirstCall) {
  give_by_ec2(kB);
  const auto a = driver("a");
  ASSERT_TRUE(a->status(soon()).ok());
  EXPECT_EQ(calls_of([&] { ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok()); }),
            moves() + 1);
  EXPECT_THAT(holders(), ElementsAre(kA));
}

TEST_P(AwsRoundTrips, WhatIsPreparedIsNotAskedAgain) {
  give_by_ec2(kB);
  const auto a = driver("a");
  a->prepare_assign(soon());
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  // The interfaces, who has it, the move, reading back.
  EXPECT_THAT(ec2_.actions(), SizeIs(moves() + 3));
  EXPECT_THAT(holders(), ElementsAre(kA));
}

// Each waits in its call until the other has begun its own: one after the other would be a
// time-out.
TEST_P(AwsRoundTrips, TheInterfacesAndTheHolderAreAskedForAtOnce) {
  give_by_ec2(kB);
  for (const bool blind : {false, true}) {
    std::mutex mutex;
    std::condition_variable changed;
    int begun = 0;
    bool met = true;
    ec2_.set_on_call([&](const std::string&) {
      std::unique_lock lock{mutex};
      ++begun;
      changed.notify_all();
      if (begun <= 2 &&
          !changed.wait_for(lock, std::chrono::seconds{20}, [&] { return begun >= 2; })) {
        met = false;
      }
    });
    const auto b = blind ? driver_without_shell("b") : driver("b");
    if (blind) {
      EXPECT_TRUE(b->remove(soon()).ok());
    } else {
      EXPECT_TRUE(b->status(soon()).ok());
    }
    ec2_.set_on_call(nullptr);
    EXPECT_TRUE(met);
  }
}

TEST_P(AwsRoundTrips, WhatStatusSawIsAskedAnewASecondLater) {
  give_by_ec2(kB);
  const auto a = driver("a");
  ASSERT_TRUE(a->status(soon()).ok());
  give_by_ec2(kThird);
  clock_.sleep_for(Milliseconds{1000});
  const Result<VipAssignment> assigned = a->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message, HasSubstr(kThird));
  EXPECT_THAT(holders(), ElementsAre(kThird));
}

TEST_P(AwsRoundTrips, WhatStatusSawIsUsedOnce) {
  give_by_ec2(kB);
  const auto a = driver("a");
  ASSERT_TRUE(a->status(soon()).ok());
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  give_by_ec2(kThird);
  EXPECT_FALSE(a->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(holders(), ElementsAre(kThird));
}

// "It is here already" is said of now, not of a moment ago.
TEST_P(AwsRoundTrips, ThatItIsHereAlreadyIsReadAnew) {
  give_by_ec2(kA);
  const auto a = driver("a");
  ASSERT_TRUE(a->status(soon()).ok());
  give_by_ec2(kB);
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(holders(), ElementsAre(kA));
}

TEST_P(AwsRoundTrips, ARemovalByEc2AfterStatus) {
  give_by_ec2(kA);
  const auto a = driver_without_shell("a");
  ASSERT_EQ(a->status(soon()).value(), VipPresence::kPresent);
  const std::size_t looks = GetParam() == AwsMode::kEip ? 1 : 2;
  EXPECT_EQ(calls_of([&] { ASSERT_TRUE(a->remove(soon()).ok()); }), moves() + looks);
  EXPECT_THAT(holders(), SizeIs(0));
}

class AwsEipTest : public AwsTest {
 protected:
  AwsEipTest() { use_mode(AwsMode::kEip); }
  void associate(const std::string& interface_id, const std::string& association_id) {
    ec2_.with_world([&](FakeEc2::World& world) {
      world.eips[kEip] = {kPublic, association_id, interface_id,
                          world.interfaces[interface_id].ips.front()};
    });
  }
};

// The association that was seen is over: another one of this host's is taken away all the same, and
// that of another machine is not.
TEST_F(AwsEipTest, AnAssociationThatIsNewSinceStatus) {
  for (const std::string now_at : {kA, kThird}) {
    associate(kA, "eipassoc-00000001");
    const auto a = driver("a");
    ASSERT_EQ(a->status(soon()).value(), VipPresence::kPresent);
    associate(now_at, "eipassoc-00000002");
    const Status removed = a->remove(soon());
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_EQ(ec2_.world().eips[kEip].interface_id, now_at == kA ? "" : kThird);
  }
}

// A refusal of the first try is what the second says, in whole.
TEST_F(AwsEipTest, ARemovalThatIsNotPermitted) {
  associate(kA, "eipassoc-00000001");
  const auto a = driver("a");
  ASSERT_TRUE(a->status(soon()).ok());
  ec2_.deny({"DisassociateAddress"});
  const Status removed = a->remove(soon());
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code, Code::kDenied);
  EXPECT_EQ(ec2_.world().eips[kEip].interface_id, kA);
}

}  // namespace
}  // namespace mha
