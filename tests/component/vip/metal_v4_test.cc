// The metal driver and a v4 address on a real network: found in strange places, moved under the
// eyes of a neighbour.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "component/vip/test_network.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MetalV4Test : public MetalNetworkTest {
 protected:
  MetalV4Test() : MetalNetworkTest({"10.99.0.100", 24, false}) {}

  // The neighbour has spoken to `machine` under the address.
  void neighbour_knows(const std::string& machine) {
    network().on("lan", "ping -c 1 -W 2 10.99.0.100");
    ASSERT_EQ(network().neighbour_entry("10.99.0.100"), network().link_address(machine));
  }
};

TEST_F(MetalV4Test, CheckIsSilentWhereAllIsWell) {
  EXPECT_TRUE(driver_->check(soon()).ok());
  EXPECT_THAT(metal_->log().lines(), IsEmpty());
}

TEST_F(MetalV4Test, AnInterfaceThatIsNotThereIsNamed) {
  metal_->place().interface = "eth7";
  renew_driver();
  const Status checked = driver_->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("'host-a'"), HasSubstr("'eth7'")));
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message, HasSubstr("eth7"));
  // Nothing to remove there, and nothing is.
  EXPECT_TRUE(driver_->remove(soon()).ok());
}

TEST_F(MetalV4Test, AnInterfaceThatIsDownIsNamed) {
  driver_->prepare_assign(soon());
  for (const auto& [machine, command] :
       {std::pair{"lan", "ip link set port-a down"}, std::pair{"a", "ip link set eth0 down"}}) {
    network().on(machine, command);
    ASSERT_TRUE(network().eventually(
        [this] { return network().on("a", "cat /sys/class/net/eth0/operstate") != "up\n"; }));
    const Status checked = driver_->check(soon());
    ASSERT_FALSE(checked.ok()) << command;
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr("'eth0' is down"), HasSubstr("ip link")));
    // Prepared, and then not.
    const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
    ASSERT_FALSE(assigned.ok()) << command;
    EXPECT_THAT(assigned.error().message, HasSubstr("which is down"));
    EXPECT_TRUE(driver_->remove(soon()).ok());
  }
}

TEST_F(MetalV4Test, AnAddressWithAnotherPrefixIsTheAddress) {
  network().on("a", "ip addr add 10.99.0.100/32 dev eth0");
  EXPECT_EQ(seen(), VipPresence::kPresent);
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(network().on("a", "ip -o addr show"), Not(HasSubstr("10.99.0.100/24")));
  const Status removed = driver_->remove(soon());
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_FALSE(metal_->has_address("a"));
}

TEST_F(MetalV4Test, AnAddressOnAnotherInterfaceIsTheAddress) {
  network().on("a",
               "ip link add other0 type veth peer name other1; ip link set other0 up; "
               "ip addr add 10.99.0.100/24 dev other0");
  EXPECT_EQ(seen(), VipPresence::kPresent);
  EXPECT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  const Status removed = driver_->remove(soon());
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_FALSE(metal_->has_address("a"));
}

TEST_F(MetalV4Test, AnAddressThatIsThereTwiceIsRemovedTwice) {
  network().on("a", "ip addr add 10.99.0.100/24 dev eth0; ip addr add 10.99.0.100/32 dev lo");
  const Status removed = driver_->remove(soon());
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_FALSE(metal_->has_address("a"));
}

TEST_F(MetalV4Test, AnAddressWithAPeerIsRemovedToo) {
  network().on("a", "ip addr add 10.99.0.100 peer 10.99.0.200/32 dev eth0");
  EXPECT_EQ(seen(), VipPresence::kPresent);
  const Status removed = driver_->remove(soon());
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_FALSE(metal_->has_address("a"));
}

TEST_F(MetalV4Test, TheOtherAddressesStay) {
  const std::string before = network().on("a", "ip -o -4 addr show");
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  ASSERT_TRUE(driver_->remove(soon()).ok());
  EXPECT_EQ(network().on("a", "ip -o -4 addr show"), before);
}

TEST_F(MetalV4Test, TheNeighbourLearnsAtOnceWhoHasItNow) {
  network().on("b", "ip addr add 10.99.0.100/24 dev eth0");
  neighbour_knows("b");
  network().on("b", "ip addr del 10.99.0.100/24 dev eth0");
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(network().eventually(
      [&] { return network().neighbour_entry("10.99.0.100") == network().link_address("a"); },
      Milliseconds{500}))
      << network().neighbour_entry("10.99.0.100");
}

