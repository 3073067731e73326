// The text of a mail as an SMTP server gets it after DATA: headers, empty line, encoded body.
#pragma once

#include <string>

#include "base/status.h"
#include "ports/clock.h"
#include "ports/mailer.h"

namespace mha {

// What makes one sending of a mail different from the next.
struct MailStamp {
  WallTime date;
  std::string message_id;  // with its angle brackets
};

// The clock's wall time, and an identifier that no other mail has, at the sender's domain.
MailStamp make_mail_stamp(const Mail& mail, const Clock& clock);

// kConfig where `from` or one of `to` is empty, longer than SMTP allows (RFC 5321 4.5.3.1), or has
// a character that could end the address or the header line (control characters, blanks,
// <>()",;\), or is not ASCII (the domain's xn-- form is), or where there is no recipient.
Status check_mail_addresses(const Mail& mail);

// The whole message, every line ended by CRLF and at most 998 bytes long, ASCII only, so that a
// server needs no extension (RFC 5322, 2045, 2047). Not dot-stuffed: that is the transport's.
// - Subject: control characters become blanks; other than ASCII is encoded, cut at characters.
// - Body: \r\n and \r count as \n; bytes that are not UTF-8, and NUL, become U+FFFD. ASCII with
//   short lines stays readable as it is (7bit), everything else goes as base64.
// Only for a mail that check_mail_addresses() accepts.
std::string message_text(const Mail& mail, const MailStamp& stamp);

// `text` with every byte sequence that is not UTF-8 replaced by U+FFFD.
std::string valid_utf8(const std::string& text);

}  // namespace mha
