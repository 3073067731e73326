// Steps of an SMTP conversation (RFC 5321) and the replies to them.
#include "mail/smtp_conversation.h"

namespace mha {
namespace {

constexpr std::size_t kReplyLimit = 300;

// A reply is a stranger's text that ends in a log.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool shown = c >= 0x20 && c < 0x7f;
    result += shown ? c : '?';
  }
  return result;
}

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string_view to_string(SmtpStep step) {
  switch (step) {
    case SmtpStep::kConnect:
      return "the connection attempt";
    case SmtpStep::kHello:
      return "EHLO";
    case SmtpStep::kStartTls:
      return "STARTTLS";
    case SmtpStep::kLogin:
      return "the login";
    case SmtpStep::kSender:
      return "the sender's address";
    case SmtpStep::kRecipient:
      return "a recipient's address";
    case SmtpStep::kData:
      return "DATA";
    case SmtpStep::kMessage:
      return "the message";
  }
  return "the message";
}

void SmtpConversation::sent(std::string_view line) {
  line = without_line_end(line);
  if (line.starts_with("EHLO ") || line.starts_with("HELO ")) {
    step_ = SmtpStep::kHello;
  } else if (line == "STARTTLS") {
    step_ = SmtpStep::kStartTls;
  } else if (line.starts_with("AUTH ")) {
    step_ = SmtpStep::kLogin;
  } else if (line.starts_with("MAIL FROM:")) {
    step_ = SmtpStep::kSender;
  } else if (line.starts_with("RCPT TO:")) {
    step_ = SmtpStep::kRecipient;
    const std::size_t begin = line.find('<');
    const std::size_t end = line.find('>');
    recipient_ = begin < end && end != std::string_view::npos
                     ? std::string{line.substr(begin + 1, end - begin - 1)}
                     : std::string{};
  } else if (line == "DATA") {
    step_ = SmtpStep::kData;
  } else if (line == "QUIT") {
    quitting_ = true;
  }
  // Anything else is a further line of an AUTH exchange: not looked at.
}

void SmtpConversation::received(std::string_view line) {
  line = without_line_end(line);
  const bool has_code =
      line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
  if (!has_code) return;
  const std::string_view text = line.size() > 4 ? line.substr(4) : std::string_view{};
  if (lines_.empty()) {
    lines_ = printable(line.substr(0, 3));
  }
  if (!text.empty() && lines_.size() < kReplyLimit) {
    lines_ += ' ' + printable(text.substr(0, kReplyLimit - lines_.size()));
  }
  const bool more_follow = line.size() > 3 && line[3] == '-';
  if (more_follow) return;
  reply((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  lines_.clear();
}

void SmtpConversation::reply(int code) {
  if (quitting_) return;
  rejection_ = code >= 400 ? lines_ : "";
  if (code >= 400 && step_ == SmtpStep::kRecipient) refused_.push_back({recipient_, lines_});
  if (step_ == SmtpStep::kMessage && code == 250) accepted_ = true;
  if (step_ == SmtpStep::kData && code == 354) step_ = SmtpStep::kMessage;
}

}  // namespace mha
