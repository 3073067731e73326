// Tokens: asked for once, refreshed, refused; and the catalog.
#include "vip/keystone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "unit/vip/openstack_world.h"
#include "vip/neutron_api.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class KeystoneTest : public testing::Test {
 protected:
  KeystoneTest() {
    login_.source = "cloud 'prod' of /etc/openstack/clouds.yaml";
    login_.auth_url = "https://id.example.com/v3";
    login_.user_name = "dba";
    login_.user_domain_id = "default";
    login_.project_name = "db";
    login_.project_domain_name = "Default";
    login_.secret = Secret{"secret-password"};
    login_.interface = "public";
  }
  Deadline soon() { return world_.soon(); }
  std::size_t logins() {
    std::size_t count = 0;
    for (const std::string& call : world_.faults.calls()) {
      if (call == "POST /v3/auth/tokens") ++count;
    }
    return count;
  }
  static Json endpoint(const char* interface, const char* region, const char* url) {
    return {{"interface", interface}, {"region_id", region}, {"region", region}, {"url", url}};
  }
  static Json network(const std::vector<Json>& endpoints) {
    return Json::array({{{"type", "identity"}, {"endpoints", Json::array()}},
                        {{"type", "network"}, {"endpoints", endpoints}}});
  }

  OpenstackWorld world_{OpenstackMode::kAddressPair};
  CloudPorts ports_{world_.cloud, world_.environ_of_test, world_.clock, world_.log};
  OpenstackLogin login_;
  KeystoneSession session_{[this]() -> Result<OpenstackLogin> { return login_; }, ports_};
  NeutronApi api_{session_, ports_};
};

TEST_F(KeystoneTest, OneTokenForManyCalls) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(api_.port(kPortA, soon()).ok());
  EXPECT_EQ(logins(), 1U);
  const HttpRequest first = world_.cloud.requests().front();
  EXPECT_EQ(Json::parse(first.body.reveal()),
            Json::parse(R"({"auth": {"identity": {"methods": ["password"], "password": {"user":
              {"name": "dba", "domain": {"id": "default"}, "password": "secret-password"}}},
              "scope": {"project": {"name": "db", "domain": {"name": "Default"}}}}})"));
  EXPECT_EQ(world_.cloud.requests().back().url,
            fmt::format("https://net.example.com/v2.0/ports/{}", kPortA));
}

TEST_F(KeystoneTest, AnApplicationCredentialBringsItsOwnScope) {
  login_.application_credential_id = "ac1";
  ASSERT_TRUE(session_.access(soon()).ok());
  EXPECT_EQ(Json::parse(world_.cloud.requests().front().body.reveal()),
            Json::parse(R"({"auth": {"identity": {"methods": ["application_credential"],
              "application_credential": {"id": "ac1", "secret": "secret-password"}}}})"));
}

TEST_F(KeystoneTest, ATokenIsRefreshedBeforeItExpires) {
  ASSERT_TRUE(session_.access(soon()).ok());
  world_.clock.advance(std::chrono::seconds{3600 - 61});
  ASSERT_TRUE(session_.access(soon()).ok());
  EXPECT_EQ(logins(), 1U);
  world_.clock.advance(std::chrono::seconds{2});
  ASSERT_TRUE(session_.access(soon()).ok());
  EXPECT_EQ(logins(), 2U);
  world_.cloud.set_token_life(std::chrono::seconds{20});
  world_.clock.advance(std::chrono::seconds{3600});
  ASSERT_TRUE(session_.access(soon()).ok());
  world_.clock.advance(std::chrono::seconds{17});
  ASSERT_TRUE(session_.access(soon()).ok());
  EXPECT_EQ(logins(), 3U);
}

TEST_F(KeystoneTest, ARevokedTokenIsReplacedOnce) {
  ASSERT_TRUE(api_.port(kPortA, soon()).ok());
  world_.cloud.revoke_tokens();
  ASSERT_TRUE(api_.port(kPortA, soon()).ok());
  EXPECT_EQ(logins(), 2U);
  world_.cloud.accept_no_token();
  const auto refused = api_.port(kPortA, soon());
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("401"), HasSubstr("access rules"), HasSubstr("cloud 'prod'")));
  EXPECT_EQ(logins(), 3U);
  EXPECT_LT(world_.clock.elapsed(), Milliseconds{100});
}

TEST_F(KeystoneTest, WrongCredentialsAreFinalAndNotShown) {
  login_.secret = Secret{"hunter2"};
  const auto refused = session_.access(soon());
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("cloud 'prod' of /etc/openstack/clouds.yaml"), HasSubstr("401"),
                    Not(HasSubstr("hunter2"))));
  EXPECT_EQ(logins(), 1U);
  for (const auto& line : world_.log.lines()) EXPECT_THAT(line.text, Not(HasSubstr("hunter2")));
}

