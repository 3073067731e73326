// Credentials and region in the SDKs' order, with files in a folder of the test's own and a fake
// metadata service.
#include "vip/aws_credentials.h"

#include "unit/config/temp_folder.h"
#include "unit/vip/aws_world.h"
#include "vip/ec2_api.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AwsIdentityTest : public AwsTest {
 protected:
  AwsIdentityTest() {
    use_mode(AwsMode::kSecondaryIp);
    environment_ = {{"HOME", home_.path()}};
    std::filesystem::create_directory(home_.path() + "/.aws");
  }
  // The id of the key that is found, or the error.
  std::string key(const std::string& profile = "") {
    AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, profile, "",
                      "app1.conf: [db1]");
    const Result<AwsCredentials> credentials = found.credentials(soon());
    return credentials.ok() ? credentials.value().access_key_id : credentials.error().message;
  }
  std::string region(const std::string& profile = "", const std::string& written = "") {
    AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, profile, written,
                      "app1.conf: [db1]");
    const Result<std::string> region = found.region(soon());
    return region.ok() ? region.value() : region.error().message;
  }
  Status one_call() {
    Ec2Api api({ec2_, environ_of_test(), clock_, log_}, "", "eu-west-1", "", "app1.conf: [db1]");
    return api.subnet_range("subnet-1", soon()).status();
  }
  void credentials_file(const std::string& text) { home_.write(".aws/credentials", text); }
  void config_file(const std::string& text) { home_.write(".aws/config", text); }
  void set_role_key(const std::string& id, const std::string& expiration) {
    ec2_.with_metadata([&](FakeEc2::Metadata& metadata) {
      metadata.credentials =
          fmt::format(R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"s","Token":"t",)"
                      R"("Expiration":"{}"}})",
                      id, expiration);
    });
  }
  [[nodiscard]] std::size_t metadata_calls() const {
    std::size_t count = 0;
    for (const std::string& call : faults_.calls()) {
      if (call.find("security-credentials/dbrole") != std::string::npos) ++count;
    }
    return count;
  }

  TempFolder home_;
};

TEST_F(AwsIdentityTest, TheEnvironmentComesFirst) {
  credentials_file("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
  environment_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(key(), "AKIAENV");
  environment_["AWS_SESSION_TOKEN"] = "tok";
  AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "", "", "app1.conf: [db1]");
  EXPECT_EQ(found.credentials(soon()).value().session_token.reveal(), "tok");
}

TEST_F(AwsIdentityTest, HalfAnEnvironmentIsAMistake) {
  environment_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  EXPECT_THAT(key(), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
  environment_["AWS_ACCESS_KEY_ID"] = "";
  environment_["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  EXPECT_THAT(key(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not"), Not(HasSubstr("hunter2"))));
}

TEST_F(AwsIdentityTest, ProfilesOfTheSharedFiles) {
  // A token is longer than inih's lines.
  const std::string token(1500, 'T');
  credentials_file(
      "# keys\n[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = a/b+c=\n"
      "[dba]\naws_access_key_id=AKIADBA\naws_secret_access_key=s\naws_session_token=" +
      token + "\n");
  config_file(
      "[default]\nregion = eu-west-1\n[profile conf]\naws_access_key_id = AKIACONF\n"
      "aws_secret_access_key = s\nregion=eu-north-1\ns3 =\n  max_concurrent_requests = 2\n");
  EXPECT_EQ(key(), "AKIAFILE");
  EXPECT_EQ(key("dba"), "AKIADBA");
  EXPECT_EQ(key("conf"), "AKIACONF");
  EXPECT_EQ(region("conf"), "eu-north-1");
  AwsIdentity dba(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "dba", "", "app1.conf: [db1]");
  EXPECT_EQ(dba.credentials(soon()).value().session_token.reveal(), token);
  AwsIdentity plain(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "", "", "app1.conf: [db1]");
  EXPECT_EQ(plain.credentials(soon()).value().secret_access_key.reveal(), "a/b+c=");
  environment_["AWS_PROFILE"] = "dba";
  EXPECT_EQ(key(), "AKIADBA");
  EXPECT_EQ(key("conf"), "AKIACONF");
}

TEST_F(AwsIdentityTest, AProfileInTheConfigurationComesBeforeTheEnvironment) {
  credentials_file("[dba]\naws_access_key_id=AKIADBA\naws_secret_access_key=s\n");
  environment_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(key("dba"), "AKIADBA");
}

