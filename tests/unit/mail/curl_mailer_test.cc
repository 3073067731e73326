// What the mailer refuses before it opens a connection.
#include "mail/curl_mailer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "fakes/fake_clock.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

SmtpServer server_at(const std::string& host) {
  SmtpServer server;
  server.host = host;
  return server;
}

class CurlMailerTest : public testing::Test {
 protected:
  Status send(const SmtpServer& server, const Mail& mail) {
    return mailer_.send(server, mail, clock_.deadline_after(std::chrono::seconds{5}));
  }

  FakeClock clock_;
  std::unique_ptr<Log> log_ = make_console_log(LogLevel::kError);
  CurlMailer mailer_{clock_, *log_};
  Mail mail_{"mha@example.com", {"dba@example.com"}, "subject", "body"};
};

TEST_F(CurlMailerTest, SendsNoPasswordInPlainTextToAnotherHost) {
  for (const char* host : {"mx.example.invalid", "192.0.2.1", "2001:db8::1", "127.0.0.1.invalid"}) {
    SmtpServer server = server_at(host);
    server.user = "mha";
    server.password = Secret{"s3cret"};
    const Status status = send(server, mail_);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kConfig) << host;
    EXPECT_THAT(status.error().message, HasSubstr("plain text"));
    EXPECT_THAT(status.error().message, HasSubstr(host));
    EXPECT_THAT(status.error().message, Not(HasSubstr("s3cret")));
  }
}

TEST_F(CurlMailerTest, RefusesAHostThatIsNone) {
  for (const char* host : {"", "a b", "a/b", "a@b", "a:b", "::1]:25/"}) {
    const Status status = send(server_at(host), mail_);
    ASSERT_FALSE(status.ok()) << host;
    EXPECT_EQ(status.error().code, Code::kConfig) << host << ": " << status.error().message;
  }
}

TEST_F(CurlMailerTest, RefusesBadAddresses) {
  mail_.to = {"a@b\r\nDATA"};
  const Status status = send(server_at("127.0.0.1"), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kConfig);
}

TEST_F(CurlMailerTest, DoesNothingWithoutTime) {
  const Status status = mailer_.send(server_at("127.0.0.1"), mail_, Deadline{clock_.now()});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kTimeout);
  EXPECT_THAT(status.error().message, HasSubstr("no mail was sent"));
}

}  // namespace
}  // namespace mha
