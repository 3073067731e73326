// STARTTLS, TLS and login: nothing goes where it must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mail_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const char* const kPassword = R"(p@ss w'o\rd$1":;)";

class SecurityTest : public MailTest {
 protected:
  void SetUp() override {
    MailTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    good_ = make_certificate(folder_.path(), "good", "DNS:localhost,IP:127.0.0.1");
    other_ = make_certificate(folder_.path(), "other", "DNS:other.example");
  }

  static std::vector<std::string> options(const std::string& tls, const Certificate& certificate) {
    return {"--tls", tls, "--cert", certificate.cert, "--key", certificate.key};
  }
  std::vector<std::string> with_login(const std::string& tls) {
    auto all = options(tls, good_);
    all.insert(all.end(), {"--user", "mha", "--password", kPassword});
    return all;
  }
  SmtpServer login_at(const MailServer& server, SmtpSecurity security) {
    SmtpServer target = at(server, security, good_.cert);
    target.user = "mha";
    target.password = Secret{kPassword};
    return target;
  }
  // kDenied, in one line without the password.
  static void expect_denied(const Status& status, const std::string& words) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kDenied) << status.error().message;
    EXPECT_THAT(status.error().message,
                AllOf(HasSubstr(words), HasSubstr("no mail was sent"), HasSubstr("127.0.0.1:"),
                      Not(HasSubstr(kPassword)), Not(HasSubstr("\n"))));
  }
  // The connection is over and nothing of the mail was said on it.
  static void expect_nothing_said(MailServer& server) {
    server.next("gone");
    EXPECT_EQ(server.count("login"), 0);
    EXPECT_EQ(server.count("rcpt"), 0);
    EXPECT_EQ(server.count("mail"), 0);
  }

  TemporaryFolder folder_;
  Certificate good_;
  Certificate other_;
};

TEST_F(SecurityTest, StartTlsWithLogin) {
  for (const char* mechanism : {"PLAIN", "LOGIN"}) {
    auto all = with_login("starttls");
    all.insert(all.end(), {"--only_mechanism", mechanism});
    MailServer server{all};
    const Status status = send(login_at(server, SmtpSecurity::kStartTls), mail_);
    ASSERT_TRUE(status.ok()) << mechanism << ": " << status.error().message;
    EXPECT_EQ(server.next("login")["mechanism"], mechanism);
    const auto got = server.next("mail");
    EXPECT_TRUE(got["tls"]);
    EXPECT_TRUE(got["login"]);
    EXPECT_EQ(got["body"], mail_.body);
  }
}

TEST_F(SecurityTest, ImplicitTlsWithLogin) {
  MailServer server{with_login("implicit")};
  const Status status = send(login_at(server, SmtpSecurity::kTls), mail_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  const auto got = server.next("mail");
  EXPECT_TRUE(got["tls"]);
  EXPECT_TRUE(got["login"]);
}

TEST_F(SecurityTest, AWrongPasswordIsDenied) {
  MailServer server{with_login("starttls")};
  SmtpServer target = login_at(server, SmtpSecurity::kStartTls);
  target.password = Secret{"wr0ng"};
  const Status status = send(target, mail_);
  expect_denied(status, "535");
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("smtp_password_file"), Not(HasSubstr("wr0ng"))));
  server.next("gone");
  EXPECT_GE(server.count("login"), 1);
  EXPECT_EQ(server.count("mail"), 0);
}

TEST_F(SecurityTest, AServerThatWantsALoginRefusesAMailWithout) {
  MailServer server{with_login("starttls")};
  const Status status = send(at(server, SmtpSecurity::kStartTls, good_.cert), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_THAT(status.error().message, HasSubstr("530"));
}

TEST_F(SecurityTest, NoStartTlsOfferedMeansNothingIsSent) {
  MailServer server{{"--plain_login", "--user", "mha", "--password", kPassword}};
  expect_denied(send(login_at(server, SmtpSecurity::kStartTls), mail_), "does not offer STARTTLS");
  expect_nothing_said(server);
}

TEST_F(SecurityTest, ACertificateOfAnotherAuthorityIsDenied) {
  MailServer start_tls{options("starttls", good_)};
  expect_denied(send(at(start_tls, SmtpSecurity::kStartTls, other_.cert), mail_), "certificate");
  expect_nothing_said(start_tls);
  MailServer tls{options("implicit", good_)};
  expect_denied(send(at(tls, SmtpSecurity::kTls, other_.cert), mail_), "certificate");
}

TEST_F(SecurityTest, ACertificateThatTheSystemDoesNotKnowIsDenied) {
  MailServer server{options("starttls", good_)};
  expect_denied(send(at(server, SmtpSecurity::kStartTls, ""), mail_), "certificate");
  expect_nothing_said(server);
}

TEST_F(SecurityTest, ACertificateOfAnotherNameIsDenied) {
  MailServer server{options("starttls", other_)};
  expect_denied(send(at(server, SmtpSecurity::kStartTls, other_.cert), mail_), "127.0.0.1");
  expect_nothing_said(server);
}

TEST_F(SecurityTest, AnUnreadableCaFileIsAConfigurationError) {
  MailServer server{options("starttls", good_)};
  const Status status = send(at(server, SmtpSecurity::kStartTls, folder_.path() + "/none"), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kConfig) << status.error().message;
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(folder_.path()), HasSubstr("smtp_ca")));
}

TEST_F(SecurityTest, TlsToAPortWithoutItIsAnError) {
  MailServer server{{}};
  const Status status = send(at(server, SmtpSecurity::kTls, good_.cert), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kUnreachable);
  EXPECT_THAT(status.error().message, HasSubstr("smtp_security"));
  expect_nothing_said(server);
}

TEST_F(SecurityTest, APlainLoginIsForLoopbackOnly) {
  MailServer server{{"--plain_login", "--user", "mha", "--password", kPassword}};
  SmtpServer target = login_at(server, SmtpSecurity::kNone);
  const Status status = send(target, mail_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(server.next("mail")["login"]);
  // The same server by a name that is not known to be loopback.
  target.host = "127.0.0.1.";
  EXPECT_EQ(send(target, mail_).error().code, Code::kConfig);
}

}  // namespace
}  // namespace mha
