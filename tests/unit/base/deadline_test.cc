// Deadlines: what remains of them, and which of two counts.
#include "base/deadline.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

using std::chrono::microseconds;

constexpr TimePoint kNow{std::chrono::hours{10}};

TEST(DeadlineTest, HasPassedFromItsMomentOn) {
  const Deadline deadline{kNow};
  EXPECT_FALSE(deadline.passed(kNow - microseconds{1}));
  EXPECT_TRUE(deadline.passed(kNow));
  EXPECT_TRUE(deadline.passed(kNow + microseconds{1}));
}

TEST(DeadlineTest, RemainingIsRoundedUpAndNeverNegative) {
  const Deadline deadline{kNow};
  EXPECT_EQ(deadline.remaining(kNow - Milliseconds{7}), Milliseconds{7});
  // A wait of 0 ms would spin, or end before the deadline.
  EXPECT_EQ(deadline.remaining(kNow - microseconds{1}), Milliseconds{1});
  EXPECT_EQ(deadline.remaining(kNow - microseconds{7001}), Milliseconds{8});
  EXPECT_EQ(deadline.remaining(kNow), Milliseconds{0});
  EXPECT_EQ(deadline.remaining(kNow + std::chrono::hours{1}), Milliseconds{0});
}

TEST(DeadlineTest, CappedIsTheEarlierOne) {
  const Deadline early{kNow};
  const Deadline late{kNow + Milliseconds{1}};
  EXPECT_EQ(early.capped(late).at(), kNow);
  EXPECT_EQ(late.capped(early).at(), kNow);
}

}  // namespace
}  // namespace mha
