// clouds.yaml, secure.yaml and the OS_* variables: which one counts, and what is refused.
#include "vip/openstack_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kClouds =
    "clouds:\n"
    "  prod:\n"
    "    auth_type: password\n"
    "    auth:\n"
    "      auth_url: https://id.example.com:5000/\n"
    "      username: dba\n"
    "      password: hunter2\n"
    "      project_name: db\n"
    "      user_domain_name: People\n"
    "      project_domain_id: d1\n"
    "    region_name: R1\n"
    "    interface: internalURL\n"
    "    cacert: ~/ca.pem\n"
    "  other:\n"
    "    auth: {auth_url: 'http://other/v3', application_credential_id: ac1,\n"
    "           application_credential_secret: s3cret}\n"
    "    regions: [R7, R8]\n";

class OpenstackLoginTest : public testing::Test {
 protected:
  OpenstackLoginTest() {
    settings_.file = "/etc/mha-helper/app.conf";
    settings_.host = "db1";
  }

  Result<OpenstackLogin> read() {
    return read_openstack_login(settings_,
                                [this](const std::string& name) -> std::optional<std::string> {
                                  const auto found = variables_.find(name);
                                  return found == variables_.end() ? std::nullopt
                                                                   : std::optional(found->second);
                                },
                                {first_.path(), second_.path()});
  }
  std::string refusal() {
    const Result<OpenstackLogin> login = read();
    EXPECT_FALSE(login.ok());
    if (login.ok()) return "";
    EXPECT_EQ(login.error().code, Code::kConfig);
    EXPECT_EQ(login.error().message.find('\n'), std::string::npos);
    EXPECT_THAT(login.error().message, Not(HasSubstr("hunter2")));
    return login.error().message;
  }
  // With this line in the entry instead of `auth_type`.
  std::string refusal_with(const std::string& line) {
    std::string text = kClouds;
    const std::string before = "    auth_type: password\n";
    text.replace(text.find(before), before.size(), "    " + line + "\n");
    first_.write("clouds.yaml", text);
    settings_.openstack.cloud = "prod";
    return refusal();
  }

  const TempFolder first_;
  const TempFolder second_;
  std::map<std::string, std::string> variables_{{"HOME", "/home/dba"}};
  HostSettings settings_;
};

TEST_F(OpenstackLoginTest, AnEntryByPassword) {
  second_.write("clouds.yaml", kClouds);
  settings_.openstack.cloud = "prod";
  const Result<OpenstackLogin> login = read();
  ASSERT_TRUE(login.ok()) << login.error().message;
  const OpenstackLogin& found = login.value();
  EXPECT_EQ(found.source, "cloud 'prod' of " + second_.path("clouds.yaml"));
  EXPECT_EQ(found.auth_url, "https://id.example.com:5000/v3");
  EXPECT_FALSE(found.has_application_credential());
  EXPECT_EQ(found.user_name, "dba");
  EXPECT_EQ(found.secret.reveal(), "hunter2");
  EXPECT_EQ(found.project_name, "db");
  EXPECT_EQ(found.user_domain_name, "People");
  EXPECT_EQ(found.user_domain_id, "");
  EXPECT_EQ(found.project_domain_id, "d1");
  EXPECT_EQ(found.region, "R1");
  EXPECT_EQ(found.interface, "internal");
  EXPECT_EQ(found.ca_file, "/home/dba/ca.pem");
}

TEST_F(OpenstackLoginTest, AnEntryByApplicationCredential) {
  first_.write("clouds.yaml", kClouds);
  variables_["OS_CLOUD"] = "other";
  const Result<OpenstackLogin> login = read();
  ASSERT_TRUE(login.ok()) << login.error().message;
  EXPECT_EQ(login.value().application_credential_id, "ac1");
  EXPECT_EQ(login.value().secret.reveal(), "s3cret");
  EXPECT_EQ(login.value().auth_url, "http://other/v3");
  EXPECT_EQ(login.value().region, "R7");
  EXPECT_EQ(login.value().interface, "public");
  settings_.openstack.region = "R8";
  settings_.openstack.ca_file = "/ca.pem";
  EXPECT_EQ(read().value().region, "R8");
  EXPECT_EQ(read().value().ca_file, "/ca.pem");
}

