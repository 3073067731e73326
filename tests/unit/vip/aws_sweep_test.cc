// Each call of EC2 and of the host failing once: nobody gets two holders, and going again ends
// well.
#include <tuple>

#include "unit/vip/aws_world.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Case = std::tuple<AwsMode, FaultTime, Code>;

class AwsSweep : public AwsTest, public testing::WithParamInterface<Case> {
 protected:
  AwsSweep() { use_mode(std::get<0>(GetParam())); }
  void fail_call(std::size_t k) {
    faults_.fail_call(k, std::get<1>(GetParam()), Error{std::get<2>(GetParam()), "the fault"});
  }
  // kUnreachable and kTimeout of one call are tried again, and never seen.
  [[nodiscard]] bool is_tried_again() const { return std::get<2>(GetParam()) != Code::kDenied; }
};

INSTANTIATE_TEST_SUITE_P(Aws, AwsSweep,
                         testing::Combine(testing::ValuesIn(all_aws_modes()),
                                          testing::Values(FaultTime::kBefore, FaultTime::kAfter),
                                          testing::Values(Code::kUnreachable, Code::kTimeout,
                                                          Code::kDenied)),
                         [](const auto& one) {
                           return name_of(std::get<0>(one.param)) +
                                  (std::get<1>(one.param) == FaultTime::kBefore ? "Before"
                                                                                : "After") +
                                  std::string(to_string(std::get<2>(one.param)));
                         });

TEST_P(AwsSweep, Assign) {
  for (std::size_t k = 1;; ++k) {
    give_by_ec2(kB);
    set_on_os("a", "");
    faults_.clear_faults();
    const std::size_t before = faults_.count();
    fail_call(before + k);
    const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
    const std::size_t calls = faults_.count() - before;
    EXPECT_EQ(assigned.ok(), is_tried_again() || calls < k) << "call " << k;
    if (assigned.ok()) {
      EXPECT_THAT(holders(), ElementsAre(kA)) << "call " << k;
    } else if (std::get<0>(GetParam()) != AwsMode::kRoute) {
      EXPECT_THAT(holders(), SizeIs(1)) << "call " << k;
    }
    // As another process would.
    faults_.clear_faults();
    const Result<VipAssignment> again = driver("a")->assign(OtherHolder::kRefuse, soon());
    ASSERT_TRUE(again.ok()) << "call " << k << ": " << again.error().message;
    EXPECT_THAT(holders(), ElementsAre(kA)) << "call " << k;
    EXPECT_EQ(on_os("a") != "", std::get<0>(GetParam()) != AwsMode::kEip) << "call " << k;
    if (calls < k) break;
    ASSERT_LT(k, 50U);
  }
}

TEST_P(AwsSweep, RemoveWithoutAShell) {
  for (std::size_t k = 1;; ++k) {
    give_by_ec2(kA);
    faults_.clear_faults();
    const std::size_t before = faults_.count();
    fail_call(before + k);
    const Status removed = driver_without_shell("a")->remove(soon());
    const std::size_t calls = faults_.count() - before;
    EXPECT_EQ(removed.ok(), is_tried_again() || calls < k) << "call " << k;
    EXPECT_TRUE(!removed.ok() || holders().empty()) << "call " << k;
    faults_.clear_faults();
    const Status again = driver_without_shell("a")->remove(soon());
    ASSERT_TRUE(again.ok()) << "call " << k << ": " << again.error().message;
    EXPECT_THAT(holders(), IsEmpty()) << "call " << k;
    if (calls < k) break;
    ASSERT_LT(k, 50U);
  }
}

TEST_P(AwsSweep, ReadingChangesNothingAndIsNeverGuessed) {
  for (std::size_t k = 1;; ++k) {
    give_by_ec2(kA);
    set_on_os("a", "10.0.0.1/32");
    faults_.clear_faults();
    const std::size_t before = faults_.count();
    fail_call(before + k);
    const auto a = driver_without_shell("a");
    const Result<VipPresence> status = a->status(soon());
    const std::size_t calls = faults_.count() - before;
    EXPECT_EQ(status.ok(), is_tried_again() || calls < k);
    EXPECT_TRUE(!status.ok() || status.value() == VipPresence::kPresent);
    EXPECT_THAT(holders(), ElementsAre(kA));
    if (calls < k) break;
    ASSERT_LT(k, 50U);
  }
}

}  // namespace
}  // namespace mha
