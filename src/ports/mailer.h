// Port for handing a mail to an SMTP server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"

namespace mha {

enum class SmtpSecurity { kNone, kStartTls, kTls };

struct SmtpServer {
  std::string host;  // name or address, v6 without brackets
  std::uint16_t port = 25;
  SmtpSecurity security = SmtpSecurity::kNone;
  std::string user;  // empty: no authentication
  Secret password;
  std::string ca_file;  // empty: the system's
};

struct Mail {
  std::string from;             // an address, no display name
  std::vector<std::string> to;  // at least one
  std::string subject;          // UTF-8, one line
  std::string body;             // UTF-8, any length, lines of any length, \n
};

class Mailer {
 public:
  virtual ~Mailer() = default;

  // Ok only after the server's 250 to the data. With kStartTls a server that does not offer it is
  // an error, never plain text. Errors: kUnreachable, kTimeout, kDenied (authentication,
  // certificate), kRefused (the server's words).
  virtual Status send(const SmtpServer& server, const Mail& mail, Deadline deadline) = 0;
};

}  // namespace mha
