// What the mail tests share: the mailer under test, a mail, and the check for tools.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "component/needed_tools.h"
#include "component/real_clock.h"
#include "mail/curl_mailer.h"
#include "mail_server.h"

namespace mha {

class MailTest : public testing::Test {
 protected:
  void SetUp() override { skip_or_fail_without(missing_tools()); }

  static SmtpServer at(const MailServer& server) {
    SmtpServer target;
    target.host = "127.0.0.1";
    target.port = server.port();
    return target;
  }
  static SmtpServer at(const MailServer& server, SmtpSecurity security,
                       const std::string& ca_file) {
    SmtpServer target = at(server);
    target.security = security;
    target.ca_file = ca_file;
    return target;
  }
  Status send(const SmtpServer& server, const Mail& mail) {
    return send(server, mail, Milliseconds{20000});
  }
  // Notes how long it took.
  Status send(const SmtpServer& server, const Mail& mail, Milliseconds span) {
    const TimePoint begin = clock_.now();
    Status status = mailer_.send(server, mail, Deadline{begin + span});
    took_ = std::chrono::ceil<Milliseconds>(clock_.now() - begin);
    return status;
  }

  RealClock clock_;
  RecordingLog log_;
  CurlMailer mailer_{clock_, log_};
  Mail mail_{"mha@example.com", {"dba@example.com"}, "db1 failed", "It is db2 now.\n"};
  Milliseconds took_{0};
};

// An empty folder, gone when the test is over.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "mailXXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace mha