TEST_F(OpenstackLoginTest, TheFirstFileCountsAndTheVariableBeforeIt) {
  const std::string one =
      "clouds: {c: {auth: {auth_url: 'http://one', username: u, password: p, project_name: p}}}";
  const auto with = [&](const char* name) {
    std::string text = one;
    text.replace(text.find("one"), 3, name);
    return text;
  };
  settings_.openstack.cloud = "c";
  second_.write("clouds.yaml", with("second"));
  EXPECT_EQ(read().value().auth_url, "http://second/v3");
  first_.write("clouds.yml", with("first"));
  EXPECT_EQ(read().value().auth_url, "http://first/v3");
  variables_["OS_CLIENT_CONFIG_FILE"] = second_.write("mine", with("mine"));
  EXPECT_EQ(read().value().auth_url, "http://mine/v3");
  variables_["OS_CLIENT_CONFIG_FILE"] = second_.path("gone");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("OS_CLIENT_CONFIG_FILE names"), HasSubstr("gone")));
}

TEST_F(OpenstackLoginTest, JsonIsReadToo) {
  first_.write("clouds.json",
               R"({"clouds": {"c": {"auth": {"auth_url": "https://x/v3", "user_id": "u1",
                   "password": 1234, "project_id": "p1"}}}})");
  settings_.openstack.cloud = "c";
  const Result<OpenstackLogin> login = read();
  ASSERT_TRUE(login.ok()) << login.error().message;
  EXPECT_EQ(login.value().secret.reveal(), "1234");
  EXPECT_EQ(login.value().user_id, "u1");
}

TEST_F(OpenstackLoginTest, SecureYamlIsLaidOverIt) {
  std::string text = kClouds;
  text.erase(text.find("      password: hunter2\n"), 24);
  first_.write("clouds.yaml", text);
  settings_.openstack.cloud = "prod";
  EXPECT_THAT(refusal(), HasSubstr("lacks password"));
  second_.write("secure.yaml", "clouds: {prod: {auth: {password: from-secure}}}\n");
  EXPECT_EQ(read().value().secret.reveal(), "from-secure");
  EXPECT_EQ(read().value().user_name, "dba");
  variables_["OS_CLIENT_SECURE_FILE"] =
      first_.write("s", "clouds: {prod: {auth: {password: named}}}\n");
  EXPECT_EQ(read().value().secret.reveal(), "named");
  variables_["OS_CLIENT_SECURE_FILE"] = first_.write("t", "clouds: {other: {auth: {password: x}}}");
  EXPECT_THAT(refusal(), HasSubstr("lacks password"));
}

TEST_F(OpenstackLoginTest, TheVariables) {
  variables_["OS_AUTH_URL"] = "https://id/identity/v3";
  variables_["OS_USERNAME"] = "dba";
  variables_["OS_PASSWORD"] = "hunter2";
  variables_["OS_TENANT_NAME"] = "db";
  variables_["OS_REGION_NAME"] = "R2";
  variables_["OS_ENDPOINT_TYPE"] = "adminURL";
  variables_["OS_CACERT"] = "/c.pem";
  const Result<OpenstackLogin> login = read();
  ASSERT_TRUE(login.ok()) << login.error().message;
  EXPECT_EQ(login.value().source, "the environment (OS_*)");
  EXPECT_EQ(login.value().auth_url, "https://id/identity/v3");
  EXPECT_EQ(login.value().project_name, "db");
  EXPECT_EQ(login.value().user_domain_id, "default");
  EXPECT_EQ(login.value().region, "R2");
  EXPECT_EQ(login.value().interface, "admin");
  EXPECT_EQ(login.value().ca_file, "/c.pem");
  variables_.erase("OS_PASSWORD");
  variables_["OS_APPLICATION_CREDENTIAL_NAME"] = "failover";
  variables_["OS_APPLICATION_CREDENTIAL_SECRET"] = "s";
  EXPECT_EQ(read().value().application_credential_name, "failover");
  variables_.erase("OS_USERNAME");
  EXPECT_THAT(refusal(), HasSubstr("the environment (OS_*) lacks username"));
}

TEST_F(OpenstackLoginTest, NothingAtAllNamesFileAndKey) {
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("/etc/mha-helper/app.conf: [db1] openstack_cloud: it is not set"),
                    HasSubstr("OS_CLOUD"), HasSubstr("OS_AUTH_URL")));
}

TEST_F(OpenstackLoginTest, AMissingCloudNamesFilesAndKeyAndWhatThereIs) {
  settings_.openstack.cloud = "prd";
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("/etc/mha-helper/app.conf: [db1] openstack_cloud: the cloud 'prd'"),
                    HasSubstr("there is no clouds.yaml in " + first_.path())));
  const std::string file = first_.write("clouds.yaml", kClouds);
  EXPECT_EQ(refusal(),
            "/etc/mha-helper/app.conf: [db1] openstack_cloud: the cloud 'prd' is not in " + file +
                ", which has: prod, other");
  settings_.openstack.cloud.clear();
  variables_["OS_CLOUD"] = "prd";
  EXPECT_THAT(refusal(), HasSubstr("OS_CLOUD: the cloud 'prd' is not in"));
}

