// openstack_mode = fixed_ip: the old port loses it before the new one has it, or gets it back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/vip/openstack_world.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPutA = fmt::format("PUT /v2.0/ports/{}", kPortA);
const std::string kPutB = fmt::format("PUT /v2.0/ports/{}", kPortB);
const std::string kGetB = fmt::format("GET /v2.0/ports/{}", kPortB);

class FixedIpTest : public testing::Test {
 protected:
  // As after an assign to a.
  static void give_to_a(OpenstackWorld& world) {
    world.cloud.add_fixed_ip(kPortA, kVip);
    world.on_os["a"] = true;
  }
  static int holders(const OpenstackWorld& world) {
    int count = 0;
    for (const char* port : {kPortA, kPortB, kPortC}) {
      if (world.cloud.has_fixed_ip(port, kVip)) ++count;
    }
    return count;
  }

  OpenstackWorld world_{OpenstackMode::kFixedIp};
  FakeOpenstack& cloud_ = world_.cloud;
};

TEST_F(FixedIpTest, MovesOnTheCloudAndOnTheHosts) {
  give_to_a(world_);
  const auto a = world_.driver("a");
  const auto b = world_.driver("b");
  EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kPresent);
  EXPECT_EQ(b->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_THAT(b->other_holders(world_.soon()).value(), ElementsAre(kPortA));
  EXPECT_THAT(a->own_identities(), ElementsAre(kPortA));
  std::size_t before = world_.faults.count();
  ASSERT_TRUE(a->remove(world_.soon()).ok());
  EXPECT_EQ(world_.faults.count() - before, 2U);
  EXPECT_EQ(holders(world_), 0);
  EXPECT_FALSE(world_.on_host("a"));
  before = world_.faults.count();
  const auto assigned = b->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_EQ(world_.faults.count() - before, 2U);
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortB, kVip));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortB, "10.0.1.12"));
  EXPECT_EQ(b->status(world_.soon()).value(), VipPresence::kPresent);
  EXPECT_THAT(world_.scripts, ElementsAre("a del", "b add"));
}

// As where all candidates are looked at, before it is known which of them are the two masters.
TEST_F(FixedIpTest, WhoDoesNotKnowTheOtherMasterCallsNobodyAStranger) {
  give_to_a(world_);
  const auto b = world_.drivers.make(world_.site("b"), nullptr, world_.shells.at("b").get());
  const Status checked = b->check(world_.soon());
  EXPECT_TRUE(checked.ok()) << message_of(checked);
  EXPECT_THAT(b->other_holders(world_.soon()).value(), ElementsAre(kPortA));
}

TEST_F(FixedIpTest, AssignAndRemoveAreIdempotent) {
  for (int i = 0; i < 2; ++i) {
    const auto a = world_.driver("a");
    for (int j = 0; j < 2; ++j) {
      const auto assigned = a->assign(OtherHolder::kRefuse, world_.soon());
      ASSERT_TRUE(assigned.ok()) << message_of(assigned);
      EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kPresent);
    }
  }
  for (int i = 0; i < 2; ++i) {
    const auto a = world_.driver("a");
    for (int j = 0; j < 2; ++j) {
      const Status removed = a->remove(world_.soon());
      ASSERT_TRUE(removed.ok()) << message_of(removed);
      EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kAbsent);
    }
  }
  EXPECT_EQ(cloud_.port(kPortA)["fixed_ips"].size(), 1U);
}

TEST_F(FixedIpTest, IsTakenFromTheCounterpartThatAnswersNobody) {
  give_to_a(world_);
  const auto assigned = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_THAT(assigned.value().warnings, IsEmpty());
  EXPECT_FALSE(cloud_.has_fixed_ip(kPortA, kVip));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortA, "10.0.1.11"));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortB, kVip));
}

