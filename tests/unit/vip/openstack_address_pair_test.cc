// openstack_mode = address_pair: no call at a failover, pairs put back, fencing by the port.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/vip/openstack_world.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AddressPairTest : public testing::Test {
 protected:
  static std::string call(const char* method, const char* port) {
    return fmt::format("{} /v2.0/ports/{}", method, port);
  }

  OpenstackWorld world_{OpenstackMode::kAddressPair};
  FakeOpenstack& cloud_ = world_.cloud;
};

TEST_F(AddressPairTest, MovesWithoutAChangeInTheCloud) {
  world_.on_os["a"] = true;
  const auto a = world_.driver("a");
  const auto b = world_.driver("b");
  ASSERT_TRUE(a->remove(world_.soon()).ok());
  EXPECT_THAT(world_.calls(), IsEmpty());
  const auto assigned = b->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_THAT(assigned.value().warnings, IsEmpty());
  EXPECT_FALSE(world_.on_host("a"));
  EXPECT_TRUE(world_.on_host("b"));
  // The one read that tells that the pair is there.
  EXPECT_THAT(world_.calls(), ElementsAre("GET /v2.0/ports"));
  EXPECT_EQ(b->status(world_.soon()).value(), VipPresence::kPresent);
}

TEST_F(AddressPairTest, StatusAsksTheCloudOnlyWhereTheHostHasIt) {
  EXPECT_EQ(world_.driver("a")->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_THAT(world_.faults.calls(), IsEmpty());
  world_.on_os["a"] = true;
  EXPECT_EQ(world_.driver("a")->status(world_.soon()).value(), VipPresence::kPresent);
  cloud_.set_pairs(kPortA, {});
  EXPECT_EQ(world_.driver("a")->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_TRUE(world_.log.has(LogLevel::kWarning, "its port does not let it through"));
  EXPECT_TRUE(world_.log.has(LogLevel::kWarning,
                             std::string("--allowed-address ip-address=10.0.1.100 ") + kPortA));
}

TEST_F(AddressPairTest, ADeadHostIsFencedByItsPort) {
  world_.on_os["a"] = true;
  cloud_.set_pairs(kPortA, {"10.0.1.50", kVip});
  const auto bare = world_.bare("a");
  EXPECT_EQ(bare->shell_use(), ShellUse::kWanted);
  EXPECT_EQ(bare->status(world_.soon()).value(), VipPresence::kPresent);
  ASSERT_TRUE(bare->remove(world_.soon()).ok());
  EXPECT_FALSE(cloud_.has_pair(kPortA, kVip));
  EXPECT_TRUE(cloud_.has_pair(kPortA, "10.0.1.50"));
  EXPECT_TRUE(cloud_.has_pair(kPortB, kVip));
  EXPECT_EQ(bare->status(world_.soon()).value(), VipPresence::kAbsent);
  ASSERT_TRUE(bare->remove(world_.soon()).ok());  // again
  // And the other host takes the address, which nobody answers for any more.
  const auto assigned = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_THAT(assigned.value().warnings, IsEmpty());
}

TEST_F(AddressPairTest, WithoutAShellNothingIsAssigned) {
  EXPECT_EQ(world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon()).error().code,
            Code::kUnreachable);
  EXPECT_EQ(world_.bare("a")->other_holders(world_.soon()).error().code, Code::kUnreachable);
  EXPECT_THAT(world_.faults.calls(), IsEmpty());
}

TEST_F(AddressPairTest, WhatWasFencedBeforeIsPutBackBeforeTheHostIsTouched) {
  cloud_.set_pairs(kPortA, {"10.0.1.50"});
  const auto a = world_.driver("a");
  EXPECT_FALSE(a->check(world_.soon()).ok());  // knows by now
  world_.cloud.set_on_call([&](const std::string& call) {
    EXPECT_FALSE(call == AddressPairTest::call("PUT", kPortA) && world_.on_host("a"));
  });
  const auto assigned = a->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_TRUE(cloud_.has_pair(kPortA, kVip));
  EXPECT_TRUE(cloud_.has_pair(kPortA, "10.0.1.50"));
  EXPECT_TRUE(world_.on_host("a"));
  EXPECT_THAT(world_.scripts, ElementsAre("a add"));
}

TEST_F(AddressPairTest, WhatIsFoundMissingOnlyThenIsPutBackAndAnnouncedAgain) {
  cloud_.set_pairs(kPortA, {});
  const auto assigned = world_.driver("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_TRUE(cloud_.has_pair(kPortA, kVip));
  EXPECT_THAT(world_.scripts, ElementsAre("a add", "a add"));
}

TEST_F(AddressPairTest, APairThatCannotBePutBackIsAnError) {
  cloud_.set_pairs(kPortA, {});
  cloud_.make_read_only();
  const auto assigned = world_.driver("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kDenied);
  EXPECT_THAT(assigned.error().message,
              AllOf(HasSubstr("its port does not let it through"), HasSubstr("403"),
                    HasSubstr("rule:update_port"), HasSubstr("role member")));
}

TEST_F(AddressPairTest, AFailoverDoesNotNeedTheCloud) {
  for (const char* what : {"POST", "GET"}) {
    OpenstackWorld world{OpenstackMode::kAddressPair};
    world.cloud.hang(what);
    const auto assigned = world.driver("a")->assign(OtherHolder::kRefuse, world.soon());
    ASSERT_TRUE(assigned.ok()) << message_of(assigned);
    EXPECT_THAT(assigned.value().warnings, ElementsAre(HasSubstr("could not be read")));
    EXPECT_TRUE(world.on_host("a"));
    EXPECT_LE(world.clock.elapsed(), Milliseconds{3000});
    EXPECT_TRUE(world.driver("a")->remove(world.soon()).ok());
  }
}

TEST_F(AddressPairTest, TheCounterpartThatStillAnswersIsSilencedByItsPort) {
  world_.on_os["a"] = true;
  const auto assigned = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_THAT(assigned.value().warnings, ElementsAre(HasSubstr("still answered for 10.0.1.100")));
  EXPECT_FALSE(cloud_.has_pair(kPortA, kVip));
  EXPECT_TRUE(world_.on_host("b"));
}

TEST_F(AddressPairTest, AThirdMachineKeepsItUnlessTold) {
  world_.strangers = {"02:00:00:00:00:99"};
  const auto refused = world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("02:00:00:00:00:99"));
  EXPECT_FALSE(world_.on_host("b"));
  EXPECT_TRUE(cloud_.has_pair(kPortA, kVip));
  const auto taken = world_.driver("b")->assign(OtherHolder::kTakeOver, world_.soon());
  ASSERT_TRUE(taken.ok());
  EXPECT_THAT(taken.value().warnings, ElementsAre(HasSubstr("02:00:00:00:00:99")));
}

// Both answer: silencing the one would not make the address free.
TEST_F(AddressPairTest, AThirdMachineBesideTheCounterpartIsNotHiddenByIt) {
  world_.strangers = {"02:00:00:00:00:99"};
  world_.on_os["a"] = true;
  EXPECT_FALSE(world_.driver("b")->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_TRUE(cloud_.has_pair(kPortA, kVip));
  EXPECT_FALSE(world_.on_host("b"));
}

TEST_F(AddressPairTest, CheckIsContentAndChangesNothing) {
  const FakeOpenstack::Json before = cloud_.port(kPortA);
  const auto a = world_.driver("a");
  const Status checked = a->check(world_.soon());
  EXPECT_TRUE(checked.ok()) << message_of(checked);
  EXPECT_EQ(cloud_.port(kPortA), before);
  EXPECT_THAT(a->own_identities(),
              testing::IsSupersetOf({std::string(kPortA), std::string("fa:16:3e:00:00:01")}));
  EXPECT_TRUE(world_.bare("a")->check(world_.soon()).ok());
}

TEST_F(AddressPairTest, CheckNamesEveryProblemWithItsRemedy) {
  cloud_.set_pairs(kPortA, {});
  cloud_.set_pairs(kPortB, {});
  cloud_.add_fixed_ip(kPortC, kVip);
  cloud_.make_read_only();
  world_.has_sudo = false;
  const Status checked = world_.driver("a")->check(world_.soon());
  ASSERT_FALSE(checked.ok());
  const std::string& said = checked.error().message;
  EXPECT_THAT(
      said,
      AllOf(HasSubstr(fmt::format("host 'a' (port {}): its port does not let", kPortA)),
            HasSubstr(fmt::format("port set --allowed-address ip-address={} {}", kVip, kPortA)),
            HasSubstr(fmt::format("host 'b' (port {}): its port does not let", kPortB)),
            HasSubstr("403 PolicyNotAuthorized: (rule:update_port) is disallowed by policy"),
            HasSubstr("shared with the project"),
            HasSubstr(fmt::format("port {} (compute:nova server-c) has", kPortC)),
            HasSubstr("sudo -n ip")));
  EXPECT_EQ(said.find('\n'), std::string::npos);
}

TEST_F(AddressPairTest, CheckSeesPortsThatAreOneOrApart) {
  world_.settings.openstack.port_id = kPortA;
  EXPECT_THAT(message_of(world_.driver("a")->check(world_.soon())),
              HasSubstr("are given the same port: set openstack_port_id"));
  world_.settings.openstack.port_id.clear();
  cloud_.change_port(kPortB, [](auto& port) { port["network_id"] = "network-2"; });
  EXPECT_THAT(message_of(world_.driver("a")->check(world_.soon())),
              HasSubstr("an address can only move within one"));
}

TEST_F(AddressPairTest, AHostWhosePortIsNotFoundIsNamed) {
  cloud_.change_port(kPortA, [](auto& port) { port["fixed_ips"][0]["ip_address"] = "10.0.1.99"; });
  const Status checked = world_.driver("a")->check(world_.soon());
  EXPECT_THAT(message_of(checked), AllOf(HasSubstr("host 'a': no port"), HasSubstr("10.0.1.11"),
                                         HasSubstr("openstack_port_id"), HasSubstr("app.conf")));
  cloud_.add_port("dddddddd-0000-4000-8000-000000000005", "network-2", "10.0.1.12", "server-d");
  EXPECT_THAT(message_of(world_.driver("b")->check(world_.soon())),
              AllOf(HasSubstr("several ports have its address 10.0.1.12"), HasSubstr(kPortB),
                    HasSubstr("openstack_network_id")));
  world_.settings.openstack.network_id = kNetwork;
  EXPECT_THAT(message_of(world_.driver("b")->check(world_.soon())), Not(HasSubstr("several")));
  world_.settings.openstack.port_id = "99999999-0000-4000-8000-000000000009";
  EXPECT_THAT(message_of(world_.driver("b")->check(world_.soon())), HasSubstr("404 PortNotFound"));
}

TEST_F(AddressPairTest, WhatTheCloudCannotTakeAwayIsNotCalledFenced) {
  cloud_.change_port(kPortA, [](auto& port) { port["port_security_enabled"] = false; });
  EXPECT_THAT(message_of(world_.bare("a")->remove(world_.soon())),
              HasSubstr("port security switched off"));
  EXPECT_TRUE(world_.driver("a")->check(world_.soon()).ok());
  EXPECT_TRUE(world_.log.has(LogLevel::kWarning, "port security switched off"));
  cloud_.set_pairs(kPortB, {"10.0.1.0/24"});
  EXPECT_THAT(message_of(world_.bare("b")->remove(world_.soon())),
              HasSubstr("holds other addresses too"));
  EXPECT_TRUE(cloud_.has_pair(kPortB, "10.0.1.0/24"));
  EXPECT_EQ(world_.bare("b")->status(world_.soon()).value(), VipPresence::kPresent);
}

TEST_F(AddressPairTest, APairForAnotherLinkAddressDoesNotCount) {
  cloud_.change_port(kPortA, [](auto& port) {
    port["allowed_address_pairs"][0]["mac_address"] = "00:00:5e:00:01:01";
  });
  EXPECT_THAT(message_of(world_.driver("a")->check(world_.soon())),
              HasSubstr("does not let 10.0.1.100 through"));
}

TEST_F(AddressPairTest, AStaleRevisionIsReadAgain) {
  int meddled = 0;
  cloud_.set_on_call([&](const std::string& call) {
    if (call == AddressPairTest::call("PUT", kPortA) && meddled++ < 2) {
      cloud_.change_port(kPortA, [](auto& port) { port["name"] = "changed meanwhile"; });
    }
  });
  ASSERT_TRUE(world_.bare("a")->remove(world_.soon()).ok());
  EXPECT_EQ(meddled, 3);
  EXPECT_FALSE(cloud_.has_pair(kPortA, kVip));
}

TEST_F(AddressPairTest, MeddlingWithoutEndIsAnErrorAndEnds) {
  int puts = 0;
  cloud_.set_on_call([&](const std::string& call) {
    if (call != AddressPairTest::call("PUT", kPortA)) return;
    ++puts;
    cloud_.change_port(kPortA, [](auto& port) { port["name"] = "changed meanwhile"; });
  });
  EXPECT_THAT(message_of(world_.bare("a")->remove(world_.soon())), HasSubstr("changed by others"));
  EXPECT_EQ(puts, 5);
}

// Whatever call fails once, before or after it was executed: a fencing that says it is done is
// done.
TEST_F(AddressPairTest, SweepOfFencing) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1; k <= 5; ++k) {
      OpenstackWorld world{OpenstackMode::kAddressPair};
      world.faults.fail_call(k, when, Error{Code::kUnreachable, "connection reset"});
      const Status removed = world.bare("a")->remove(world.soon());
      EXPECT_TRUE(removed.ok()) << k << ": " << message_of(removed);
      EXPECT_FALSE(world.cloud.has_pair(kPortA, kVip)) << k;
    }
  }
}

