// Port mailer on libcurl's SMTP.
#pragma once

#include "base/log.h"
#include "ports/clock.h"
#include "ports/mailer.h"

namespace mha {

// Thread-safe. Each send is a connection of its own.
//
// Beyond the port's contract:
// - Several recipients: those that the server accepts get the mail. Where it refuses only some,
//   send() is Ok (the server's 250 to the data was had) and each refused one is a warning in the
//   log with the server's words. As an error it would be spooled, and sent a second time to those
//   who have it already. kRefused is for a mail that nobody gets.
// - kConfig: an address that could break a header, no recipient, an unreadable ca_file, and a
//   password to be sent in plain text (security kNone with a user) to a host other than loopback.
// - The certificate must be valid for SmtpServer::host, by ca_file alone where it is set.
// - Login by PLAIN, LOGIN, CRAM-MD5 or DIGEST-MD5 only: Kerberos and NTLM would ask other servers,
//   outside of the deadline. Where the server offers no login the mail goes without one.
// - Proxies of the environment (http_proxy, ALL_PROXY) are for HTTP and not used.
// - The deadline covers name resolution. After it has passed nothing waits for the server's last
//   words: QUIT is sent, its reply not read.
// - kTimeout and kUnreachable after the message was sent say that it may have been delivered.
class CurlMailer : public Mailer {
 public:
  // Both must outlive it.
  CurlMailer(const Clock& clock, Log& log);
  ~CurlMailer() override;
  CurlMailer(const CurlMailer&) = delete;
  CurlMailer& operator=(const CurlMailer&) = delete;

  Status send(const SmtpServer& server, const Mail& mail, Deadline deadline) override;

 private:
  const Clock& clock_;
  Log& log_;
};

}  // namespace mha
