// What is refused before anybody is asked: one line with file, section and key.
#include "vip/login_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "unit/config/temp_folder.h"
#include "vip/cloud_url.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LoginCheckTest : public testing::Test {
 protected:
  LoginCheckTest() {
    settings_.file = "/etc/mha-helper/app1.conf";
    settings_.host = "db1";
    variables_["HOME"] = home_.path();
    std::filesystem::create_directories(home_.path() + "/.aws");
    std::filesystem::create_directories(home_.path() + "/.config/openstack");
  }
  // The error, or "".
  std::string said() {
    const Status checked =
        check_cloud_login(settings_, [this](const std::string& name) -> std::optional<std::string> {
          const auto found = variables_.find(name);
          return found == variables_.end() ? std::nullopt : std::optional(found->second);
        });
    if (checked.ok()) return "";
    EXPECT_EQ(checked.error().code, Code::kConfig);
    EXPECT_EQ(checked.error().message.find('\n'), std::string::npos);
    EXPECT_THAT(checked.error().message, Not(HasSubstr("hunter2")));
    return checked.error().message;
  }
  void use_aws() {
    settings_.vip_type = VipType::kAws;
    settings_.aws.region = "eu-west-1";
    home_.write(".aws/credentials",
                "[dba]\naws_access_key_id=AKIADBA\naws_secret_access_key=hunter2\n");
  }
  void use_openstack() {
    settings_.vip_type = VipType::kOpenstack;
    settings_.openstack.cloud = "prod";
    home_.write(".config/openstack/clouds.yaml",
                "clouds: {prod: {auth: {auth_url: 'https://id', username: u, password: hunter2, "
                "project_name: p}}}");
  }

  TempFolder home_;
  HostSettings settings_;
  std::map<std::string, std::string> variables_;
};

TEST_F(LoginCheckTest, OtherTypesHaveNoLogin) {
  EXPECT_EQ(said(), "");
  settings_.vip_type = VipType::kMetal;
  EXPECT_EQ(said(), "");
}

TEST_F(LoginCheckTest, AnUnknownProfile) {
  use_aws();
  settings_.aws.profile = "dba";
  EXPECT_EQ(said(), "");
  settings_.aws.profile = "ops";
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] aws_profile: "),
                            HasSubstr("'ops'"), HasSubstr(".aws/credentials")));
}

TEST_F(LoginCheckTest, HalfOfTheKeysOfAws) {
  use_aws();
  variables_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] aws_profile: "),
                            HasSubstr("AWS_SECRET_ACCESS_KEY is not")));
  variables_["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  EXPECT_EQ(said(), "");
}

// An instance role, and the region of the manager's own instance, are found at the first call only.
TEST_F(LoginCheckTest, WhatTheInstanceMayKnowIsNoMistakeUnlessItIsNotAsked) {
  use_aws();
  settings_.aws.region = "";
  EXPECT_EQ(said(), "");
  variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] aws_profile: no AWS"),
                            HasSubstr("AWS_EC2_METADATA_DISABLED")));
  settings_.aws.profile = "dba";
  EXPECT_THAT(said(),
              AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] aws_region: it is not set"),
                    HasSubstr("AWS_REGION"), HasSubstr("set aws_region")));
  variables_["AWS_DEFAULT_REGION"] = "eu-west-1";
  EXPECT_EQ(said(), "");
}

TEST_F(LoginCheckTest, ARegionFromElsewhereThatIsNone) {
  use_aws();
  settings_.aws.region = "";
  variables_["AWS_REGION"] = "evil.example/x";
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] aws_region: "),
                            HasSubstr("is not an AWS region")));
}

TEST_F(LoginCheckTest, AnUnknownCloud) {
  use_openstack();
  EXPECT_EQ(said(), "");
  settings_.openstack.cloud = "prd";
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] openstack_cloud: "),
                            HasSubstr("'prd' is not in"), HasSubstr("which has: prod")));
  std::filesystem::remove(home_.path() + "/.config/openstack/clouds.yaml");
  EXPECT_THAT(said(), HasSubstr("there is no clouds.yaml"));
}

TEST_F(LoginCheckTest, AnEntryThatIsNotEnough) {
  use_openstack();
  home_.write(".config/openstack/clouds.yaml", "clouds: {prod: {auth: {auth_url: 'https://id'}}}");
  EXPECT_THAT(said(), AllOf(StartsWith("/etc/mha-helper/app1.conf: [db1] openstack_cloud: "),
                            HasSubstr("clouds.yaml lacks username, password, project_name")));
}

TEST_F(LoginCheckTest, UrlsThatCannotBeUsedAreNamedAndNotShown) {
  use_openstack();
  const auto entry = [](const std::string& more) {
    return "clouds: {prod: {" + more +
           "auth: {auth_url: 'https://id', username: u, password: p, project_name: p}}}";
  };
  home_.write(".config/openstack/clouds.yaml",
              entry("network_endpoint_override: 'https://u:hunter2@net', "));
  EXPECT_THAT(said(), HasSubstr("network_endpoint_override: has a user or password in it"));
  home_.write(".config/openstack/clouds.yaml", entry("network_endpoint_override: 'net:9696', "));
  EXPECT_THAT(said(), HasSubstr("network_endpoint_override: is not a URL that begins with"));
  home_.write(".config/openstack/clouds.yaml",
              "clouds: {prod: {auth: {auth_url: 'https://u:hunter2@id', username: u, password: p, "
              "project_name: p}}}");
  EXPECT_THAT(said(), HasSubstr("auth_url: has a user or password in it"));
}

TEST(CloudUrls, ThoseThatCanBeUsed) {
  for (const char* good : {"https://ec2.example.com", "http://127.0.0.1:8080/",
                           "https://[::1]:5000", "https://id.example.com/v3/@x"}) {
    EXPECT_TRUE(check_cloud_url(good).ok()) << good;
  }
  for (const char* bad : {"", "ec2.example.com", "ftp://x", "https://", "https:///v3",
                          "https://a b", "https://u@h", "https://u:p@h/v3"}) {
    const Status checked = check_cloud_url(bad);
    ASSERT_FALSE(checked.ok()) << bad;
    EXPECT_EQ(checked.error().code, Code::kConfig);
    EXPECT_THAT(checked.error().message, Not(HasSubstr("u:p")));
  }
}

}  // namespace
}  // namespace mha