TEST_F(AddressPairTest, PreparingReadsAndNothingElse) {
  cloud_.set_pairs(kPortA, {});
  const auto a = world_.driver("a");
  a->prepare_assign(world_.soon());
  a->prepare_remove(world_.soon());
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_THAT(world_.scripts, ElementsAre("a add"));  // the pair was known to be missing
  world_.driver("b")->prepare_assign(world_.soon());  // and goes at once
}

TEST_F(AddressPairTest, CommandsByHandCanBePasted) {
  world_.settings.openstack.cloud = "prod";
  const auto a = world_.bare("a");
  EXPECT_EQ(a->assign_by_hand(),
            "openstack --os-cloud prod port set --allowed-address ip-address=10.0.1.100 "
            "$(openstack --os-cloud prod port list --fixed-ip ip-address=10.0.1.11 -f value -c ID)"
            "; ssh a 'sudo ip addr add 10.0.1.100/24 dev eth0'");
  world_.settings.openstack.cloud = "";
  world_.settings.openstack.port_id = kPortA;
  EXPECT_EQ(world_.bare("a")->remove_by_hand(),
            std::string("ssh a 'sudo ip addr del 10.0.1.100/24 dev eth0' || openstack port unset "
                        "--allowed-address ip-address=10.0.1.100 ") +
                kPortA);
}

}  // namespace
}  // namespace mha
