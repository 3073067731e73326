// The proxy that the conformance suite of clouds relies on does what it is told.
#include "component/fault_proxy.h"

#include "http_fixture.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

class FaultProxyTest : public HttpTest {
 protected:
  HttpRequest asked(const std::string& path = "/echo", const std::string& body = "Action=Act") {
    HttpRequest made;
    made.method = HttpMethod::kPost;
    made.url = proxy_.url("cloud") + path;
    made.ca_file = proxy_.ca_file();
    made.body = Secret{body};
    return made;
  }
  // Whether the server has seen a request since the last time; it is asked for one more to know.
  bool was_executed() {
    EXPECT_EQ(answer_to(request(server_, "/empty")).status, 204);
    int others = 0;
    while (server_.next("request").at("path") != "/empty") ++others;
    EXPECT_LE(others, 1);
    return others > 0;
  }

  HttpServer server_;
  FaultProxy proxy_{{{"cloud", "http://127.0.0.1:" + std::to_string(server_.port())}}, "aws"};
};

TEST_F(FaultProxyTest, PassesOnWhatIsAskedAndReplacesUrls) {
  const HttpResponse answer = answer_to(asked());
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("Action=Act"));
  EXPECT_TRUE(was_executed());
  // A catalog with the backend's own URL.
  const std::string backend = "http://127.0.0.1:" + std::to_string(server_.port()) + "/v3";
  const std::string body = answer_to(asked("/echo", backend)).body;
  EXPECT_THAT(body, HasSubstr(proxy_.url("cloud") + "/v3"));
  EXPECT_THAT(body, Not(HasSubstr(backend)));
}

TEST_F(FaultProxyTest, EachFaultIsAsOftenAndWhereItIsOrdered) {
  proxy_.add_fault({CloudFault::k503, 2, 1}, "Action=Act");
  EXPECT_EQ(answer_to(asked()).status, 200);
  EXPECT_EQ(answer_to(asked("/echo", "Action=Other")).status, 200);
  EXPECT_EQ(answer_to(asked()).status, 503);
  EXPECT_EQ(answer_to(asked()).status, 503);
  EXPECT_EQ(answer_to(asked()).status, 200);
  EXPECT_EQ(proxy_.take_count(), 5);
  EXPECT_EQ(proxy_.take_count(), 0);
}

TEST_F(FaultProxyTest, WhatTheCloudNeverSees) {
  proxy_.add_fault({CloudFault::kThrottle, 1});
  const HttpResponse busy = answer_to(asked());
  EXPECT_EQ(busy.status, 503);
  EXPECT_THAT(busy.body, HasSubstr("RequestLimitExceeded"));
  EXPECT_FALSE(was_executed());
  proxy_.add_fault({CloudFault::kRefuse, 1});
  EXPECT_EQ(failure_of(asked()).code, Code::kUnreachable);
  EXPECT_FALSE(was_executed());
  proxy_.add_fault({CloudFault::kHang, 1});
  EXPECT_EQ(failure_of(asked(), Milliseconds{300}).code, Code::kTimeout);
  EXPECT_FALSE(was_executed());
}

TEST_F(FaultProxyTest, WhatTheCloudHasDone) {
  for (const CloudFault fault : {CloudFault::kCut, CloudFault::kLose}) {
    proxy_.add_fault({fault, 1});
    EXPECT_EQ(failure_of(asked()).code, Code::kUnreachable) << to_string(fault);
    EXPECT_TRUE(was_executed()) << to_string(fault);
  }
  proxy_.add_fault({CloudFault::kHangAfter, 1});
  EXPECT_EQ(failure_of(asked(), Milliseconds{300}).code, Code::kTimeout);
  EXPECT_TRUE(was_executed());
  proxy_.add_fault({CloudFault::kMalformed, 1});
  const HttpResponse answer = answer_to(asked());
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(nlohmann::json::accept(answer.body));
  EXPECT_TRUE(was_executed());
}

TEST_F(FaultProxyTest, LatencyIsAddedUntilItIsCleared) {
  proxy_.set_latency(Milliseconds{300});
  answer_to(asked());
  EXPECT_GE(took_, Milliseconds{300});
  proxy_.clear();
  answer_to(asked());
  EXPECT_LT(took_, Milliseconds{300});
}

// The benchmark's "a cloud that answers in 50 ms".
TEST_F(FaultProxyTest, APaceHoldsAnswersBackAndTimesTellHowLong) {
  proxy_.set_pace(Milliseconds{300});
  answer_to(asked());
  EXPECT_GE(took_, Milliseconds{300});
  proxy_.clear();
  answer_to(asked("/echo", "Action=Other"));
  const auto times = proxy_.times();
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[0].first, Milliseconds{300});
  EXPECT_EQ(times[0].second, "POST Act");
  EXPECT_LT(times[1].first, Milliseconds{300});
  EXPECT_EQ(times[1].second, "POST Other");
  EXPECT_EQ(proxy_.take_count(), 2);
  EXPECT_TRUE(proxy_.times().empty());
}

TEST_F(FaultProxyTest, AWrongCommandIsAnError) {
  EXPECT_THROW(proxy_.add_fault({CloudFault::kNone, 1}), std::runtime_error);
}

}  // namespace
}  // namespace mha
