// Names to addresses.
#include "cli/name_lookup.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

Deadline in(Milliseconds span) { return Deadline{std::chrono::steady_clock::now() + span}; }

TEST(NameLookupTest, AddressesAreThemselves) {
  EXPECT_EQ(address_of_name("127.0.0.9", in(Milliseconds{5000})), "127.0.0.9");
  EXPECT_EQ(address_of_name("FD00:0::1", in(Milliseconds{5000})), "fd00::1");
}

TEST(NameLookupTest, LocalhostIsV4First) {
  EXPECT_EQ(address_of_name("localhost", in(Milliseconds{5000})), "127.0.0.1");
}

TEST(NameLookupTest, NoAnswerIsNone) {
  EXPECT_EQ(address_of_name("no host at all", in(Milliseconds{5000})), "");
}

}  // namespace
}  // namespace mha
