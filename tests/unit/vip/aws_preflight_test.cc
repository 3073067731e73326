// check(): what would fail in the night it is needed, all of it at once, each with its remedy.
#include "unit/vip/aws_world.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class AwsPreflight : public AwsTest {
 protected:
  Error problem_of(const std::string& host) {
    const FakeEc2::World before = ec2_.world();
    const Status checked = driver(host)->check(soon());
    EXPECT_FALSE(checked.ok());
    EXPECT_THAT(ec2_.actions(), Each(testing::AnyOf(HasSubstr("Describe"), HasSubstr(" DryRun"))));
    return checked.ok() ? Error{Code::kInternal, ""} : checked.error();
  }
};

TEST_F(AwsPreflight, AllIsWell) {
  for (const AwsMode mode : all_aws_modes()) {
    use_mode(mode);
    const Status checked = driver("a")->check(soon());
    EXPECT_TRUE(checked.ok()) << name_of(mode) << ": " << checked.error().message;
  }
  for (const FakeLog::Line& line : log_.lines()) {
    EXPECT_NE(line.level, LogLevel::kWarning) << line.text;
  }
}

TEST_F(AwsPreflight, MissingPermissionsAreNamed) {
  const std::vector<std::pair<AwsMode, std::vector<std::string>>> needed = {
      {AwsMode::kSecondaryIp, {"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"}},
      {AwsMode::kEip, {"AssociateAddress", "DisassociateAddress"}},
      {AwsMode::kRoute, {"ReplaceRoute", "CreateRoute", "DeleteRoute"}}};
  for (const auto& [mode, actions] : needed) {
    use_mode(mode);
    give_by_ec2(kB);
    ec2_.deny({actions.begin(), actions.end()});
    const Error error = problem_of("a");
    EXPECT_EQ(error.code, Code::kDenied);
    for (const std::string& action : actions) {
      EXPECT_THAT(error.message, HasSubstr("allow ec2:" + action)) << name_of(mode);
    }
  }
  use_mode(AwsMode::kSecondaryIp);
  ec2_.deny({"DescribeNetworkInterfaces"});
  EXPECT_THAT(problem_of("a").message, HasSubstr("allow ec2:DescribeNetworkInterfaces"));
}

TEST_F(AwsPreflight, EverythingThatIsWrongIsInOneError) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces[kB].subnet_id = "subnet-2";
    world.subnet_range = "10.0.9.0/24";
    world.addresses_per_interface = 1;
  });
  ec2_.deny({"AssignPrivateIpAddresses"});
  hosts_["a"]->set_answer([](const std::string&) -> Result<CommandOutput> {
    return CommandOutput{0, "ip=/usr/sbin/ip\nsudo=ok\nlink=\n--addresses--\n", ""};
  });
  const Error error = problem_of("a");
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, AllOf(HasSubstr("subnet-2"), HasSubstr("is not in 10.0.9.0/24"),
                                   HasSubstr("allow ec2:AssignPrivateIpAddresses"),
                                   HasSubstr("all that an interface of t3.micro can have"),
                                   HasSubstr("no network interface 'ens5'"), Not(HasSubstr("\n"))));
}

TEST_F(AwsPreflight, AQuotaThatCannotBeAskedIsAWarning) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.deny({"DescribeInstanceTypes"});
  EXPECT_TRUE(driver("a")->check(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "allow ec2:DescribeInstanceTypes"));
}

TEST_F(AwsPreflight, OneInterfaceForBothMastersIsAMistake) {
  use_mode(AwsMode::kSecondaryIp);
  settings_.aws.interface_id = kA;  // in [default], for both
  EXPECT_THAT(problem_of("b").message, HasSubstr("the interface of both masters"));
}

TEST_F(AwsPreflight, AnElasticIpThatIsAnother) {
  use_mode(AwsMode::kEip);
  settings_.writer_vip = Cidr{"198.51.100.8", 32, false};
  settings_.aws.private_ip = "10.0.1.99";
  EXPECT_THAT(problem_of("a").message,
              AllOf(HasSubstr("is 198.51.100.7, and writer_vip_cidr says 198.51.100.8"),
                    HasSubstr("has no address 10.0.1.99; correct aws_private_ip")));
}

TEST_F(AwsPreflight, WhatRoutesNeed) {
  use_mode(AwsMode::kRoute);
  settings_.writer_vip = Cidr{"10.0.7.7", 32, false};
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces[kA].source_dest_check = true;
    world.tables[kTable3].vpc_id = "vpc-9";
  });
  EXPECT_THAT(problem_of("a").message,
              AllOf(HasSubstr("--no-source-dest-check"), HasSubstr("is in 10.0.0.0/16"),
                    HasSubstr("rtb-00000003 belongs to vpc-9")));
  settings_.aws.route_table_ids = {"rtb-0000dead"};
  EXPECT_THAT(problem_of("a").message, HasSubstr("rtb-0000dead"));
}

TEST_F(AwsPreflight, NothingIsKnownOfAHostWithoutAddress) {
  use_mode(AwsMode::kSecondaryIp);
  VipSite nameless = site("a");
  nameless.ip = "";
  nameless.host = "db1.example.com";
  VipDrivers drivers({ec2_, [](const std::string&) { return std::nullopt; }, clock_, log_});
  const Status checked = drivers.make(nameless, nullptr, nullptr)->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kConfig);
  EXPECT_THAT(
      checked.error().message,
      AllOf(HasSubstr("app1.conf"), HasSubstr("set aws_interface_id in [db1.example.com]")));
}

}  // namespace
}  // namespace mha
