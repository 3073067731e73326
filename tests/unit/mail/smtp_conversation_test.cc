// What is read from an SMTP conversation: steps, refusals, and no secret.
#include "mail/smtp_conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Lines as "C: ..." and "S: ...".
SmtpConversation talk(const std::vector<std::string_view>& lines) {
  SmtpConversation conversation;
  for (const std::string_view line : lines) {
    const std::string text = std::string{line.substr(3)} + "\r\n";
    if (line.starts_with("C")) {
      conversation.sent(text);
    } else {
      conversation.received(text);
    }
  }
  return conversation;
}

std::vector<std::string_view> until_data() {
  return {"S: 220 mx", "C: EHLO mgr",      "S: 250-mx", "S: 250 SIZE", "C: MAIL FROM:<a@b> SIZE=3",
          "S: 250 ok", "C: RCPT TO:<c@d>", "S: 250 ok", "C: DATA",     "S: 354 go on"};
}

TEST(SmtpConversation, IsAcceptedByThe250ToTheMessage) {
  auto lines = until_data();
  EXPECT_FALSE(talk(lines).accepted());
  EXPECT_EQ(talk(lines).step(), SmtpStep::kMessage);
  lines.insert(lines.end(), {"S: 250 queued", "C: QUIT", "S: 221 bye"});
  EXPECT_TRUE(talk(lines).accepted());
  EXPECT_THAT(talk(lines).rejection(), IsEmpty());
}

TEST(SmtpConversation, IsNotAcceptedByAnyOther250) {
  auto lines = until_data();
  lines.insert(lines.end(), {"S: 554 no", "C: QUIT", "S: 250 odd"});
  const SmtpConversation conversation = talk(lines);
  EXPECT_FALSE(conversation.accepted());
  EXPECT_EQ(conversation.rejection(), "554 no");
  EXPECT_EQ(conversation.step(), SmtpStep::kMessage);
}

TEST(SmtpConversation, TellsWhichRecipientWasRefused) {
  const SmtpConversation conversation =
      talk({"C: RCPT TO:<a@x>", "S: 250 ok", "C: RCPT TO:<b@x>", "S: 550-5.1.1 no such",
            "S: 550 5.1.1 user", "C: RCPT TO:<c@x>", "S: 451 later", "C: DATA", "S: 354 go",
            "S: 250 ok"});
  EXPECT_THAT(conversation.refused_recipients(),
              ElementsAre(RefusedRecipient{"b@x", "550 5.1.1 no such 5.1.1 user"},
                          RefusedRecipient{"c@x", "451 later"}));
  EXPECT_TRUE(conversation.accepted());
}

TEST(SmtpConversation, ForgetsARejectionThatALaterStepOvercame) {
  const SmtpConversation conversation =
      talk({"C: EHLO mgr", "S: 502 what", "C: HELO mgr", "S: 250 mx", "C: MAIL FROM:<a@b>"});
  EXPECT_THAT(conversation.rejection(), IsEmpty());
  EXPECT_EQ(conversation.step(), SmtpStep::kSender);
}

TEST(SmtpConversation, TakesNoLineOfALoginForACommand) {
  SmtpConversation conversation;
  // A password may look like anything, in plain text with AUTH's initial response as well.
  for (const char* line : {"AUTH LOGIN", "bWhh", "QUIT ", "RCPT TO", "DATA ", "c2VjcmV0"}) {
    conversation.sent(std::string{line} + "\r\n");
    EXPECT_EQ(conversation.step(), SmtpStep::kLogin) << line;
    conversation.received("334 c2VjcmV0\r\n");
    EXPECT_THAT(conversation.rejection(), IsEmpty());
  }
  conversation.received("535 5.7.8 no\r\n");
  EXPECT_EQ(conversation.rejection(), "535 5.7.8 no");
  EXPECT_THAT(conversation.refused_recipients(), IsEmpty());
}

TEST(SmtpConversation, MakesReplyLinesFitToShow) {
  SmtpConversation conversation;
  conversation.received("554-\x1b[31mred\xff\r\n");
  conversation.received("554-" + std::string(5000, 'x') + "\r\n");
  conversation.received("554 end\r\n");
  EXPECT_THAT(conversation.rejection(), HasSubstr("554 ?[31mred?"));
  EXPECT_THAT(conversation.rejection(), Not(HasSubstr("\x1b")));
  EXPECT_LE(conversation.rejection().size(), 310U);
}

TEST(SmtpConversation, SkipsWhatIsNoReply) {
  SmtpConversation conversation;
  for (const char* line : {"", "\r\n", "5", "55", "abc def", "\xff\xff\xff\xff"}) {
    conversation.received(line);
  }
  EXPECT_THAT(conversation.rejection(), IsEmpty());
  conversation.received("554\r\n");
  EXPECT_EQ(conversation.rejection(), "554");
}

}  // namespace
}  // namespace mha
