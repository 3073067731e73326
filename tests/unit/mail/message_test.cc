// Headers and encodings of a mail, down to the byte.
#include "mail/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"

namespace mha {
namespace {

using std::string_literals::operator""s;
using testing::Each;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::ResultOf;
using testing::SizeIs;
using testing::StartsWith;

const MailStamp kStamp{WallTime{std::chrono::seconds{1704067205}}, "<1.2@example.com>"};

Mail simple_mail() {
  return Mail{"mha@example.com", {"dba@example.com"}, "db1 failed", "It is db2 now.\n"};
}

std::string text_with_subject(const std::string& subject) {
  Mail mail = simple_mail();
  mail.subject = subject;
  return message_text(mail, kStamp);
}

std::string text_with_body(const std::string& body) {
  Mail mail = simple_mail();
  mail.body = body;
  return message_text(mail, kStamp);
}

std::string body_of(const std::string& text) { return text.substr(text.find("\r\n\r\n") + 4); }

// The lines of one header, the folded ones with it, without their line ends.
std::vector<std::string> header_lines(const std::string& text, const std::string& name) {
  std::vector<std::string> lines;
  std::istringstream stream{text.substr(0, text.find("\r\n\r\n"))};
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    inside = line.starts_with(name + ":") || (inside && line.starts_with(' '));
    if (inside) lines.push_back(line);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) longest = std::max(longest, line.size() - 1);
  return longest;
}

TEST(MessageText, IsThisForAPlainMail) {
  EXPECT_EQ(message_text(simple_mail(), kStamp),
            "Date: Mon, 01 Jan 2024 00:00:05 +0000\r\n"
            "From: mha@example.com\r\n"
            "To: dba@example.com\r\n"
            "Subject: db1 failed\r\n"
            "Message-ID: <1.2@example.com>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "\r\n"
            "It is db2 now.\r\n");
}

TEST(MessageText, FoldsManyRecipients) {
  Mail mail = simple_mail();
  mail.to.clear();
  for (int i = 0; i < 12; ++i) mail.to.push_back("person" + std::to_string(i) + "@example.com");
  const auto lines = header_lines(message_text(mail, kStamp), "To");
  EXPECT_GT(lines.size(), 3U);
  EXPECT_THAT(lines, Each(SizeIs(testing::Le(76U))));
  std::string expected = "To: person0@example.com";
  for (int i = 1; i < 12; ++i) expected += ", person" + std::to_string(i) + "@example.com";
  EXPECT_EQ(joined(lines), expected);
}

TEST(MessageText, EncodesASubjectThatIsNotAscii) {
  EXPECT_THAT(text_with_subject("größer"), HasSubstr("\r\nSubject: =?UTF-8?B?Z3LDtsOfZXI=?=\r\n"));
}

TEST(MessageText, CutsAnEncodedSubjectBetweenCharacters) {
  // Each character has three bytes; 39 of them are 13 characters, 40 would cut one.
  std::string subject = "x";
  for (int i = 0; i < 40; ++i) subject += "\xe2\x82\xac";
  const auto lines = header_lines(text_with_subject(subject), "Subject");
  ASSERT_GT(lines.size(), 2U);
  EXPECT_THAT(lines, Each(SizeIs(testing::Le(76U))));
  // x and 12 euro signs, 37 bytes; a cut inside a character would give 52 digits instead.
  EXPECT_EQ(lines.front(),
            "Subject: =?UTF-8?B?eOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrA==?=");
  EXPECT_THAT(lines[1], StartsWith(" =?UTF-8?B?4oKs"));
}

TEST(MessageText, FoldsALongAsciiSubjectSoThatItUnfoldsToItself) {
  std::string subject = "cluster:";
  for (int i = 0; i < 40; ++i) subject += " word" + std::to_string(i);
  subject += "   three blanks";
  const auto lines = header_lines(text_with_subject(subject), "Subject");
  EXPECT_GT(lines.size(), 3U);
  EXPECT_THAT(lines, Each(SizeIs(testing::Le(76U))));
  EXPECT_EQ(joined(lines), "Subject: " + subject);
}

TEST(MessageText, EncodesASubjectWithAWordTooLongToFold) {
  const std::string text = text_with_subject("see " + std::string(2000, 'a'));
  EXPECT_THAT(header_lines(text, "Subject"), Each(SizeIs(testing::Le(76U))));
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?"));
}

TEST(MessageText, EncodesASubjectThatLooksEncoded) {
  EXPECT_THAT(text_with_subject("=?UTF-8?B?aGVsbG8=?="), Not(HasSubstr("aGVsbG8=")));
}

TEST(MessageText, KeepsAnEmptySubject) {
  EXPECT_THAT(text_with_subject(" \r\n "), HasSubstr("\r\nSubject: \r\n"));
}

TEST(MessageText, MakesNoHeaderOfASubject) {
  for (const std::string& end :
       {"\n"s, "\r"s, "\r\n"s, "\r\n\r\n"s, "\0"s, "\x0b"s, "\x7f"s, "\r\n "s}) {
    const std::string text = text_with_subject("down" + end + "Bcc: evil@example.com");
    EXPECT_THAT(header_lines(text, "Bcc"), testing::IsEmpty());
    EXPECT_EQ(joined(header_lines(text, "Subject")),
              "Subject: down" + std::string(end.size(), ' ') + "Bcc: evil@example.com");
  }
}

TEST(MessageText, EndsEachLineByCrLf) {
  EXPECT_EQ(body_of(text_with_body("a\nb\r\nc\rd\n\ne")), "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n");
}

TEST(MessageText, LeavesDotsToTheTransport) {
  EXPECT_EQ(body_of(text_with_body(".\n..x\n")), ".\r\n..x\r\n");
}

TEST(MessageText, EncodesALineThatIsTooLong) {
  EXPECT_EQ(body_of(text_with_body(std::string(998, 'x'))), std::string(998, 'x') + "\r\n");
  const std::string text = text_with_body(std::string(999, 'x'));
  EXPECT_THAT(text, HasSubstr("Content-Transfer-Encoding: base64\r\n"));
  EXPECT_LE(longest_line(text), 76U);
}

TEST(MessageText, EncodesABodyThatIsNotAscii) {
  const std::string text = text_with_body("größer\n");
  EXPECT_THAT(text, HasSubstr("Content-Transfer-Encoding: base64\r\n"));
  EXPECT_EQ(body_of(text), "Z3LDtsOfZXINCg==\r\n");
}

TEST(MessageText, MendsABodyThatIsNotUtf8) {
  // "a", U+FFFD, "b", U+FFFD for the NUL, CR, LF.
  EXPECT_EQ(body_of(text_with_body(std::string("a\xff") + "b" + '\0')), "Ye+/vWLvv70NCg==\r\n");
}

TEST(MessageText, TakesABodyOfAMegabyte) {
  std::string body;
  while (body.size() < 1'000'000) body += "Straße nach db2, wie gewünscht.\n";
  const std::string text = text_with_body(body);
  EXPECT_LE(longest_line(text), 76U);
  EXPECT_GT(text.size(), body.size() * 4 / 3);
}

TEST(ValidUtf8, ReplacesOnlyWhatIsWrong) {
  EXPECT_EQ(valid_utf8("plain"), "plain");
  EXPECT_EQ(valid_utf8("\xf0\x9f\x90\xac"), "\xf0\x9f\x90\xac");
  EXPECT_EQ(valid_utf8("cut \xe2\x82"), "cut \xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("latin gr\xf6\xdf"), "latin gr\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(CheckMailAddresses, TakesUsualOnes) {
  Mail mail = simple_mail();
  mail.from = "root";
  mail.to = {"dba+alerts@example.info", "o'neil@[IPv6:::1]", "ops@xn--grer-5qa7i.example"};
  EXPECT_TRUE(check_mail_addresses(mail).ok());
}

void expect_refused(const Mail& mail, const std::string& role) {
  const Status status = check_mail_addresses(mail);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kConfig);
  EXPECT_THAT(status.error().message, HasSubstr(role));
  EXPECT_THAT(status.error().message, Not(HasSubstr("\n")));
}

TEST(CheckMailAddresses, RefusesWhatCouldBreakAHeaderOrAnEnvelope) {
  for (const std::string& bad : {""s, "a@b\r\nBcc: c@d"s, "a@b\n"s, "a\0@b"s, "a b@c"s, "<a@b>"s,
                                 "a@b,c@d"s, "A <a@b>"s, "größe@b"s, std::string(255, 'a')}) {
    SCOPED_TRACE(bad);
    Mail mail = simple_mail();
    mail.to.push_back(bad);
    expect_refused(mail, "recipient");
    mail = simple_mail();
    mail.from = bad;
    expect_refused(mail, "sender");
  }
}

TEST(CheckMailAddresses, WantsARecipient) {
  Mail mail = simple_mail();
  mail.to.clear();
  ASSERT_FALSE(check_mail_addresses(mail).ok());
  EXPECT_EQ(check_mail_addresses(mail).error().code, Code::kConfig);
}

TEST(MailStamp, IsTheClocksTimeAndAnIdOfItsOwn) {
  const FakeClock clock;
  const MailStamp first = make_mail_stamp(simple_mail(), clock);
  const MailStamp second = make_mail_stamp(simple_mail(), clock);
  EXPECT_EQ(first.date, clock.wall_now());
  EXPECT_NE(first.message_id, second.message_id);
  EXPECT_THAT(first.message_id, StartsWith("<"));
  EXPECT_THAT(first.message_id, EndsWith("@example.com>"));
}

TEST(MailStamp, HasADomainForALocalSender) {
  Mail mail = simple_mail();
  mail.from = "root";
  EXPECT_THAT(make_mail_stamp(mail, FakeClock{}).message_id, EndsWith("@localhost>"));
}

}  // namespace
}  // namespace mha
