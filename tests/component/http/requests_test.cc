// What the server gets: method, headers, body, signature.
#include "http_fixture.h"

namespace mha {
namespace {

using testing::HasSubstr;

class RequestsTest : public HttpTest {
 protected:
  // As the server saw it.
  nlohmann::json echo(const HttpRequest& request) {
    return nlohmann::json::parse(answer_to(request).body);
  }
  // All values of that header, with "|" between them.
  static std::string header(const nlohmann::json& seen, const std::string& name) {
    std::string values;
    for (const auto& pair : seen.at("headers")) {
      if (pair.at(0) != name) continue;
      values += (values.empty() ? "" : "|") + pair.at(1).get<std::string>();
    }
    return values;
  }
  HttpRequest signed_request(const std::string& path, const std::string& body) {
    HttpRequest made = request(server_, path, HttpMethod::kPost);
    made.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    made.body = Secret{body};
    made.signature = AwsSignature{"AKIDEXAMPLE", Secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                                  Secret{}, "eu-west-1", "ec2"};
    return made;
  }

  HttpServer server_;
};

TEST_F(RequestsTest, MethodsAndBodies) {
  for (const HttpMethod method :
       {HttpMethod::kGet, HttpMethod::kPost, HttpMethod::kPut, HttpMethod::kDelete}) {
    HttpRequest asked = request(server_, "/echo?a=b", method);
    nlohmann::json seen = echo(asked);
    EXPECT_EQ(seen.at("method"), to_string(method));
    EXPECT_EQ(seen.at("target"), "/echo?a=b");
    EXPECT_EQ(seen.at("body"), "");
    EXPECT_EQ(header(seen, "content-type"), "");
    asked.body = Secret{R"({"port": 1})"};
    asked.headers = {{"Content-Type", "application/json"}, {"If-Match", "revision_number=3"}};
    asked.secret_headers.push_back({"X-Auth-Token", Secret{"token"}});
    seen = echo(asked);
    EXPECT_EQ(seen.at("method"), to_string(method));
    EXPECT_EQ(seen.at("body"), R"({"port": 1})");
    EXPECT_EQ(header(seen, "content-type"), "application/json");
    EXPECT_EQ(header(seen, "content-length"), "11");
    EXPECT_EQ(header(seen, "if-match"), "revision_number=3");
    EXPECT_EQ(header(seen, "x-auth-token"), "token");
    EXPECT_EQ(header(seen, "expect"), "");
  }
}

TEST_F(RequestsTest, AnEmptyPutHasALength) {
  const nlohmann::json seen = echo(request(server_, "/echo", HttpMethod::kPut));
  EXPECT_EQ(header(seen, "content-length"), "0");
}

TEST_F(RequestsTest, ABodyIsSentAsItIs) {
  HttpRequest asked = request(server_, "/echo", HttpMethod::kPost);
  const std::string body{"a\0b@file\r\n", 10};
  asked.body = Secret{body};
  EXPECT_EQ(echo(asked).at("body"), body);
  asked.body = Secret{std::string(3000000, 'x')};
  EXPECT_EQ(echo(asked).at("body").get<std::string>().size(), 3000000U);
}

TEST_F(RequestsTest, OneCallLeavesNothingToTheNext) {
  HttpRequest first = signed_request("/echo", "a=b");
  first.headers.push_back({"X-First", "1"});
  EXPECT_THAT(header(echo(first), "authorization"), HasSubstr("AWS4-HMAC-SHA256"));
  const nlohmann::json second = echo(request(server_, "/echo"));
  EXPECT_EQ(second.at("method"), "GET");
  EXPECT_EQ(header(second, "authorization"), "");
  EXPECT_EQ(header(second, "x-first"), "");
  EXPECT_EQ(header(second, "content-type"), "");
}

TEST_F(RequestsTest, TheSignatureCoversHeadersTokenAndBody) {
  HttpRequest asked = signed_request("/signed", "Action=DescribeInstances&Version=2016-11-15");
  EXPECT_EQ(answer_to(asked).body, "good");
  asked.signature->session_token = Secret{"session+token/=="};
  EXPECT_EQ(answer_to(asked).body, "good");
  asked.headers.push_back({"X-Amz-Target", "Some.Thing"});
  EXPECT_EQ(answer_to(asked).body, "good");
  asked.body = Secret{std::string(70000, 'x')};
  EXPECT_EQ(answer_to(asked).body, "good");
}

TEST_F(RequestsTest, TheSessionTokenIsSent) {
  HttpRequest asked = signed_request("/echo", "a=b");
  asked.signature->session_token = Secret{"session+token/=="};
  const nlohmann::json seen = echo(asked);
  EXPECT_EQ(header(seen, "x-amz-security-token"), "session+token/==");
  EXPECT_THAT(header(seen, "authorization"), HasSubstr("x-amz-security-token"));
}

TEST_F(RequestsTest, ASortedQueryIsSigned) {
  EXPECT_EQ(answer_to(signed_request("/signed?Action=A&B=x%20y&Version=1", "")).body, "good");
}

TEST_F(RequestsTest, AnotherKeyIsSeen) {
  HttpRequest asked = signed_request("/signed", "a=b");
  asked.signature->secret_access_key = Secret{"another"};
  EXPECT_EQ(answer_to(asked).status, 403);
}

}  // namespace
}  // namespace mha
