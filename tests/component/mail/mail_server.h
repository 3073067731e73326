// A real SMTP server and its certificates for one test, gone when the test is over.
#pragma once

#include <sys/types.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/log.h"

namespace mha {

// Keeps warnings and errors.
class RecordingLog : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level >= LogLevel::kWarning) lines.emplace_back(line);
  }
  std::vector<std::string> lines;
};

// A self-signed certificate and its key, made by openssl; files of `folder`.
struct Certificate {
  std::string cert;
  std::string key;
};
// `names` as openssl's subjectAltName: "DNS:localhost,IP:127.0.0.1".
Certificate make_certificate(const std::string& folder, const std::string& name,
                             const std::string& names);

// The server needs aiosmtpd, the certificates openssl. "" where they are there, else what is
// missing.
std::string missing_tools();

// smtp_server.py as a process of its own. Throws std::runtime_error where it does not start.
class MailServer {
 public:
  explicit MailServer(const std::vector<std::string>& options);
  ~MailServer();
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // The next event of this kind; those before it are passed over. Waits for it at most 10 s, and
  // throws std::runtime_error when there is none.
  nlohmann::json next(const std::string& event);
  // How many events of this kind next() has seen or passed over.
  [[nodiscard]] long count(const std::string& event) const;

 private:
  // The next line of its output. Throws after 10 s without one.
  std::string read_line();

  pid_t pid_ = -1;
  int input_ = -1;   // its standard input; closing it ends it
  int output_ = -1;  // the file that is its standard output
  off_t read_ = 0;
  std::string unread_;
  std::vector<nlohmann::json> seen_;
  std::uint16_t port_ = 0;
};

}  // namespace mha
