// The calls of EC2 on the wire: what is sent, what is tried again, and what is never a success.
#include "vip/ec2_query.h"

#include "unit/vip/aws_world.h"
#include "vip/ec2_api.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class Ec2Test : public AwsTest {
 protected:
  Ec2Test() { use_mode(AwsMode::kSecondaryIp); }
  Status assign() { return driver("a")->assign(OtherHolder::kRefuse, soon()).status(); }
  // One call.
  Status look() {
    Ec2Api api({ec2_, environ_of_test(), clock_, log_}, "", settings_.aws.region,
               settings_.aws.ca_file, "app1.conf: [db1]");
    return api.interfaces({{"addresses.private-ip-address", {kVip}}, {"vpc-id", {"vpc-1"}}}, soon())
        .status();
  }
  [[nodiscard]] HttpRequest last_request() const { return ec2_.requests().back(); }
};

TEST_F(Ec2Test, WhatIsSent) {
  ASSERT_TRUE(look().ok());
  const HttpRequest request = last_request();
  EXPECT_EQ(request.method, HttpMethod::kPost);
  EXPECT_EQ(request.url, "https://ec2.eu-west-1.amazonaws.com/");
  EXPECT_EQ(request.body.reveal(),
            "Action=DescribeNetworkInterfaces&Version=2016-11-15&Filter.1.Name=addresses.private-"
            "ip-address&Filter.1.Value.1=10.0.1.100&Filter.2.Name=vpc-id&Filter.2.Value.1=vpc-1");
  ASSERT_TRUE(request.signature.has_value());
  EXPECT_EQ(request.signature->service, "ec2");
  EXPECT_EQ(request.signature->region, "eu-west-1");
  EXPECT_EQ(request.signature->access_key_id, "AKIATEST");
  EXPECT_EQ(request.proxy, HttpProxy::kFromEnvironment);
}

TEST_F(Ec2Test, EndpointsOfRegionsAndOfTheEnvironment) {
  settings_.aws.region = "cn-north-1";
  settings_.aws.ca_file = "/etc/ca.pem";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(last_request().url, "https://ec2.cn-north-1.amazonaws.com.cn/");
  EXPECT_EQ(last_request().ca_file, "/etc/ca.pem");
  environment_["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(last_request().url, "http://127.0.0.1:5/");
  environment_["AWS_ENDPOINT_URL_EC2"] = "http://127.0.0.1:6/";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(last_request().url, "http://127.0.0.1:6/");
}

TEST_F(Ec2Test, AnEndpointThatCannotBeUsedIsNamedAndNotShown) {
  environment_["AWS_ENDPOINT_URL"] = "https://user:hunter2@ec2.example.com";
  EXPECT_THAT(look().error().message, AllOf(HasSubstr("AWS_ENDPOINT_URL: has a user or password"),
                                            Not(HasSubstr("hunter2"))));
  environment_["AWS_ENDPOINT_URL_EC2"] = "ec2.example.com";
  EXPECT_THAT(look().error().message, HasSubstr("AWS_ENDPOINT_URL_EC2: is not a URL"));
  EXPECT_THAT(ec2_.requests(), SizeIs(0));
}

TEST_F(Ec2Test, ARefusalSaysWhatToDo) {
  for (const auto& [code, remedy] :
       {std::pair{"InvalidAllocationID.NotFound", "correct the id"},
        {"InvalidRouteTableID.NotFound", "aws_region"},
        {"UnauthorizedOperation", "allow ec2:DescribeNetworkInterfaces in the IAM policy"},
        {"AuthFailure", "check them, and this machine's clock"}}) {
    ec2_.answer_next("DescribeNetworkInterfaces", {FakeEc2::refusal(400, code, "no")});
    EXPECT_THAT(look().error().message, AllOf(HasSubstr(code), HasSubstr(remedy)));
  }
  ec2_.answer_next("DescribeNetworkInterfaces",
                   std::vector<HttpResponse>(9, HttpResponse{200, {}, "<html>login</html>"}));
  EXPECT_THAT(look().error().message, HasSubstr("check aws_region, AWS_ENDPOINT_URL"));
}

TEST_F(Ec2Test, FormsAreEncoded) {
  EXPECT_EQ(ec2_form("X", {{"A.1", "a b&c=d/\xc3\xa9~-_."}}),
            "Action=X&Version=2016-11-15&A.1=a%20b%26c%3Dd%2F%C3%A9~-_.");
}

TEST_F(Ec2Test, BusyIsTriedAgain) {
  for (const HttpResponse& busy :
       {FakeEc2::refusal(503, "RequestLimitExceeded", "slow down"),
        FakeEc2::refusal(400, "Throttling", "slow down"), FakeEc2::refusal(503, "Unavailable", ""),
        FakeEc2::refusal(500, "InternalError", ""), HttpResponse{502, {}, "<html>bad gateway"},
        HttpResponse{503, {}, ""}}) {
    give_by_ec2(kB);
    ec2_.answer_next("AssignPrivateIpAddresses", {busy, busy});
    const Status assigned = assign();
    EXPECT_TRUE(assigned.ok()) << busy.body << ": " << assigned.error().message;
    EXPECT_THAT(holders(), testing::ElementsAre(kA));
  }
}

TEST_F(Ec2Test, BusyForTooLongIsUnreachable) {
  const HttpResponse busy = FakeEc2::refusal(503, "RequestLimitExceeded", "slow down");
  ec2_.answer_next("DescribeNetworkInterfaces", std::vector<HttpResponse>(1000, busy));
  const Status seen = look();
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, Code::kUnreachable);
  EXPECT_THAT(seen.error().message,
              AllOf(HasSubstr("RequestLimitExceeded"), HasSubstr("request limits")));
  EXPECT_LE(clock_.elapsed(), Milliseconds{10100});
}

