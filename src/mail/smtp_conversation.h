// What was said between us and an SMTP server, as far as it tells how a mail fared.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mha {

enum class SmtpStep { kConnect, kHello, kStartTls, kLogin, kSender, kRecipient, kData, kMessage };

// "the connection attempt", "the login"...: what the server answered, or did not.
std::string_view to_string(SmtpStep step);

struct RefusedRecipient {
  std::string address;
  std::string reply;  // "550 5.1.1 no such user"

  bool operator==(const RefusedRecipient&) const = default;
};

// Fed with the command lines sent and the reply lines received, in order. Keeps no credentials: of
// the lines of an AUTH exchange only that they happened. Replies are kept as one line of printable
// text, cut to 300 bytes.
class SmtpConversation {
 public:
  void sent(std::string_view line);
  void received(std::string_view line);

  // What was said last; QUIT is not a step of a mail.
  [[nodiscard]] SmtpStep step() const { return step_; }
  // The server's 250 to the message itself.
  [[nodiscard]] bool accepted() const { return accepted_; }
  // The last reply, where it was a 4xx or 5xx one to step(); "" otherwise.
  [[nodiscard]] const std::string& rejection() const { return rejection_; }
  [[nodiscard]] const std::vector<RefusedRecipient>& refused_recipients() const { return refused_; }

 private:
  void reply(int code);

  SmtpStep step_ = SmtpStep::kConnect;
  bool quitting_ = false;
  std::string recipient_;  // of the last RCPT
  std::string lines_;      // of the reply under way
  bool accepted_ = false;
  std::string rejection_;
  std::vector<RefusedRecipient> refused_;
};

}  // namespace mha