TEST_F(KeystoneTest, WhatKeystoneMayAnswerInstead) {
  const auto answered = [&](int status, const std::string& body) {
    world_.cloud.answer_instead("tokens", HttpResponse{status, {}, body}, 1);
    const auto access = session_.access(soon());
    EXPECT_FALSE(access.ok());
    return access.ok() ? Error{Code::kInternal, ""} : access.error();
  };
  EXPECT_EQ(answered(404, "").code, Code::kConfig);
  EXPECT_THAT(answered(300, "{}").message, HasSubstr("auth_url"));
  EXPECT_EQ(answered(403, "").code, Code::kDenied);
  EXPECT_EQ(answered(400, "").code, Code::kRefused);
  EXPECT_THAT(answered(201, "{}").message, HasSubstr("no X-Subject-Token"));
  for (const char* body : {"", "{}", "{\"token\": 1}", "[",
                           "{\"token\": {\"issued_at\": \"x\", "
                           "\"expires_at\": \"y\"}}"}) {
    HttpResponse response{201, {{"x-subject-token", "t"}}, body};
    world_.cloud.answer_instead("tokens", response, 1);
    EXPECT_THAT(message_of(session_.access(soon())), HasSubstr("malformed")) << body;
  }
  world_.cloud.answer_instead("tokens", HttpResponse{503, {}, ""}, 2);
  EXPECT_TRUE(session_.access(soon()).ok());
}

// As far as a clock goes.
TEST_F(KeystoneTest, ATokenThatIsSaidToLiveForThousandsOfYears) {
  const HttpResponse response{201,
                              {{"x-subject-token", "t"}},
                              "{\"token\": {\"issued_at\": \"0001-01-01T00:00:00Z\", "
                              "\"expires_at\": \"9999-01-01T00:00:00Z\"}}"};
  world_.cloud.answer_instead("tokens", response, 1);
  login_.network_url = "https://net.example.com";
  EXPECT_TRUE(session_.access(soon()).ok());
  EXPECT_TRUE(session_.access(soon()).ok());
  EXPECT_EQ(logins(), 1U);
}

TEST_F(KeystoneTest, AMistakeInTheLoginIsToldEachTimeAndCanBeMended) {
  bool mended = false;
  KeystoneSession session{[&]() -> Result<OpenstackLogin> {
                            if (!mended) return Error{Code::kConfig, "no such cloud"};
                            return login_;
                          },
                          ports_};
  EXPECT_EQ(session.access(soon()).error().message, "no such cloud");
  EXPECT_EQ(logins(), 0U);
  mended = true;
  EXPECT_TRUE(session.access(soon()).ok());
}

TEST_F(KeystoneTest, ManyThreadsShareOneLogin) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) EXPECT_TRUE(api_.port(kPortA, soon()).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(logins(), 1U);
}

TEST_F(KeystoneTest, TheCatalogByInterfaceAndRegion) {
  const Json catalog = network({endpoint("public", "R1", "https://one/"),
                                endpoint("internal", "R1", "https://in/v2.0/"),
                                endpoint("public", "R2", "https://two/network/v2.0")});
  login_.region = "R1";
  EXPECT_EQ(network_url_in(catalog, login_).value(), "https://one/v2.0");
  login_.region = "R2";
  EXPECT_EQ(network_url_in(catalog, login_).value(), "https://two/network/v2.0");
  login_.interface = "internal";
  login_.region = "";
  EXPECT_EQ(network_url_in(catalog, login_).value(), "https://in/v2.0");
  login_.interface = "public";
  EXPECT_THAT(message_of(network_url_in(catalog, login_)),
              AllOf(HasSubstr("cloud 'prod'"), HasSubstr("R1, R2"), HasSubstr("openstack_region")));
  login_.region = "R3";
  EXPECT_THAT(message_of(network_url_in(catalog, login_)),
              AllOf(HasSubstr("no region 'R3'"), HasSubstr("R1, R2")));
  login_.interface = "admin";
  EXPECT_THAT(message_of(network_url_in(catalog, login_)),
              AllOf(HasSubstr("no 'admin' interface"), HasSubstr("internal, public")));
  EXPECT_THAT(message_of(network_url_in(Json::array(), login_)), HasSubstr("scoped to a project"));
  EXPECT_EQ(network_url_in(Json::array(), login_).error().code, Code::kConfig);
}

TEST_F(KeystoneTest, AnOverriddenEndpointNeedsNoCatalog) {
  login_.network_url = "https://mine:9696/";
  world_.cloud.set_catalog(Json::array());
  EXPECT_EQ(session_.access(soon()).value().network_url, "https://mine:9696/v2.0");
}

}  // namespace
}  // namespace mha
