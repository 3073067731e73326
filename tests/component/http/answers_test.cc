// Which answers are answers: whole ones of any status, and nothing else.
#include "http_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AnswersTest : public HttpTest {
 protected:
  HttpServer server_;
};

TEST_F(AnswersTest, AnyStatusIsOk) {
  for (const int status : {200, 202, 400, 401, 404, 412, 429, 500, 503}) {
    const HttpResponse answer = answer_to(request(server_, "/status/" + std::to_string(status)));
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, "words");
    EXPECT_EQ(answer.header("content-length"), "5");
  }
}

TEST_F(AnswersTest, ChunkedAndEmptyOnesAreWhole) {
  EXPECT_EQ(answer_to(request(server_, "/chunked")).body, "abcdef");
  EXPECT_EQ(answer_to(request(server_, "/empty", HttpMethod::kDelete)).status, 204);
}

TEST_F(AnswersTest, RedirectionsAreNotFollowed) {
  const HttpResponse answer = answer_to(request(server_, "/redirect"));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.header("location"), "/echo");
}

TEST_F(AnswersTest, ACutOneIsUnreachableWhereverItWasCut) {
  for (const std::string where : {"nothing", "status-line", "headers", "length", "chunks"}) {
    const Error error = failure_of(request(server_, "/cut/" + where, HttpMethod::kPost));
    EXPECT_EQ(error.code, Code::kUnreachable) << where << ": " << error.message;
    EXPECT_THAT(error.message, HasSubstr("the request may have been executed")) << where;
  }
}

TEST_F(AnswersTest, OneWithoutALengthMayBeCut) {
  const Error error = failure_of(request(server_, "/no-length"));
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("no length"));
}

TEST_F(AnswersTest, SixteenMegabytesAndNotMore) {
  EXPECT_EQ(answer_to(request(server_, "/large/15000000")).body.size(), 15000000U);
  for (const char* path : {"/large/20971520", "/large-chunks/20971520", "/endless-headers"}) {
    const Error error = failure_of(request(server_, path));
    EXPECT_TRUE(error.code == Code::kRefused || error.code == Code::kUnreachable)
        << path << ": " << error.message;
    EXPECT_LT(took_, Milliseconds{10000});
  }
  EXPECT_EQ(failure_of(request(server_, "/large/20971520")).code, Code::kRefused);
}

TEST_F(AnswersTest, OneThatIsNoHttpIsRefused) {
  const Error error = failure_of(request(server_, "/not-http"));
  EXPECT_EQ(error.code, Code::kRefused) << error.message;
}

TEST_F(AnswersTest, AClosedPortIsUnreachable) {
  HttpRequest to_nobody;
  to_nobody.method = HttpMethod::kPost;
  {
    const HttpServer gone;
    to_nobody = request(gone, "/", HttpMethod::kPost);
  }
  const Error error = failure_of(to_nobody);
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, AllOf(HasSubstr("nothing was sent"), HasSubstr("firewalls")));
}

TEST_F(AnswersTest, NothingSecretIsLoggedOrTold) {
  HttpRequest asked = request(server_, "/cut/length?query-s3cret", HttpMethod::kPost);
  asked.headers = {{"X-Plain", "header-s3cret"}};
  asked.secret_headers.push_back({"X-Auth-Token", Secret{"token-s3cret"}});
  asked.body = Secret{"body-s3cret"};
  EXPECT_THAT(failure_of(asked).message, Not(HasSubstr("s3cret")));
  asked.url = request(server_, "/echo?query-s3cret").url;
  EXPECT_THAT(answer_to(asked).body, HasSubstr("token-s3cret"));  // it was sent
  for (const FakeLog::Line& line : log_.lines()) EXPECT_THAT(line.text, Not(HasSubstr("s3cret")));
  EXPECT_TRUE(log_.has(LogLevel::kDebug, "/echo: 200"));
}

}  // namespace
}  // namespace mha