TEST_F(FixedIpTest, ADeadHostIsFencedByItsPort) {
  give_to_a(world_);
  const auto bare = world_.bare("a");
  EXPECT_EQ(bare->status(world_.soon()).value(), VipPresence::kPresent);
  ASSERT_TRUE(bare->remove(world_.soon()).ok());
  EXPECT_EQ(holders(world_), 0);
  EXPECT_THAT(world_.scripts, IsEmpty());
  EXPECT_EQ(bare->assign(OtherHolder::kRefuse, world_.soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(holders(world_), 0);
}

TEST_F(FixedIpTest, WhereCloudAndHostDifferItIsAbsentAndSaid) {
  world_.on_os["a"] = true;
  EXPECT_EQ(world_.driver("a")->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_TRUE(world_.log.has(LogLevel::kWarning, "on the host itself, and not on its port"));
  cloud_.add_fixed_ip(kPortB, kVip);
  EXPECT_EQ(world_.driver("b")->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_TRUE(world_.log.has(LogLevel::kWarning, "on its port, and not on the host itself"));
}

TEST_F(FixedIpTest, AThirdPortKeepsItUnlessTold) {
  cloud_.add_fixed_ip(kPortC, kVip);
  const auto refused = world_.driver("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr(kPortC), HasSubstr("server-c"), HasSubstr("port unset --fixed-ip")));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortC, kVip));
  EXPECT_FALSE(world_.on_host("a"));
  const auto taken = world_.driver("a")->assign(OtherHolder::kTakeOver, world_.soon());
  ASSERT_TRUE(taken.ok()) << message_of(taken);
  EXPECT_THAT(taken.value().warnings, ElementsAre(HasSubstr(kPortC)));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortA, kVip));
  EXPECT_FALSE(cloud_.has_fixed_ip(kPortC, kVip));
}

TEST_F(FixedIpTest, TheOnlyAddressOfAPortIsNeverTaken) {
  cloud_.change_port(kPortC, [](auto& port) { port["fixed_ips"][0]["ip_address"] = kVip; });
  const auto taken = world_.driver("a")->assign(OtherHolder::kTakeOver, world_.soon());
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().message, HasSubstr("the only address of port"));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortC, kVip));
}

TEST_F(FixedIpTest, WhatTheNewPortCannotHaveTheOldOneGetsBack) {
  give_to_a(world_);
  // The second change of b's port: the first is refused since a has the address.
  int puts = 0;
  cloud_.set_on_call([&](const std::string& call) {
    if (call == kPutB && ++puts == 2) {
      cloud_.answer_instead(kPutB, FakeOpenstack::refusal(400, "OverQuota", "no more addresses"),
                            1);
    }
  });
  const auto assigned = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(
      assigned.error().message,
      AllOf(HasSubstr("OverQuota"), HasSubstr(fmt::format("given back to port {}", kPortA))));
  EXPECT_TRUE(cloud_.has_fixed_ip(kPortA, kVip));
  EXPECT_EQ(holders(world_), 1);
  EXPECT_FALSE(world_.on_host("b"));
}

TEST_F(FixedIpTest, WhatCannotBeGivenBackIsSaidWithTheCommand) {
  give_to_a(world_);
  // a's port loses it, then nothing of the cloud answers any more.
  bool lost = false;
  world_.cloud.set_on_call([&](const std::string& call) {
    if (call == kPutA && !std::exchange(lost, true)) return;
    if (lost) cloud_.hang("PUT");
  });
  const auto assigned = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
  EXPECT_THAT(assigned.error().message,
              AllOf(HasSubstr("could not be given back"), HasSubstr("no port may have it now"),
                    HasSubstr(fmt::format("port set --fixed-ip ip-address={} {}", kVip, kPortA))));
  EXPECT_LE(world_.clock.elapsed(), Milliseconds{20000});
}

// Call k fails once, before or after it was executed: it comes to where it was to come.
TEST_F(FixedIpTest, SweepOfAssign) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1; k <= 9; ++k) {
      OpenstackWorld world{OpenstackMode::kFixedIp};
      give_to_a(world);
      world.faults.fail_call(k, when, Error{Code::kUnreachable, "connection reset"});
      const auto assigned = world.driver("b")->assign(OtherHolder::kRefuse, world.soon());
      EXPECT_TRUE(assigned.ok()) << k << ": " << message_of(assigned);
      EXPECT_TRUE(world.cloud.has_fixed_ip(kPortB, kVip)) << k;
      EXPECT_EQ(holders(world), 1) << k;
    }
  }
}

// Call k and all after it fail, as where the program is killed there: run again it ends well, and
// never are there two holders.
TEST_F(FixedIpTest, SweepOfBeingKilledAndRunAgain) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1; k <= 9; ++k) {
      OpenstackWorld world{OpenstackMode::kFixedIp};
      give_to_a(world);
      for (std::size_t call = k + (when == FaultTime::kAfter ? 1 : 0); call < k + 200; ++call) {
        world.faults.fail_call(call, FaultTime::kBefore, Error{Code::kRefused, "killed"});
      }
      if (when == FaultTime::kAfter) {
        world.faults.fail_call(k, when, Error{Code::kRefused, "killed"});
      }
      static_cast<void>(world.driver("b")->assign(OtherHolder::kRefuse, world.soon()));
      EXPECT_LE(holders(world), 1) << k;
      world.faults.clear_faults();
      const auto again = world.driver("b")->assign(OtherHolder::kRefuse, world.soon());
      EXPECT_TRUE(again.ok()) << k << ": " << message_of(again);
      EXPECT_TRUE(world.cloud.has_fixed_ip(kPortB, kVip)) << k;
      EXPECT_EQ(holders(world), 1) << k;
    }
  }
}