TEST_F(OpenstackLoginTest, WhatIsNotUnderstoodIsSaid) {
  EXPECT_THAT(refusal_with("profile: vexxhost"),
              AllOf(HasSubstr("profile: vendor profiles are not supported"), HasSubstr("vexxhost"),
                    HasSubstr("clouds.yaml")));
  EXPECT_THAT(refusal_with("cloud: rackspace"), HasSubstr("vendor profiles are not supported"));
  EXPECT_THAT(refusal_with("auth_type: v3oidcpassword"),
              HasSubstr("auth_type: 'v3oidcpassword' is not supported"));
  EXPECT_THAT(refusal_with("auth_type: v3applicationcredential"),
              HasSubstr("lacks application_credential_id, application_credential_secret"));
  EXPECT_THAT(refusal_with("cert: /c.pem"), HasSubstr("client certificate"));
  EXPECT_THAT(refusal_with("identity_api_version: 2"), HasSubstr("'2' is not 3"));
}

TEST_F(OpenstackLoginTest, CertificatesAreAlwaysVerified) {
  for (const char* line : {"verify: false", "verify: 'False'", "insecure: true", "verify: no"}) {
    EXPECT_THAT(refusal_with(line),
                AllOf(HasSubstr("certificates are always verified"), HasSubstr("openstack_ca"),
                      HasSubstr("/etc/mha-helper/app.conf")));
  }
  settings_.openstack.ca_file = "/ca.pem";
  EXPECT_TRUE(read().ok());
}

TEST_F(OpenstackLoginTest, FilesThatAreNoneSayWhere) {
  settings_.openstack.cloud = "prod";
  for (const auto& [text, expected] : std::map<std::string, std::string>{
           {"", "has no 'clouds:'"},
           {"- a\n- b\n", "has no 'clouds:'"},
           {"clouds: 7\n", "has no 'clouds:'"},
           {"clouds:\n  prod: hunter2\n", "is not in"},
           {"clouds:\n  prod: [hunter2]\n", "is not in"},
           {"clouds:\n  prod:\n    auth: [hunter2\n", "is not YAML"},
           {"clouds:\n  prod:\n    auth: hunter2\n", "lacks auth_url"},
           {"a: &x [*x]\nclouds: {prod: {auth: *y}}\n", "is not YAML"}}) {
    first_.write("clouds.yaml", text);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(expected), HasSubstr(first_.path()))) << text;
  }
  // yaml-cpp says which character it did not expect.
  first_.write("clouds.yaml", std::string{"clouds: \"\\\x01\""});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is not YAML"), testing::Not(HasSubstr("\x01"))));
  first_.write("clouds.yaml", "clouds: {prod: {auth_type: \"pass\\nword\"}}");
  EXPECT_THAT(refusal(), HasSubstr("auth_type: 'pass?word' is not supported"));
}

TEST_F(OpenstackLoginTest, AnAuthUrlThatIsNone) {
  const auto with = [&](const std::string& url) {
    first_.write("clouds.yaml", "clouds: {prod: {auth: {auth_url: '" + url +
                                    "', username: u, password: hunter2, project_name: p}}}");
    settings_.openstack.cloud = "prod";
  };
  with("id.example.com:5000");
  EXPECT_THAT(refusal(), HasSubstr("auth_url: is not a URL"));
  with("https://dba:hunter2@id.example.com");
  EXPECT_THAT(refusal(), HasSubstr("auth_url: has a user or password in it"));
  with("http://id:5000/v2.0/");
  EXPECT_EQ(read().value().auth_url, "http://id:5000/v3");
}

TEST_F(OpenstackLoginTest, FoldersOfTheSdk) {
  const std::map<std::string, std::string> set{{"HOME", "/home/dba"}, {"XDG_CONFIG_HOME", "/x"}};
  EXPECT_THAT(openstack_config_folders([&](const std::string& name) -> std::optional<std::string> {
                const auto found = set.find(name);
                return found == set.end() ? std::nullopt : std::optional(found->second);
              }),
              ElementsAre(".", "/x/openstack", "/home/dba/.config/openstack", "/etc/openstack"));
}

}  // namespace
}  // namespace mha
