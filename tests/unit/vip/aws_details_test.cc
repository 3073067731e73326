// What is each mode's own.
#include "unit/vip/aws_world.h"
#include "vip/aws_move.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kRoute = "192.168.77.10/32";

TEST_F(AwsTest, SecondaryIpMovesInOneAct) {
  use_mode(AwsMode::kSecondaryIp);
  give_by_ec2(kB);
  ASSERT_TRUE(driver("a")->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(ec2_.actions(), Contains("AssignPrivateIpAddresses").Times(1));
  EXPECT_THAT(ec2_.actions(), Not(Contains("UnassignPrivateIpAddresses")));
  EXPECT_EQ(on_os("a"), "10.0.1.100/24");
}

TEST_F(AwsTest, APrimaryAddressIsNeverTaken) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) { world.interfaces[kThird].ips = {kVip}; });
  for (const OtherHolder other : {OtherHolder::kRefuse, OtherHolder::kTakeOver}) {
    const Result<VipAssignment> assigned = driver("a")->assign(other, soon());
    ASSERT_FALSE(assigned.ok());
    EXPECT_EQ(assigned.error().code, Code::kRefused);
    EXPECT_THAT(assigned.error().message, AllOf(HasSubstr("primary"), HasSubstr(kThird)));
    EXPECT_EQ(on_os("a"), "");
  }
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces[kThird].ips = {"10.0.1.13"};
    world.interfaces[kA].ips = {kVip, "10.0.1.11"};
  });
  EXPECT_EQ(driver_without_shell("a")->remove(soon()).error().code, Code::kRefused);
  EXPECT_THAT(holders(), ElementsAre(kA));
}

TEST_F(AwsTest, AnotherVpcWithTheSameAddressesIsNotOurs) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces["eni-0000000d"] = {"eni-0000000d", "i-0000000d",        "subnet-9",
                                        "vpc-9",        {"10.0.1.12", kVip}, false};
  });
  const auto a = driver("a");
  EXPECT_THAT(a->other_holders(soon()).value(), IsEmpty());
  const Result<VipAssignment> assigned = a->assign(OtherHolder::kRefuse, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
}

TEST_F(AwsTest, SeveralInterfacesWithTheHostsAddressAreNamed) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces["eni-0000000d"] = {"eni-0000000d", "i-0000000d",  "subnet-9",
                                        "vpc-9",        {"10.0.1.11"}, false};
  });
  const Status checked = driver("a")->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message,
              AllOf(HasSubstr(kA), HasSubstr("eni-0000000d"), HasSubstr("set aws_interface_id")));
  settings_.aws.interface_id = kA;
  EXPECT_TRUE(driver("a")->status(soon()).ok());
  settings_.aws.interface_id = "";
  settings_.aws.instance_id = "i-0000000a";
  EXPECT_TRUE(driver("a")->status(soon()).ok());
}

TEST_F(AwsTest, AHostThatEc2DoesNotKnow) {
  use_mode(AwsMode::kSecondaryIp);
  settings_.aws.interface_id = "eni-0000dead";
  const Status checked = driver("a")->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kRefused);
  EXPECT_THAT(checked.error().message,
              AllOf(HasSubstr("eni-0000dead"), HasSubstr("host 'a'"), HasSubstr("app1.conf")));
  EXPECT_THAT(ec2_.actions(), Not(Contains(HasSubstr("Assign"))));
}

TEST_F(AwsTest, TheEndOfTheInstanceIsAFence) {
  for (const AwsMode mode : all_aws_modes()) {
    use_mode(mode);
    give_by_ec2(kA);
    ec2_.with_world([](FakeEc2::World& world) {
      // The address goes with the interface, the Elastic IP's association too, but not the routes.
      world.interfaces.erase(kA);
      world.eips[kEip] = {kPublic, "", "", ""};
    });
    const Status removed = driver_without_shell("a")->remove(soon());
    EXPECT_TRUE(removed.ok()) << name_of(mode) << ": " << removed.error().message;
    // But not where another machine has it: then ours may be there under another name.
    give_by_ec2(kThird);
    const Status refused = driver_without_shell("a")->remove(soon());
    ASSERT_FALSE(refused.ok()) << name_of(mode);
    EXPECT_THAT(refused.error().message, HasSubstr(kThird));
    ec2_.with_world([](FakeEc2::World& world) {
      world.interfaces[kA] = {kA, "i-0000000a", "subnet-1", "vpc-1", {"10.0.1.11"}, false};
    });
  }
}