// As people write it to have no file at all.
TEST_F(AwsIdentityTest, ADeviceIsAnEmptyFileAndAFolderIsAnError) {
  credentials_file("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
  environment_["AWS_CONFIG_FILE"] = "/dev/null";
  EXPECT_EQ(key(), "AKIAFILE");
  environment_["AWS_CONFIG_FILE"] = home_.path();
  EXPECT_THAT(key(), AllOf(HasSubstr(home_.path()), HasSubstr("is a directory")));
  environment_["AWS_CONFIG_FILE"] = home_.write("empty", "");
  EXPECT_EQ(key(), "AKIAFILE");
}

TEST_F(AwsIdentityTest, FilesElsewhere) {
  environment_["AWS_SHARED_CREDENTIALS_FILE"] = home_.write("keys",
                                                            "[default]\n"
                                                            "aws_access_key_id=AKIAELSE\n"
                                                            "aws_secret_access_key=s\n");
  environment_["AWS_CONFIG_FILE"] = home_.write("conf", "[default]\nregion=ap-south-1\n");
  EXPECT_EQ(key(), "AKIAELSE");
  EXPECT_EQ(region(), "ap-south-1");
}

TEST_F(AwsIdentityTest, AnUnknownProfileNamesTheFiles) {
  credentials_file("[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n");
  EXPECT_THAT(key("dba"), AllOf(HasSubstr("'dba' (aws_profile)"),
                                HasSubstr(home_.path() + "/.aws/credentials")));
  environment_["AWS_PROFILE"] = "ops";
  EXPECT_THAT(key(), HasSubstr("'ops' (AWS_PROFILE)"));
}

TEST_F(AwsIdentityTest, MistakesInTheFilesAreNamedWithoutTheirValues) {
  credentials_file("[default]\naws_access_key_id=AKIAFILE\n");
  EXPECT_THAT(key(), HasSubstr(".aws/credentials:1: [default] has no aws_secret_access_key"));
  credentials_file("[default]\nhunter2 without a key\n");
  EXPECT_THAT(key(), AllOf(HasSubstr(".aws/credentials:2"), Not(HasSubstr("hunter2"))));
  credentials_file("");
  config_file("[default]\nsso_session = corp\n");
  EXPECT_THAT(key(), AllOf(HasSubstr(".aws/config:2: [default] sso_session"),
                           HasSubstr("is not supported")));
}

TEST_F(AwsIdentityTest, AProfileThatIsWrittenWithTabsIsNamedWithoutThem) {
  config_file("[profile \t\tdba]\nsso_session = corp\n");
  EXPECT_THAT(key("dba"), HasSubstr(".aws/config:2: [profile dba] sso_session"));
}

TEST_F(AwsIdentityTest, TheRoleOfTheInstanceComesLast) {
  EXPECT_EQ(key(), "ASIA1");
  EXPECT_THAT(faults_.calls(), Contains("imds PUT /latest/api/token"));
  for (const HttpRequest& request : ec2_.requests()) {
    EXPECT_EQ(request.url.rfind("http://169.254.169.254/latest/", 0), 0U);
    EXPECT_EQ(request.proxy, HttpProxy::kNone);
  }
  environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:9/";
  EXPECT_EQ(key(), "ASIA1");
  EXPECT_EQ(ec2_.requests().back().url.rfind("http://127.0.0.1:9/latest/", 0), 0U);
}

TEST_F(AwsIdentityTest, NoCredentialsAtAll) {
  const auto metadata = [this](auto change) { ec2_.with_metadata(change); };
  metadata([](FakeEc2::Metadata& imds) { imds.role = ""; });
  EXPECT_THAT(key(), AllOf(HasSubstr("no AWS credentials"), HasSubstr(".aws/credentials"),
                           HasSubstr("has no role")));
  metadata([](FakeEc2::Metadata& imds) { imds.token_status = 403; });
  EXPECT_THAT(key(), HasSubstr("switched off"));
  metadata([](FakeEc2::Metadata& imds) { imds.is_there = false; });
  EXPECT_THAT(key(), HasSubstr("no route to host"));
  EXPECT_LE(clock_.elapsed(), Milliseconds{10000});
  const std::size_t before = faults_.count();
  environment_["AWS_EC2_METADATA_DISABLED"] = "TRUE";
  EXPECT_THAT(key(), HasSubstr("AWS_EC2_METADATA_DISABLED"));
  EXPECT_EQ(faults_.count(), before);
}

TEST_F(AwsIdentityTest, StrangeAnswersOfTheMetadataServiceAreErrors) {
  for (const char* body :
       {"", "{", "[]", "{}", R"({"Code":"Failed"})", R"({"Code":"Success","AccessKeyId":"A"})",
        R"({"AccessKeyId":1,"SecretAccessKey":2})"}) {
    ec2_.with_metadata([&](FakeEc2::Metadata& metadata) { metadata.credentials = body; });
    EXPECT_THAT(key(), HasSubstr("no AWS credentials")) << body;
  }
}

TEST_F(AwsIdentityTest, ATokenThatTheServiceHasForgottenIsReplaced) {
  AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "", "", "app1.conf: [db1]");
  ASSERT_TRUE(found.region(soon()).ok());
  ec2_.forget_metadata_token();
  EXPECT_EQ(found.credentials(soon()).value().access_key_id, "ASIA1");
}

