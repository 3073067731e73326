// What every mode of the AWS driver does with the address, by EC2 and on the host.
#include <atomic>

#include "unit/vip/aws_world.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class AwsModes : public AwsTest, public testing::WithParamInterface<AwsMode> {
 protected:
  AwsModes() { use_mode(GetParam()); }
  [[nodiscard]] bool uses_host() const { return GetParam() != AwsMode::kEip; }
  void assign_to(const std::string& host) {
    const Result<VipAssignment> assigned = driver(host)->assign(OtherHolder::kRefuse, soon());
    ASSERT_TRUE(assigned.ok()) << assigned.error().message;
    EXPECT_THAT(assigned.value().warnings, IsEmpty());
  }
  void expect_only_at(const std::string& host) {
    EXPECT_THAT(holders(), ElementsAre(host == "a" ? kA : kB));
    if (!uses_host()) return;
    EXPECT_NE(on_os(host), "");
    EXPECT_EQ(driver(host)->status(soon()).value(), VipPresence::kPresent);
    EXPECT_EQ(driver(host == "a" ? "b" : "a")->status(soon()).value(), VipPresence::kAbsent);
  }
};

INSTANTIATE_TEST_SUITE_P(Aws, AwsModes, testing::ValuesIn(all_aws_modes()),
                         [](const auto& mode) { return name_of(mode.param); });

TEST_P(AwsModes, AssignsWhereNobodyHasIt) {
  EXPECT_EQ(driver("a")->status(soon()).value(), VipPresence::kAbsent);
  assign_to("a");
  expect_only_at("a");
}

TEST_P(AwsModes, AssigningTwiceChangesNothingTheSecondTime) {
  assign_to("a");
  const std::size_t before = ec2_.actions().size();
  assign_to("a");
  expect_only_at("a");
  const std::vector<std::string> all = ec2_.actions();
  for (std::size_t i = before; i < all.size(); ++i) EXPECT_THAT(all[i], HasSubstr("Describe"));
}

TEST_P(AwsModes, MovesFromTheOtherMasterThatIsAlive) {
  assign_to("a");
  ASSERT_TRUE(driver("a")->remove(soon()).ok());
  EXPECT_EQ(on_os("a"), "");
  assign_to("b");
  expect_only_at("b");
}

TEST_P(AwsModes, TakesItFromTheOtherMasterThatIsDead) {
  assign_to("a");
  shells_["a"].reset();
  assign_to("b");
  EXPECT_THAT(holders(), ElementsAre(kB));
}

TEST_P(AwsModes, RemoveWithAShell) {
  assign_to("a");
  ec2_.set_silent({"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "ReplaceRoute",
                   "CreateRoute", "DeleteRoute"});
  for (int i = 0; i < 2; ++i) {
    const Status removed = driver("a")->remove(soon());
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_EQ(on_os("a"), "");
    EXPECT_EQ(driver("a")->status(soon()).value(), VipPresence::kAbsent);
  }
  // Over a shell it may stay routed to the host; that is said.
  EXPECT_THAT(holders(), uses_host() ? SizeIs(1) : SizeIs(0));
  EXPECT_EQ(log_.has(LogLevel::kWarning, "not on host 'a', and by EC2"), uses_host());
}

TEST_P(AwsModes, RemoveWithoutAShellFencesTheAddress) {
  assign_to("a");
  for (int i = 0; i < 2; ++i) {
    const Status removed = driver_without_shell("a")->remove(soon());
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_THAT(holders(), IsEmpty());
  }
  assign_to("b");
  EXPECT_THAT(holders(), ElementsAre(kB));
}

TEST_P(AwsModes, RemoveWithoutAShellLeavesOthersAlone) {
  give_by_ec2(kB);
  ASSERT_TRUE(driver_without_shell("a")->remove(soon()).ok());
  EXPECT_THAT(holders(), ElementsAre(kB));
}

TEST_P(AwsModes, AThirdHolderIsNamedAndKeepsIt) {
  give_by_ec2(kThird);
  EXPECT_THAT(driver("a")->other_holders(soon()).value(), ElementsAre(kThird));
  const Result<VipAssignment> refused = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr(kThird));
  EXPECT_THAT(holders(), ElementsAre(kThird));
  EXPECT_EQ(on_os("a"), "");
}

TEST_P(AwsModes, AThirdHolderLosesItWhereThatIsSet) {
  give_by_ec2(kThird);
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kTakeOver, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(assigned.value().warnings, ElementsAre(HasSubstr(kThird)));
  expect_only_at("a");
}

TEST_P(AwsModes, TheOtherMasterIsAHolderThatTheCoreKnows) {
  const auto a = driver("a");
  const auto b = driver("b");
  assign_to("a");
  EXPECT_THAT(a->own_identities(), IsEmpty());
  const Status checked = a->check(soon());
  ASSERT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_THAT(a->own_identities(), ElementsAre(kA));
  EXPECT_THAT(b->other_holders(soon()).value(), ElementsAre(kA));
  EXPECT_THAT(a->other_holders(soon()).value(), IsEmpty());
}