// With keys or a region of somebody else EC2 knows none of our hosts either: no news is no fence.
TEST_F(AwsTest, AnotherAccountsSilenceIsNoFence) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) {
    world.interfaces.clear();
    world.subnet_range = "172.31.0.0/20";
  });
  const Status removed = driver_without_shell("a")->remove(soon());
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code, Code::kRefused);
  EXPECT_THAT(removed.error().message,
              AllOf(HasSubstr("host 'a'"), HasSubstr("no subnet with 10.0.1.100 and 10.0.1.11"),
                    HasSubstr("aws_region"), HasSubstr("app1.conf")));
  // A subnet with the address alone is another one's.
  ec2_.with_world([](FakeEc2::World& world) { world.subnet_range = "10.0.1.96/28"; });
  EXPECT_FALSE(driver_without_shell("a")->remove(soon()).ok());
  ec2_.with_world([](FakeEc2::World& world) { world.subnet_range.clear(); });
  EXPECT_FALSE(driver_without_shell("a")->remove(soon()).ok());
  ec2_.deny({"DescribeSubnets"});
  const Status denied = driver_without_shell("a")->remove(soon());
  ASSERT_FALSE(denied.ok());
  EXPECT_THAT(denied.error().message, AllOf(HasSubstr("not known"), HasSubstr("DescribeSubnets")));
}

// Of both masters, or of the one whose counterpart the hook does not know yet.
TEST_F(AwsTest, TheSubnetThatIsLeftProvesTheEndOfTheInstances) {
  use_mode(AwsMode::kSecondaryIp);
  ec2_.with_world([](FakeEc2::World& world) { world.interfaces.erase(kA); });
  EXPECT_TRUE(driver_without_shell("a")->remove(soon()).ok());
  EXPECT_THAT(ec2_.actions(), Not(Contains("DescribeSubnets"))) << "the counterpart proves it";
  ec2_.with_world([](FakeEc2::World& world) { world.interfaces.clear(); });
  EXPECT_TRUE(driver_without_shell("a")->remove(soon()).ok());
  EXPECT_THAT(ec2_.actions(), Contains("DescribeSubnets").Times(1));
}

TEST_F(AwsTest, RoutesOfATerminatedInstanceAreTakenOver) {
  use_mode(AwsMode::kRoute);
  give_by_ec2("eni-0000dead");
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_TRUE(assigned.ok()) << assigned.error().message;
  EXPECT_THAT(assigned.value().warnings, IsEmpty());
}

TEST_F(AwsTest, AnElasticIpMapsToTheAddressThatIsSet) {
  use_mode(AwsMode::kEip);
  settings_.aws.private_ip = "10.0.1.55";
  ec2_.with_world(
      [](FakeEc2::World& world) { world.interfaces[kA].ips.emplace_back("10.0.1.55"); });
  give_by_ec2(kA);  // to the primary one
  const auto a = driver("a");
  EXPECT_EQ(a->status(soon()).value(), VipPresence::kAbsent);
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "10.0.1.11"));
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(ec2_.world().eips[kEip].private_ip, "10.0.1.55");
  EXPECT_EQ(a->status(soon()).value(), VipPresence::kPresent);
  ASSERT_TRUE(a->remove(soon()).ok());
  EXPECT_EQ(ec2_.world().eips[kEip].association_id, "");
}

TEST_F(AwsTest, AnElasticIpThatIsNotThereIsNamed) {
  use_mode(AwsMode::kEip);
  settings_.aws.allocation_id = "eipalloc-0000dead";
  const Result<VipPresence> status = driver("a")->status(soon());
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("eipalloc-0000dead"));
}