TEST_F(AwsIdentityTest, KeysAreKeptUntilShortlyBeforeTheirEnd) {
  AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "", "", "app1.conf: [db1]");
  set_role_key("ASIA1", "2024-01-01T01:00:00Z");
  ASSERT_TRUE(found.credentials(soon()).ok());
  set_role_key("ASIA2", "2024-01-01T07:00:00Z");
  clock_.advance(std::chrono::minutes{57});
  EXPECT_EQ(found.credentials(soon()).value().access_key_id, "ASIA1");
  EXPECT_EQ(metadata_calls(), 1U);
  clock_.advance(std::chrono::minutes{2});
  EXPECT_EQ(found.credentials(soon()).value().access_key_id, "ASIA2");
}

TEST_F(AwsIdentityTest, KeysThatStillHoldServeWhereNoNewOnesAreToBeHad) {
  AwsIdentity found(CloudPorts{ec2_, environ_of_test(), clock_, log_}, "", "", "app1.conf: [db1]");
  set_role_key("ASIA1", "2024-01-01T01:00:00Z");
  ASSERT_TRUE(found.credentials(soon()).ok());
  ec2_.with_metadata([](FakeEc2::Metadata& metadata) { metadata.is_there = false; });
  clock_.advance(std::chrono::minutes{59});
  EXPECT_EQ(found.credentials(soon()).value().access_key_id, "ASIA1");
  clock_.advance(std::chrono::minutes{2});
  EXPECT_FALSE(found.credentials(soon()).ok());
}

TEST_F(AwsIdentityTest, ExpiredKeysAreReplacedOnce) {
  environment_["AWS_REGION"] = "eu-west-1";
  settings_.aws.region = "";
  set_role_key("ASIA1", "2024-01-01T06:00:00Z");
  for (const char* code : {"ExpiredToken", "RequestExpired", "ExpiredTokenException"}) {
    new_program();
    ec2_.accept_keys({"ASIA1"}, code);
    set_role_key("ASIA1", "2024-01-01T06:00:00Z");
    const auto a = driver_without_shell("a");
    ASSERT_TRUE(a->status(soon()).ok());
    ec2_.accept_keys({"ASIA2"}, code);
    set_role_key("ASIA2", "2024-01-01T07:00:00Z");
    const Result<VipPresence> again = a->status(soon());
    EXPECT_TRUE(again.ok()) << code << ": " << again.error().message;
  }
}

TEST_F(AwsIdentityTest, ExpiredKeysWithoutNewerOnesAreFinal) {
  ec2_.accept_keys({"NOBODY"}, "ExpiredToken");
  set_role_key("ASIA1", "2024-01-01T06:00:00Z");
  settings_.aws.region = "eu-west-1";
  const Status status = one_call();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kDenied);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr("ExpiredToken"), HasSubstr("no newer ones"),
                                            Not(HasSubstr("SECRET-IN-ANSWER"))));
  EXPECT_EQ(ec2_.actions().size(), 1U);
  EXPECT_EQ(metadata_calls(), 2U);
}

TEST_F(AwsIdentityTest, EveryNewKeyIsExpiredToo) {
  ec2_.accept_keys({"NOBODY"}, "ExpiredToken");
  settings_.aws.region = "eu-west-1";
  int number = 1;
  ec2_.set_on_call([this, &number](const std::string& call) {
    if (call.find("DescribeSubnets") == std::string::npos) return;
    set_role_key(fmt::format("ASIA{}", ++number), "2024-01-01T06:00:00Z");
  });
  const Status status = one_call();
  ec2_.set_on_call(nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kDenied);
  EXPECT_EQ(ec2_.actions().size(), 2U);
}

TEST_F(AwsIdentityTest, TheRegionsOrder) {
  EXPECT_EQ(region(), "eu-west-1");  // of the metadata service
  config_file("[default]\nregion = eu-north-1\n[profile dba]\nregion = eu-south-1\n");
  EXPECT_EQ(region(), "eu-north-1");
  EXPECT_EQ(region("dba"), "eu-south-1");
  environment_["AWS_DEFAULT_REGION"] = "us-east-2";
  EXPECT_EQ(region("dba"), "us-east-2");
  environment_["AWS_REGION"] = "us-east-1";
  EXPECT_EQ(region("dba"), "us-east-1");
  EXPECT_EQ(region("dba", "ca-central-1"), "ca-central-1");
  environment_["AWS_REGION"] = "evil.example/x";
  EXPECT_THAT(region(), HasSubstr("is not an AWS region"));
}

TEST_F(AwsIdentityTest, NoRegionNamesFileAndKey) {
  ec2_.with_metadata([](FakeEc2::Metadata& metadata) { metadata.is_there = false; });
  EXPECT_THAT(region(), AllOf(HasSubstr("app1.conf: [db1] aws_region: it is not set"),
                              HasSubstr(".aws/config"), HasSubstr("set aws_region")));
}

TEST_F(AwsIdentityTest, DriversOfOneRegionShareWhatWasRead) {
  settings_.aws.region = "eu-west-1";
  ASSERT_TRUE(driver_without_shell("a")->status(soon()).ok());
  ASSERT_TRUE(driver_without_shell("b")->status(soon()).ok());
  EXPECT_EQ(metadata_calls(), 1U);
}

}  // namespace
}  // namespace mha
