// Mails as a real server takes them or refuses them, read back by Python's email package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mail_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using DeliveryTest = MailTest;

TEST_F(DeliveryTest, APlainMailArrivesWhole) {
  MailServer server{{}};
  const Status status = send(at(server), mail_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  const auto got = server.next("mail");
  EXPECT_EQ(got["mail_from"], "mha@example.com");
  EXPECT_EQ(got["rcpt_to"], nlohmann::json::array({"dba@example.com"}));
  EXPECT_EQ(got["headers"]["from"], "mha@example.com");
  EXPECT_EQ(got["headers"]["to"], "dba@example.com");
  EXPECT_EQ(got["headers"]["subject"], "db1 failed");
  EXPECT_EQ(got["headers"]["auto-submitted"], "auto-generated");
  EXPECT_EQ(got["headers"]["content-transfer-encoding"], "7bit");
  EXPECT_THAT(got["headers"]["message-id"].get<std::string>(), HasSubstr("@example.com>"));
  EXPECT_THAT(got["headers"]["date"].get<std::string>(), HasSubstr("+0000"));
  EXPECT_EQ(got["body"], "It is db2 now.\n");
  EXPECT_THAT(got["defects"], IsEmpty());
  server.next("quit");
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(DeliveryTest, Utf8ComesBackAsItWas) {
  mail_.subject =
      "Ausfall von „db1“ — neuer Master ist „db2“, bestätigt um 12:00 Uhr 🐬 größer länger";
  mail_.body = "Größe: 5 €\n.\n..zwei Punkte\n\n日本語のテキスト\n";
  MailServer server{{}};
  ASSERT_TRUE(send(at(server), mail_).ok());
  const auto got = server.next("mail");
  EXPECT_EQ(got["headers"]["subject"], mail_.subject);
  EXPECT_EQ(got["body"], mail_.body);
  EXPECT_TRUE(got["ascii"]);
  EXPECT_LE(got["longest_line"], 76);
  EXPECT_THAT(got["defects"], IsEmpty());
}

TEST_F(DeliveryTest, DotsAtLineStartsSurviveInPlainText) {
  mail_.body = ".\n..\n.x\n";
  MailServer server{{}};
  ASSERT_TRUE(send(at(server), mail_).ok());
  const auto got = server.next("mail");
  EXPECT_EQ(got["headers"]["content-transfer-encoding"], "7bit");
  EXPECT_EQ(got["body"], mail_.body);
}

TEST_F(DeliveryTest, ALongAsciiSubjectComesBackAsItWas) {
  mail_.subject = "cluster:";
  for (int i = 0; i < 40; ++i) mail_.subject += " word" + std::to_string(i);
  MailServer server{{}};
  ASSERT_TRUE(send(at(server), mail_).ok());
  EXPECT_EQ(server.next("mail")["headers"]["subject"], mail_.subject);
}

TEST_F(DeliveryTest, AMegabyteComesBackAsItWas) {
  for (const char* line : {"A plain line of text, nothing special about it.\n",
                           "Eine Zeile, die größer ist als ASCII.\n"}) {
    mail_.body.clear();
    while (mail_.body.size() < 1'000'000) mail_.body += line;
    MailServer server{{}};
    const Status status = send(at(server), mail_);
    ASSERT_TRUE(status.ok()) << status.error().message;
    const auto got = server.next("mail");
    EXPECT_TRUE(got["body"] == mail_.body) << "not as it was sent";
    EXPECT_EQ(got["bare_line_ends"], false);
  }
}

TEST_F(DeliveryTest, LinesLongerThanSmtpAllowsComeBackAsTheyWere) {
  mail_.body = std::string(5000, 'x') + "\n" + std::string(998, 'y') + "\n";
  MailServer server{{}};
  ASSERT_TRUE(send(at(server), mail_).ok());
  const auto got = server.next("mail");
  EXPECT_TRUE(got["body"] == mail_.body) << "not as it was sent";
  EXPECT_LE(got["longest_line"], 998);
}

TEST_F(DeliveryTest, ManyRecipientsGetOneMail) {
  for (int i = 0; i < 30; ++i) mail_.to.push_back("person" + std::to_string(i) + "@example.com");
  MailServer server{{}};
  ASSERT_TRUE(send(at(server), mail_).ok());
  const auto got = server.next("mail");
  EXPECT_EQ(got["rcpt_to"], nlohmann::json(mail_.to));
  std::string expected;
  for (const std::string& address : mail_.to) expected += (expected.empty() ? "" : ", ") + address;
  EXPECT_EQ(got["headers"]["to"], expected);
}

TEST_F(DeliveryTest, AV6ServerIsReached) {
  MailServer server{{"--host", "::1"}};
  SmtpServer target = at(server);
  target.host = "::1";
  const Status status = send(target, mail_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  server.next("mail");
}

TEST_F(DeliveryTest, AProxyOfTheEnvironmentIsNotUsed) {
  // Port 1 takes no connection, so a proxy that is used is an error.
  for (const char* name : {"ALL_PROXY", "all_proxy", "http_proxy", "smtp_proxy"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  MailServer server{{}};
  const Status status = send(at(server), mail_);
  for (const char* name : {"ALL_PROXY", "all_proxy", "http_proxy", "smtp_proxy"}) unsetenv(name);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST_F(DeliveryTest, OneRefusedRecipientIsAWarningAndTheOthersGetIt) {
  mail_.to = {"a@example.com", "gone@example.com", "b@example.com"};
  MailServer server{{"--refuse", "gone@example.com"}};
  const Status status = send(at(server), mail_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(server.next("mail")["rcpt_to"],
            nlohmann::json::array({"a@example.com", "b@example.com"}));
  EXPECT_THAT(log_.lines,
              ElementsAre(AllOf(HasSubstr("gone@example.com"), HasSubstr("550 5.1.1 no mailbox"))));
}

TEST_F(DeliveryTest, AMailThatNobodyGetsIsAnError) {
  mail_.to = {"a@example.com", "b@example.com"};
  MailServer server{{"--refuse_all"}};
  const Status status = send(at(server), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("127.0.0.1:"), HasSubstr("550 5.1.1 no mailbox b@example.com"),
                    HasSubstr("no mail was sent"), HasSubstr("report_email")));
  server.next("gone");
  EXPECT_EQ(server.count("rcpt"), 2);
  EXPECT_EQ(server.count("mail"), 0);
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(DeliveryTest, ARefusedMessageIsAnErrorInTheServersWords) {
  MailServer server{{"--refuse_message"}};
  const Status status = send(at(server), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("554 5.7.1 not this message"), HasSubstr("no mail was sent")));
}

TEST_F(DeliveryTest, AMessageOverTheServersLimitIsRefusedBeforeItIsSent) {
  mail_.body = std::string(5000, '\n');
  MailServer server{{"--size_limit", "2000"}};
  const Status status = send(at(server), mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_THAT(status.error().message, HasSubstr("552"));
  server.next("gone");
  EXPECT_EQ(server.count("rcpt"), 0);
}

TEST_F(DeliveryTest, NobodyListeningIsUnreachable) {
  std::uint16_t port = 0;
  {
    const MailServer server{{}};
    port = server.port();
  }
  SmtpServer target;
  target.host = "127.0.0.1";
  target.port = port;
  const Status status = send(target, mail_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kUnreachable);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)),
                                            HasSubstr("no mail was sent"), HasSubstr("smtp_host")));
}

}  // namespace
}  // namespace mha