TEST_F(AwsTest, RoutesAreReplacedWhereThereAreSomeAndMadeWhereNot) {
  use_mode(AwsMode::kRoute);
  ec2_.with_world([](FakeEc2::World& world) { world.tables[kTable2].routes[kRoute] = kB; });
  ASSERT_TRUE(driver("a")->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(ec2_.actions(), Contains(HasSubstr("CreateRoute rtb-")).Times(2));
  EXPECT_THAT(ec2_.actions(), Contains("ReplaceRoute rtb-00000002").Times(1));
  EXPECT_EQ(on_os("a"), "192.168.77.10/32");
}

TEST_F(AwsTest, ARouteThatCameOrWentMeanwhile) {
  for (const std::string first : {"CreateRoute", "ReplaceRoute"}) {
    use_mode(AwsMode::kRoute);
    settings_.aws.route_table_ids = {kTable1};
    ec2_.with_world([&](FakeEc2::World& world) {
      world.tables[kTable1].routes.clear();
      if (first == "ReplaceRoute") world.tables[kTable1].routes[kRoute] = kB;
    });
    ec2_.set_on_call([&](const std::string& call) {
      if (!call.starts_with("ec2 " + first)) return;
      ec2_.with_world([&](FakeEc2::World& world) {
        if (first == "ReplaceRoute") {
          world.tables[kTable1].routes.clear();
        } else {
          world.tables[kTable1].routes[kRoute] = kB;
        }
      });
    });
    const auto a = driver("a");
    const Result<VipAssignment> assigned = a->assign(OtherHolder::kRefuse, soon());
    ec2_.set_on_call(nullptr);
    ASSERT_TRUE(assigned.ok()) << first << ": " << assigned.error().message;
    EXPECT_THAT(holders(), ElementsAre(kA));
  }
}

TEST_F(AwsTest, PartOfTheRoutesIsReportedTableByTable) {
  use_mode(AwsMode::kRoute);
  give_by_ec2(kB);
  ec2_.deny_tables({kTable2});
  const auto a = driver("a");
  const Result<VipAssignment> assigned = a->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kDenied);
  EXPECT_THAT(assigned.error().message,
              AllOf(HasSubstr("1 of 3 route tables were not changed: rtb-00000002: "),
                    HasSubstr("as they should be: rtb-00000001, rtb-00000003"),
                    HasSubstr("host 'a' itself has")));
  // What leads here is served.
  EXPECT_EQ(on_os("a"), "192.168.77.10/32");
  EXPECT_EQ(a->status(soon()).value(), VipPresence::kAbsent);
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "in part only"));
  ec2_.deny_tables({});
  EXPECT_TRUE(a->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(holders(), ElementsAre(kA));
}

TEST_F(AwsTest, RoutesOfV6) {
  use_mode(AwsMode::kRoute);
  settings_.writer_vip = Cidr{"fd00::100", 64, true};
  settings_.aws.route_table_ids = {kTable1};
  ASSERT_TRUE(driver("a")->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(ec2_.world().tables[kTable1].routes["fd00::100/128"], kA);
  EXPECT_EQ(on_os("a"), "fd00::100/128");
  // Nobody would answer duplicate address detection: it is not waited for.
  EXPECT_THAT(hosts_["a"]->commands(), Contains(AllOf(HasSubstr("addr add"), HasSubstr("nodad"))));
  EXPECT_THAT(driver("a")->assign_by_hand(),
              HasSubstr("--destination-ipv6-cidr-block fd00::100/128"));
}

TEST_F(AwsTest, AGatewayThatHasTheRouteIsAThirdHolder) {
  use_mode(AwsMode::kRoute);
  give_by_ec2("igw-00000001");
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message, HasSubstr("igw-00000001"));
}

// The host that could not be changed keeps its clients from an address that leads nowhere.
TEST_F(AwsTest, AHostThatFailsIsSaidWithWhatEc2Did) {
  use_mode(AwsMode::kSecondaryIp);
  hosts_["a"]->set_answer([](const std::string&) -> Result<CommandOutput> {
    return Error{Code::kUnreachable, "the session broke"};
  });
  const Result<VipAssignment> assigned = driver("a")->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message,
              AllOf(HasSubstr("EC2 leads 10.0.1.100 to host 'a'"),
                    HasSubstr("does not answer for it"), HasSubstr("the session broke")));
}

TEST(AwsRanges, AddressesInBlocks) {
  EXPECT_TRUE(is_in_range("10.0.1.100", "10.0.1.0/24"));
  EXPECT_FALSE(is_in_range("10.0.2.100", "10.0.1.0/24"));
  EXPECT_TRUE(is_in_range("10.0.1.127", "10.0.1.0/25"));
  EXPECT_FALSE(is_in_range("10.0.1.128", "10.0.1.0/25"));
  EXPECT_TRUE(is_in_range("10.0.1.1", "0.0.0.0/0"));
  EXPECT_TRUE(is_in_range("fd00::1", "fd00::/8"));
  EXPECT_FALSE(is_in_range("fd00::1", "10.0.0.0/8"));
  EXPECT_FALSE(is_in_range("10.0.0.1", "fd00::/8"));
  for (const char* none : {"", "10.0.1.0", "10.0.1.0/33", "x/8", "10.0.1.0/"}) {
    EXPECT_FALSE(is_in_range("10.0.1.1", none)) << none;
  }
}

}  // namespace
}  // namespace mha
