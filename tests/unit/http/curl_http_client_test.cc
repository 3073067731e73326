// What the HTTP client refuses before it opens a connection.
#include "http/curl_http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

class CurlHttpClientTest : public testing::Test {
 protected:
  Error failure_of(const HttpRequest& request) {
    const Result<HttpResponse> answer =
        client_.send(request, clock_.deadline_after(std::chrono::seconds{5}));
    EXPECT_FALSE(answer.ok());
    return answer.ok() ? Error{Code::kInternal, "it went well"} : answer.error();
  }
  static HttpRequest get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    return request;
  }

  FakeClock clock_;
  FakeLog log_;
  CurlHttpClient client_{clock_, log_};
};

TEST_F(CurlHttpClientTest, RefusesAUrlThatIsNone) {
  for (const char* url : {"", "127.0.0.1", "ftp://127.0.0.1/", "file:///etc/passwd", "http://",
                          "http://a b/", "https://[::1/", "http://127.0.0.1:99999/"}) {
    EXPECT_EQ(failure_of(get(url)).code, Code::kConfig) << url;
  }
}

TEST_F(CurlHttpClientTest, RefusesAndHidesALoginInTheUrl) {
  const Error error = failure_of(get("http://user:s3cret@127.0.0.1:1/"));
  EXPECT_EQ(error.code, Code::kConfig);
  EXPECT_THAT(error.message, Not(HasSubstr("s3cret")));
}

TEST_F(CurlHttpClientTest, RefusesALineBreakInAHeader) {
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "b\r\nX-C: d"}};
  EXPECT_EQ(failure_of(request).code, Code::kInternal);
  request.headers = {{"X-A\n", "b"}};
  EXPECT_EQ(failure_of(request).code, Code::kInternal);
  request.headers = {};
  request.secret_headers.push_back({"X-Auth-Token", Secret{"s3cret\n"}});
  const Error error = failure_of(request);
  EXPECT_EQ(error.code, Code::kInternal);
  EXPECT_THAT(error.message, Not(HasSubstr("s3cret")));
}

TEST_F(CurlHttpClientTest, DoesNothingWithoutTime) {
  const Result<HttpResponse> answer =
      client_.send(get("http://127.0.0.1:1/a?secret"), Deadline{clock_.now()});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kTimeout);
  EXPECT_THAT(answer.error().message, HasSubstr("GET http://127.0.0.1:1/a: no time was left"));
  EXPECT_THAT(answer.error().message, HasSubstr("nothing was sent"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace mha