TEST_F(FixedIpTest, SweepOfRemove) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1; k <= 5; ++k) {
      OpenstackWorld world{OpenstackMode::kFixedIp};
      give_to_a(world);
      world.faults.fail_call(k, when, Error{Code::kUnreachable, "connection reset"});
      const Status removed = world.bare("a")->remove(world.soon());
      EXPECT_TRUE(removed.ok()) << k << ": " << message_of(removed);
      EXPECT_EQ(holders(world), 0) << k;
    }
  }
}

TEST_F(FixedIpTest, AnotherManagerThatTakesItMeanwhileIsSeen) {
  bool taken = false;
  cloud_.set_on_call([&](const std::string& call) {
    if (call == "GET /v2.0/ports" && cloud_.has_fixed_ip(kPortA, kVip) &&
        !std::exchange(taken, true)) {
      cloud_.change_port(kPortA, [](auto& port) { port["fixed_ips"].erase(0); });
      cloud_.change_port(kPortA, [](auto& port) {
        port["fixed_ips"] = {{{"subnet_id", "subnet-network-1"}, {"ip_address", "10.0.1.11"}}};
      });
      cloud_.add_fixed_ip(kPortB, kVip);
    }
  });
  const auto assigned = world_.driver("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message, HasSubstr("another manager"));
  EXPECT_EQ(holders(world_), 1);
}

TEST_F(FixedIpTest, CheckIsContentAndChangesNothing) {
  give_to_a(world_);
  const auto before = cloud_.port(kPortA);
  const Status checked = world_.driver("a")->check(world_.soon());
  EXPECT_TRUE(checked.ok()) << message_of(checked);
  EXPECT_TRUE(world_.bare("b")->check(world_.soon()).ok());
  EXPECT_EQ(cloud_.port(kPortA), before);
}

TEST_F(FixedIpTest, CheckNamesEveryProblemWithItsRemedy) {
  cloud_.set_cidr(kNetwork, "10.9.0.0/16");
  cloud_.make_read_only();
  cloud_.add_fixed_ip(kPortC, kVip);
  world_.has_sudo = false;
  EXPECT_THAT(message_of(world_.driver("a")->check(world_.soon())),
              AllOf(HasSubstr(fmt::format(
                        "host 'a' (port {}): writer_vip_cidr: 10.0.1.100 is in no subnet", kPortA)),
                    HasSubstr("10.9.0.0/16"), HasSubstr("host 'b'"), HasSubstr("403"),
                    HasSubstr(fmt::format("port {}, of compute:nova server-c, has", kPortC)),
                    HasSubstr("sudo -n ip")));
}

TEST_F(FixedIpTest, TheNeighboursAreToldAndNotAsked) {
  world_.strangers = {"02:00:00:00:00:99"};  // the cloud's responder
  std::string script;
  world_.shells["a"]->fake_host().set_answer(
      [&](const std::string& asked) -> Result<CommandOutput> {
        script = asked;
        return CommandOutput{0,
                             "ip=/usr/sbin/ip\nchange=ok\nprobe=\n--addresses--\n2: eth0    inet "
                             "10.0.1.100/24 scope global eth0\n",
                             ""};
      });
  ASSERT_TRUE(world_.driver("a")->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_THAT(script, AllOf(HasSubstr(" -U "), testing::Not(HasSubstr(" -D "))));
}

TEST_F(FixedIpTest, PreparingReadsAhead) {
  const auto a = world_.driver("a");
  a->prepare_assign(world_.soon());
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_THAT(world_.calls(), ElementsAre("GET /v2.0/ports", kPutA, "GET /v2.0/ports"));
}

TEST_F(FixedIpTest, CommandsByHand) {
  world_.settings.openstack.port_id = kPortA;
  EXPECT_EQ(world_.bare("a")->assign_by_hand(),
            fmt::format("openstack port set --fixed-ip ip-address={} {} && ssh a 'sudo ip addr add "
                        "{}/24 dev eth0'",
                        kVip, kPortA, kVip));
  EXPECT_EQ(world_.bare("a")->remove_by_hand(),
            fmt::format("openstack port unset --fixed-ip ip-address={} {}; ssh a 'sudo ip addr del "
                        "{}/24 dev eth0'",
                        kVip, kPortA, kVip));
}

}  // namespace
}  // namespace mha