TEST_P(AwsModes, WithoutAShell) {
  const auto blind = driver_without_shell("a");
  EXPECT_EQ(blind->shell_use(), uses_host() ? ShellUse::kWanted : ShellUse::kNone);
  EXPECT_TRUE(blind->check(soon()).ok());
  EXPECT_EQ(blind->status(soon()).value(), VipPresence::kAbsent);
  const Result<VipAssignment> assigned = blind->assign(OtherHolder::kRefuse, soon());
  EXPECT_EQ(assigned.ok(), !uses_host());
  if (!uses_host()) return;
  EXPECT_EQ(assigned.error().code, Code::kUnreachable);
  EXPECT_THAT(holders(), IsEmpty());
  give_by_ec2(kA);
  EXPECT_EQ(blind->status(soon()).value(), VipPresence::kPresent);
}

TEST_P(AwsModes, APassedDeadlineIsATimeout) {
  const Result<VipAssignment> late =
      driver("a")->assign(OtherHolder::kRefuse, Deadline{clock_.now()});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::kTimeout);
  EXPECT_THAT(holders(), IsEmpty());
}

// EC2 shows the move some time after it has accepted it.
TEST_P(AwsModes, WaitsUntilTheMoveIsSeen) {
  give_by_ec2(kB);
  const auto a = driver("a");
  ec2_.set_lag(4);
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_GT(clock_.slept(), Milliseconds{0});
  EXPECT_THAT(holders(), ElementsAre(kA));
}

TEST_P(AwsModes, AMoveThatIsNeverSeenIsATimeout) {
  give_by_ec2(kB);
  ec2_.set_lag(1000);
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
  EXPECT_THAT(assigned.error().message, AllOf(HasSubstr("still says"), HasSubstr(kB)));
  EXPECT_LE(clock_.elapsed(), Milliseconds{10100});
}

TEST_P(AwsModes, AHolderThatComesInBetweenIsSeen) {
  give_by_ec2(kB);
  // Another manager moves it on, as soon as ours has moved it.
  std::atomic<bool> moved = false;
  ec2_.set_on_call([this, &moved](const std::string& call) {
    const bool change = call.find("Describe") == std::string::npos;
    if (moved && !change) give_by_ec2(kThird);
    if (change) moved = true;
  });
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ec2_.set_on_call(nullptr);
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kRefused);
  EXPECT_THAT(assigned.error().message, HasSubstr("somebody else has moved"));
  EXPECT_THAT(holders(), ElementsAre(kThird));
  EXPECT_EQ(on_os("a"), "");
}

TEST_P(AwsModes, NoPermissionNamesTheActionAndLeavesTheHostAsItWas) {
  give_by_ec2(kB);
  ec2_.deny({"AssignPrivateIpAddresses", "AssociateAddress", "ReplaceRoute", "CreateRoute"});
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kDenied);
  EXPECT_THAT(assigned.error().message,
              AllOf(HasSubstr("UnauthorizedOperation"), HasSubstr("allow ec2:")));
  EXPECT_THAT(holders(), ElementsAre(kB));
  EXPECT_EQ(on_os("a"), "");
}

TEST_P(AwsModes, PreparingChangesNothing) {
  give_by_ec2(kB);
  {
    const auto a = driver("a");
    a->prepare_assign(soon());
    const auto b = driver("b");
    b->prepare_remove(soon());
  }
  EXPECT_THAT(holders(), ElementsAre(kB));
  EXPECT_EQ(on_os("a"), "");
}

TEST_P(AwsModes, TheCommandsByHandCanBePasted) {
  const auto a = driver_without_shell("a");
  for (const std::string& text : {a->assign_by_hand(), a->remove_by_hand()}) {
    EXPECT_THAT(text, HasSubstr("aws ec2 "));
    EXPECT_THAT(text, HasSubstr("--region eu-west-1"));
    EXPECT_EQ(text.find(" && ssh a 'ip addr ") != std::string::npos, uses_host());
  }
  EXPECT_THAT(a->assign_by_hand(), HasSubstr("Values=10.0.1.11"));
  ASSERT_TRUE(a->check(soon()).ok());
  EXPECT_THAT(a->assign_by_hand(), AllOf(HasSubstr(kA), Not(HasSubstr("Values="))));
}

TEST_P(AwsModes, NoSecretIsLogged) {
  give_by_ec2(kB);
  ASSERT_TRUE(driver("a")->assign(OtherHolder::kRefuse, soon()).ok());
  for (const FakeLog::Line& line : log_.lines())
    EXPECT_THAT(line.text, Not(HasSubstr("TOPSECRET")));
}

TEST_P(AwsModes, TheHostIsNotAskedForNeighbours) {
  ASSERT_TRUE(driver("a")->check(soon()).ok());
  assign_to("a");
  EXPECT_EQ(hosts_["a"]->commands().empty(), !uses_host());
  for (const std::string& script : hosts_["a"]->commands()) {
    EXPECT_THAT(script, Not(HasSubstr("arping\" -")));
  }
}

}  // namespace
}  // namespace mha
