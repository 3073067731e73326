// The metal driver and a v6 address on a real network: duplicate address detection, and neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "component/vip/test_network.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetalV6Test : public MetalNetworkTest {
 protected:
  MetalV6Test() : MetalNetworkTest({"fd99::100", 64, true}) {}

  std::string line() {
    return network().on("a", "ip -o -6 addr show | grep ' fd99::100/' || true");
  }
};

TEST_F(MetalV6Test, AnAssignedAddressCanBeUsed) {
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(line(), Not(HasSubstr("tentative")));
  network().on("lan", "ping -6 -c 1 -W 2 fd99::100");
}

TEST_F(MetalV6Test, AnotherSpellingIsTheSameAddress) {
  network().on("a", "ip addr add fd99:0:0:0::0100/64 dev eth0 nodad");
  EXPECT_EQ(seen(), VipPresence::kPresent);
  EXPECT_TRUE(driver_->remove(soon()).ok());
  EXPECT_EQ(line(), "");
}

TEST_F(MetalV6Test, AnotherPrefixIsTheSameAddress) {
  network().on("a", "ip addr add fd99::100/128 dev eth0 nodad");
  EXPECT_EQ(seen(), VipPresence::kPresent);
  EXPECT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(driver_->remove(soon()).ok());
  EXPECT_EQ(line(), "");
}

TEST_F(MetalV6Test, ADuplicateIsRefusedAndTakenAwayAgain) {
  network().on("b", "ip addr add fd99::100/64 dev eth0 nodad");
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused);
  EXPECT_THAT(assigned.error().message, HasSubstr("fd99::100"));
  EXPECT_EQ(line(), "");
}

TEST_F(MetalV6Test, ATakeOverCanBeUsedAtOnce) {
  network().on("b", "ip addr add fd99::100/64 dev eth0 nodad");
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(line(), HasSubstr("fd99::100/64"));
  EXPECT_THAT(line(), Not(HasSubstr("dadfailed")));
}

// A start that was refused by duplicate address detection, or a boot script, may have left it so.
TEST_F(MetalV6Test, ATakeOverMendsAFailedDetection) {
  network().on("b", "ip addr add fd99::100/64 dev eth0 nodad");
  network().on("a", "ip addr add fd99::100/64 dev eth0");
  ASSERT_TRUE(network().eventually([&] { return line().find("dadfailed") != std::string::npos; }));
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(line(), HasSubstr("fd99::100/64"));
  EXPECT_THAT(line(), Not(HasSubstr("dadfailed")));
}

// The kernel does not use it: the host does not have it.
TEST_F(MetalV6Test, AFailedDetectionIsNoAddress) {
  network().on("b", "ip addr add fd99::100/64 dev eth0 nodad");
  network().on("a", "ip addr add fd99::100/64 dev eth0");
  ASSERT_TRUE(network().eventually([&] { return line().find("dadfailed") != std::string::npos; }));
  EXPECT_EQ(seen(), VipPresence::kAbsent);
  EXPECT_TRUE(driver_->remove(soon()).ok());
  EXPECT_EQ(line(), "");
}

TEST_F(MetalV6Test, WithoutNdiscNotifyThereIsAWarning) {
  network().on("a",
               "sysctl -qw net.ipv6.conf.eth0.ndisc_notify=0 net.ipv6.conf.all.ndisc_notify=0");
  EXPECT_TRUE(driver_->check(soon()).ok());
  EXPECT_TRUE(metal_->log().has(LogLevel::kWarning, "net.ipv6.conf.eth0.ndisc_notify=1"));
}

TEST_F(MetalV6Test, WithNdiscNotifyTheNeighbourLearnsWhoHasItNow) {
  network().on("a", "sysctl -qw net.ipv6.conf.eth0.ndisc_notify=1");
  EXPECT_TRUE(driver_->check(soon()).ok());
  EXPECT_FALSE(metal_->log().has(LogLevel::kWarning, "ndisc_notify"));
  network().on("b", "ip addr add fd99::100/64 dev eth0 nodad");
  network().on("lan", "ping -6 -c 1 -W 2 fd99::100");
  ASSERT_EQ(network().neighbour_entry("fd99::100"), network().link_address("b"));
  network().on("b", "ip addr del fd99::100/64 dev eth0");
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(network().eventually(
      [&] { return network().neighbour_entry("fd99::100") == network().link_address("a"); },
      Milliseconds{1000}))
      << network().neighbour_entry("fd99::100");
}

}  // namespace
}  // namespace mha
