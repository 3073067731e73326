// Connections are kept and used again, and a request is sent once.
#include <set>
#include <thread>

#include "http_fixture.h"

namespace mha {
namespace {

using testing::HasSubstr;

class ReuseTest : public HttpTest {
 protected:
  // The number of the connection that it went over.
  std::string connection_of(const HttpRequest& request) {
    return answer_to(request).header("x-connection");
  }

  HttpServer server_;
};

TEST_F(ReuseTest, CallsOneAfterTheOtherShareAConnection) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(connection_of(request(server_, "/echo", HttpMethod::kPost)), "1");
  }
  EXPECT_EQ(answer_to(request(server_, "/status/503")).status, 503);
  EXPECT_EQ(connection_of(request(server_, "/echo")), "1");
}

TEST_F(ReuseTest, TlsIsSetUpOnce) {
  const Certificates certificates;
  HttpServer server{{"--certificate", certificates.file("good")}};
  const HttpRequest asked = tls_request(server, "/echo", certificates.file("ca"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(connection_of(asked), "1");
  // Not with other authorities than those that vouched for it.
  HttpRequest other = asked;
  other.ca_file = certificates.file("other_ca");
  EXPECT_EQ(failure_of(other).code, Code::kDenied);
  EXPECT_EQ(connection_of(asked), "1");
}

TEST_F(ReuseTest, AnotherThreadTakesTheConnectionOfOneThatHasEnded) {
  for (int i = 0; i < 3; ++i) {
    std::thread([&] { EXPECT_EQ(connection_of(request(server_, "/echo")), "1"); }).join();
  }
}

TEST_F(ReuseTest, EachServerHasItsOwnAndBothAreKept) {
  HttpServer other;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connection_of(request(server_, "/echo")), "1");
    EXPECT_EQ(connection_of(request(other, "/echo")), "1");
  }
}

TEST_F(ReuseTest, ManyThreadsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 20;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        RealClock clock;
        for (int call = 0; call < kCalls; ++call) {
          HttpRequest asked = request(server_, "/echo", HttpMethod::kPost);
          const std::string body = std::to_string(i) + "/" + std::to_string(call);
          asked.body = Secret{body};
          const Result<HttpResponse> answer =
              client_.send(asked, clock.deadline_after(Milliseconds{20000}));
          ASSERT_TRUE(answer.ok()) << answer.error().message;
          EXPECT_EQ(nlohmann::json::parse(answer.value().body).at("body"), body);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  server_.next("connect");
  int requests = 0;
  while (requests < 2 * kThreads * kCalls) {
    server_.next("request");
    ++requests;
  }
  EXPECT_LE(server_.count("connect"), kThreads);
}

TEST_F(ReuseTest, AConnectionThatTheServerHasClosedIsReplaced) {
  EXPECT_EQ(answer_to(request(server_, "/die-second")).body, "first");
  // A GET may be sent again, by curl itself.
  EXPECT_EQ(answer_to(request(server_, "/die-second")).body, "first");
}

TEST_F(ReuseTest, WhatMayHaveBeenExecutedIsNotSentAgain) {
  EXPECT_EQ(answer_to(request(server_, "/die-second", HttpMethod::kPost)).body, "first");
  const Error error = failure_of(request(server_, "/die-second", HttpMethod::kPost));
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("without an answer; the request may have been executed"));
  EXPECT_EQ(answer_to(request(server_, "/echo")).status, 200);
  // The first, the one that died, and the one that proves the server to be there.
  EXPECT_EQ(server_.next("request").at("path"), "/die-second");
  EXPECT_EQ(server_.next("request").at("path"), "/die-second");
  EXPECT_EQ(server_.next("request").at("path"), "/echo");
}

TEST_F(ReuseTest, TheConnectionsGoWithTheClient) {
  {
    CurlHttpClient client{clock_, log_};
    ASSERT_TRUE(
        client.send(request(server_, "/echo"), clock_.deadline_after(Milliseconds{5000})).ok());
  }
  EXPECT_EQ(server_.next("gone").at("connection"), 1);
}

}  // namespace
}  // namespace mha