TEST_F(MetalV4Test, TheNeighbourIsToldAgainWhereTheHostHasItAlready) {
  network().on("b", "ip addr add 10.99.0.100/24 dev eth0");
  neighbour_knows("b");
  network().on("b", "ip addr del 10.99.0.100/24 dev eth0");
  network().on("a", "ip addr add 10.99.0.100/24 dev eth0");
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(network().eventually(
      [&] { return network().neighbour_entry("10.99.0.100") == network().link_address("a"); },
      Milliseconds{500}));
}

TEST_F(MetalV4Test, APreparedAssignTellsTheNeighbourToo) {
  network().on("b", "ip addr add 10.99.0.100/24 dev eth0");
  neighbour_knows("b");
  network().on("b", "ip addr del 10.99.0.100/24 dev eth0");
  driver_->prepare_assign(soon());
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(network().eventually(
      [&] { return network().neighbour_entry("10.99.0.100") == network().link_address("a"); },
      Milliseconds{500}));
}

TEST_F(MetalV4Test, TheNeighbourIsTurnedAwayFromWhoCouldNotBeFenced) {
  network().on("b", "ip addr add 10.99.0.100/24 dev eth0");
  neighbour_knows("b");
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(assigned.value().warnings, Contains(testing::ResultOf(
                                             [](std::string text) {
                                               for (char& c : text)
                                                 c = static_cast<char>(tolower(c));
                                               return text;
                                             },
                                             HasSubstr(network().link_address("b")))));
  EXPECT_TRUE(network().eventually(
      [&] { return network().neighbour_entry("10.99.0.100") == network().link_address("a"); },
      Milliseconds{500}));
}

TEST_F(MetalV4Test, AHolderIsNamedByItsLinkAddressAndNothingIsAdded) {
  network().on("b", "ip addr add 10.99.0.100/24 dev eth0");
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused);
  std::string message = assigned.error().message;
  for (char& c : message) c = static_cast<char>(tolower(c));
  EXPECT_THAT(message, HasSubstr(network().link_address("b")));
  EXPECT_FALSE(metal_->has_address("a"));
  // Nor is the neighbour misled.
  neighbour_knows("b");
}

// A second before each: the answer must not wait for them.
TEST_F(MetalV4Test, AnnouncementsGoOnInTheBackgroundAndEnd) {
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(network().running("a"), Contains("arping"));
  EXPECT_TRUE(
      network().eventually([&] { return network().running("a").empty(); }, Milliseconds{10000}));
}

TEST_F(MetalV4Test, WhereArpingIsNotRequiredNoneRuns) {
  metal_->place().talk = NeighbourTalk::kNone;
  renew_driver();
  EXPECT_TRUE(driver_->check(soon()).ok());
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(network().running("a"), Not(Contains("arping")));
  EXPECT_TRUE(metal_->has_address("a"));
}

// Two failovers after each other must not see each other's announcements as another holder.
TEST_F(MetalV4Test, ThereAndBackAtOnce) {
  const std::unique_ptr<VipDriver> other = metal_->driver("b");
  for (int i = 0; i < 3; ++i) {
    const Result<VipAssignment> there = driver_->assign(OtherHolder::kRefuse, soon());
    ASSERT_TRUE(there.ok()) << there.error().message;
    ASSERT_TRUE(driver_->remove(soon()).ok());
    const Result<VipAssignment> back = other->assign(OtherHolder::kRefuse, soon());
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_TRUE(other->remove(soon()).ok());
  }
}

TEST_F(MetalV4Test, WithSudoAsRoot) {
  LocalShell here("here", network().clock());
  const Result<CommandOutput> sudo = here.run("sudo -n true", soon());
  if (!sudo.ok() || sudo.value().exit_status != 0) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string{ci} == "true") << "no sudo for root here";
    GTEST_SKIP() << "no sudo for root here";
  }
  metal_->place().requires_sudo = true;
  renew_driver();
  EXPECT_TRUE(driver_->check(soon()).ok());
  EXPECT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(metal_->has_address("a"));
  driver_->prepare_remove(soon());
  EXPECT_TRUE(driver_->remove(soon()).ok());
  EXPECT_FALSE(metal_->has_address("a"));
}

}  // namespace
}  // namespace mha
