// What a port says about one address.
#include "vip/neutron_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

const Cidr kV4{"10.0.1.100", 24, false};
const Cidr kV6{"fd00::100", 64, true};

TEST(NeutronTypes, RangesHoldAddresses) {
  for (const char* range :
       {"10.0.1.100", "10.0.1.100/32", "10.0.1.0/24", "10.0.1.96/28", "0.0.0.0/0", "10.0.0.0/15"}) {
    EXPECT_TRUE(range_holds(range, kV4)) << range;
    EXPECT_FALSE(range_holds(range, kV6)) << range;
  }
  for (const char* range : {"10.0.1.101", "10.0.1.0/28", "10.0.2.0/24", "", "x", "10.0.1.0/33",
                            "10.0.1.0/", "10.0.1.0/2x", "10.0.1"}) {
    EXPECT_FALSE(range_holds(range, kV4)) << range;
  }
  EXPECT_TRUE(range_holds("fd00::/64", kV6));
  EXPECT_TRUE(range_holds("fd00:0:0:0::100", kV6));
  EXPECT_FALSE(range_holds("fd00::/120", Cidr{"fd00::1:100", 64, true}));
}

TEST(NeutronTypes, PairsMatchByAddressRangeAndLinkAddress) {
  NeutronPort port;
  port.mac = "fa:16:3e:00:00:01";
  EXPECT_EQ(port.pair_for(kV4), PairMatch::kNone);
  port.pairs = {{"10.0.1.100", "00:00:5e:00:01:01"}};
  EXPECT_EQ(port.pair_for(kV4), PairMatch::kNone);
  port.pairs.push_back({"10.0.1.100", port.mac});
  EXPECT_EQ(port.pair_for(kV4), PairMatch::kExact);
  EXPECT_TRUE(port.lets_through(kV4));
  EXPECT_FALSE(port.lets_through(kV6));
  // Another link address would speak for the same address: that goes as well.
  EXPECT_TRUE(port.pairs_without(kV4).empty());
  port.pairs.push_back({"10.0.0.0/16", ""});
  EXPECT_EQ(port.pair_for(kV4), PairMatch::kWider);
  EXPECT_EQ(port.pairs_without(kV4).size(), 1U);
}

TEST(NeutronTypes, WithoutPortSecurityAllPasses) {
  NeutronPort port;
  port.port_security = false;
  EXPECT_TRUE(port.lets_through(kV4));
  port.port_security = true;
  port.fixed_ips = {{"s", "10.0.1.11"}, {"s", "10.0.1.100"}};
  EXPECT_TRUE(port.lets_through(kV4));
  ASSERT_EQ(port.fixed_ips_without("10.0.1.100").size(), 1U);
  EXPECT_EQ(port.fixed_ips_without("10.0.1.100").front().address, "10.0.1.11");
}

}  // namespace
}  // namespace mha
