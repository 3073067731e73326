// Mails that could not be sent, kept on disk until somebody sends them.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "ports/clock.h"
#include "ports/mailer.h"

namespace mha {

// The folder keeps this many; beyond it the oldest go.
inline constexpr std::size_t kSpoolLimit = 100;

struct SpooledMail {
  std::string path;
  std::string spooled_at;  // "2026-03-01T12:00:00Z"
  Mail mail;
};

// Writes `mail` to a new file of `folder` (made where absent, mode 0700; the file 0600) and returns
// its path. Complete on disk when it returns, or not there at all. JSON, without server or
// password: {"spooled_at", "from", "to", "subject", "body"}; text that is not UTF-8 is mended.
// Errors: kInternal or kDenied, with the system's words. Several processes may spool at the same
// time.
Result<std::string> spool_mail(const std::string& folder, const Mail& mail, const Clock& clock);

// What lies in `folder`, oldest first, without a file that cannot be read (`unreadable` names
// those). An absent folder is an empty one.
struct Spool {
  std::vector<SpooledMail> mails;
  std::vector<std::string> unreadable;  // one line each: path and why
};
Result<Spool> list_spool(const std::string& folder);

struct FlushOutcome {
  std::size_t sent = 0;
  std::size_t kept = 0;
  std::vector<std::string> problems;  // one line each: path and why it was kept
};

// Sends what is spooled, oldest first, with a first line in the body that says so, and removes each
// file once the server has taken the mail. A mail that is refused (kRefused, kConfig) stays, and
// the next is tried; any other error ends the flush, since it would be the next mail's too. The
// deadline is for all of them. One flush at a time: a second one is kRefused.
Result<FlushOutcome> flush_spool(const std::string& folder, const SmtpServer& server,
                                 Mailer& mailer, Deadline deadline);

}  // namespace mha