TEST_F(Ec2Test, SilenceCostsTheDeadline) {
  ec2_.set_silent({"AssignPrivateIpAddresses"});
  const Status assigned = assign();
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
  EXPECT_LE(clock_.elapsed(), Milliseconds{10100});
  EXPECT_THAT(assigned.error().message, HasSubstr("host 'a' itself has 10.0.1.100"));
}

TEST_F(Ec2Test, NoIsNotAskedTwice) {
  for (const char* code : {"UnauthorizedOperation", "AuthFailure", "AccessDenied",
                           "SignatureDoesNotMatch", "InvalidClientTokenId", "OptInRequired"}) {
    const std::size_t before = ec2_.actions().size();
    ec2_.answer_next("DescribeNetworkInterfaces", {FakeEc2::refusal(403, code, "no\nCANONICAL")});
    const Status seen = look();
    ASSERT_FALSE(seen.ok()) << code;
    EXPECT_EQ(seen.error().code, Code::kDenied) << code;
    EXPECT_THAT(seen.error().message,
                AllOf(HasSubstr(code), HasSubstr("the environment"), Not(HasSubstr("CANONICAL"))));
    EXPECT_EQ(ec2_.actions().size(), before + 1) << code;
  }
  ec2_.answer_next("DescribeNetworkInterfaces",
                   {FakeEc2::refusal(400, "InvalidParameterValue", "strange")});
  EXPECT_EQ(look().error().code, Code::kRefused);
}

// In every place an answer that says nothing is an error, at once or in the end.
TEST_F(Ec2Test, AMalformedAnswerIsNeverASuccess) {
  const std::string good_start = "<AssignPrivateIpAddressesResponse><return>true</return>";
  for (const std::string& body :
       {std::string(""), std::string("{}"), std::string("<html>proxy login</html>"), good_start,
        std::string("<DescribeAddressesResponse><return>true</return></DescribeAddressesResponse>"),
        std::string("<AssignPrivateIpAddressesResponse/>"),
        std::string("<AssignPrivateIpAddressesResponse><return>false</return>"
                    "</AssignPrivateIpAddressesResponse>")}) {
    ec2_.answer_next("AssignPrivateIpAddresses",
                     std::vector<HttpResponse>(100, HttpResponse{200, {}, body}));
    const Status assigned = assign();
    ASSERT_FALSE(assigned.ok()) << body;
    EXPECT_EQ(assigned.error().code, Code::kRefused) << body;
    EXPECT_EQ(on_os("a"), "") << body;
    ec2_.answer_next("AssignPrivateIpAddresses", {});
  }
  for (const std::string& body :
       {std::string("<DescribeNetworkInterfacesResponse/>"),
        std::string("<DescribeNetworkInterfacesResponse><networkInterfaceSet><item/>"
                    "</networkInterfaceSet></DescribeNetworkInterfacesResponse>"),
        std::string("<DescribeNetworkInterfacesResponse><networkInterfaceSet>")}) {
    ec2_.answer_next("DescribeNetworkInterfaces",
                     std::vector<HttpResponse>(100, HttpResponse{200, {}, body}));
    for (const Status& status : {look(), driver_without_shell("a")->remove(soon()),
                                 driver_without_shell("a")->check(soon())}) {
      ASSERT_FALSE(status.ok()) << body;
      EXPECT_EQ(status.error().code, Code::kRefused) << body;
    }
    ec2_.answer_next("DescribeNetworkInterfaces", {});
  }
}

TEST_F(Ec2Test, RedirectionsAndOtherServersAreRefused) {
  ec2_.answer_next("DescribeNetworkInterfaces",
                   std::vector<HttpResponse>(9, HttpResponse{302, {{"location", "http://x"}}, ""}));
  EXPECT_EQ(look().error().code, Code::kRefused);
}

TEST_F(Ec2Test, AllPagesAreRead) {
  const auto page = [](const std::string& items, const std::string& next) {
    return HttpResponse{200,
                        {},
                        "<DescribeNetworkInterfacesResponse><networkInterfaceSet>" + items +
                            "</networkInterfaceSet>" + next +
                            "</DescribeNetworkInterfacesResponse>"};
  };
  Ec2Api api({ec2_, environ_of_test(), clock_, log_}, "", "eu-west-1", "", "x.conf");
  ec2_.answer_next("DescribeNetworkInterfaces",
                   {page("", "<nextToken>more</nextToken>"),
                    page("<item><networkInterfaceId>eni-1</networkInterfaceId><vpcId>vpc-1</vpcId>"
                         "</item>",
                         "")});
  const auto found = api.interfaces({}, soon());
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_THAT(found.value(), SizeIs(1));
  EXPECT_THAT(last_request().body.reveal(), HasSubstr("NextToken=more"));
}

TEST_F(Ec2Test, StockServersThatIgnoreDryRunAreFound) {
  Ec2Api api({ec2_, environ_of_test(), clock_, log_}, "", "eu-west-1", "", "x.conf");
  ec2_.answer_next("DeleteRoute",
                   {{200, {}, "<DeleteRouteResponse><return>true</return></DeleteRouteResponse>"}});
  EXPECT_EQ(api.dry_run(delete_route("rtb-1", "1.2.3.4/32"), soon()).error().code, Code::kInternal);
}

}  // namespace
}  // namespace mha
