// Reading `ip -o addr show` as real hosts print it.
#include "vip/address_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// iproute2 6.1.
constexpr const char* kHost =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever\n"
    "2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global dynamic eth0\\       valid_lft "
    "86011sec preferred_lft 86011sec\n"
    "2: eth0    inet 10.0.0.100/24 scope global secondary eth0\\       valid_lft forever "
    "preferred_lft forever\n"
    "2: eth0    inet6 fd00::100/64 scope global tentative \\       valid_lft forever preferred_lft "
    "forever\n"
    "2: eth0    inet6 fd00::101/64 scope global dadfailed tentative \\       valid_lft forever "
    "preferred_lft forever\n"
    "2: eth0    inet6 fe80::a050:fdff:fe9b:e953/64 scope link \\       valid_lft forever "
    "preferred_lft forever\n"
    "3: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0\\       valid_lft forever "
    "preferred_lft forever\n"
    "4: eth1@if5    inet 192.168.7.1/16 brd 192.168.255.255 scope global eth1\\       valid_lft "
    "forever preferred_lft forever\n";

std::vector<std::string> seen(const std::vector<InterfaceAddress>& addresses) {
  std::vector<std::string> texts;
  for (const InterfaceAddress& entry : addresses) {
    texts.push_back(entry.interface + " " + entry.cidr() + (entry.tentative ? " tentative" : "") +
                    (entry.dad_failed ? " dadfailed" : ""));
  }
  return texts;
}

TEST(AddressListTest, ReadsWhatAHostPrints) {
  EXPECT_THAT(
      seen(parse_ip_addr(kHost)),
      ElementsAre("lo 127.0.0.1/8", "lo ::1/128", "eth0 10.0.0.5/24", "eth0 10.0.0.100/24",
                  "eth0 fd00::100/64 tentative", "eth0 fd00::101/64 tentative dadfailed",
                  "eth0 fe80::a050:fdff:fe9b:e953/64", "tun0 10.8.0.1/32", "eth1 192.168.7.1/16"));
}

TEST(AddressListTest, NamesAnAddressAsItMustBeDeleted) {
  const auto addresses = parse_ip_addr(
      "3: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0\n"
      "3: tun0    inet6 fd00::1 peer fd00::2/128 scope global\n"
      "2: eth0    inet 10.0.0.5/24 scope global eth0\n");
  ASSERT_EQ(addresses.size(), 3U);
  EXPECT_THAT(addresses[0].words(), ElementsAre("10.8.0.1", "peer", "10.8.0.2/32"));
  EXPECT_THAT(addresses[1].words(), ElementsAre("fd00::1", "peer", "fd00::2/128"));
  EXPECT_THAT(addresses[2].words(), ElementsAre("10.0.0.5/24"));
}

TEST(AddressListTest, PassesOverWhatIsNoAddress) {
  EXPECT_THAT(parse_ip_addr(""), IsEmpty());
  EXPECT_THAT(parse_ip_addr("\n\ngarbage\n"
                            "2: eth0    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
                            "2: eth0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state UP\n"
                            "2: eth0    inet\n"
                            "2: eth0    inet 10.0.0.5/x scope global eth0\n"),
              IsEmpty());
}

// The label of an address may be a word that is a flag elsewhere.
// Found by fuzzing: what is printed may become a word of a command.
TEST(AddressListTest, AnAddressIsOneOfItsFamily) {
  for (const char* local : {"inet6 /8", "inet /8", "inet fd00::1/64", "inet6 10.0.0.5/24",
                            "inet $(id)/24", "inet 10.0.0/24"}) {
    EXPECT_THAT(parse_ip_addr(std::string{"2: eth0    "} + local + " scope global eth0\n"),
                IsEmpty())
        << local;
  }
}

TEST(AddressListTest, WordsAfterTheBackslashAreNoFlags) {
  EXPECT_THAT(seen(parse_ip_addr("2: eth0    inet6 fd00::1/64 scope global \\       tentative\n")),
              ElementsAre("eth0 fd00::1/64"));
}

TEST(AddressListTest, FindsByAddressAndNotByText) {
  const auto addresses = parse_ip_addr("2: eth0    inet6 fd00::a/64 scope global\n");
  for (const char* spelling : {"fd00::a", "FD00::A", "fd00:0:0::a", "fd00:0:0:0:0:0:0:a"}) {
    EXPECT_TRUE(find_address(addresses, {spelling, 64, true}, "eth0").has_value()) << spelling;
  }
  for (const char* other : {"fd00::b", "fd00::a0", "::a", "10.0.0.5"}) {
    EXPECT_FALSE(find_address(addresses, {other, 64, true}, "eth0").has_value()) << other;
  }
}

TEST(AddressListTest, APartOfAnAddressIsNotIt) {
  const auto addresses = parse_ip_addr(kHost);
  EXPECT_TRUE(find_address(addresses, {"10.0.0.100", 24, false}, "eth0").has_value());
  EXPECT_FALSE(find_address(addresses, {"10.0.0.10", 24, false}, "eth0").has_value());
  EXPECT_FALSE(find_address(addresses, {"0.0.0.100", 24, false}, "eth0").has_value());
  // The broadcast address and the peer are nobody's here.
  EXPECT_FALSE(find_address(addresses, {"10.0.0.255", 24, false}, "eth0").has_value());
  EXPECT_FALSE(find_address(addresses, {"10.8.0.2", 24, false}, "eth0").has_value());
}

// A v4 address inside v6 is another address for the kernel.
TEST(AddressListTest, V4AndV6AreNeverTheSame) {
  const auto addresses = parse_ip_addr("2: eth0    inet6 ::a00:64/128 scope global\n");
  EXPECT_FALSE(find_address(addresses, {"10.0.0.100", 24, false}, "eth0").has_value());
}

TEST(AddressListTest, OtherPrefixesAndInterfacesCountButThePreferredOneFirst) {
  const auto addresses = parse_ip_addr(
      "1: lo    inet 10.0.0.100/32 scope global lo\n"
      "2: eth0    inet 10.0.0.100/24 scope global eth0\n");
  EXPECT_EQ(find_address(addresses, {"10.0.0.100", 16, false}, "eth0")->interface, "eth0");
  EXPECT_EQ(find_address(addresses, {"10.0.0.100", 16, false}, "lo")->interface, "lo");
  EXPECT_EQ(find_address(addresses, {"10.0.0.100", 16, false}, "eth9")->cidr(), "10.0.0.100/32");
}

}  // namespace
}  // namespace mha
