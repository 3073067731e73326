// A mail server's stand-in: keeps the mails that it was given, fails as the fault plan says.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/mailer.h"

namespace mha {

// Holds to the port's contract: a mail without recipients is kConfig, one whose deadline has passed
// is kTimeout, and neither is kept. Each send is one call "send mail <subject>" of the plan. Not
// thread-safe.
class FakeMailer : public Mailer {
 public:
  struct Sent {
    SmtpServer server;
    Mail mail;
  };

  FakeMailer(const Clock& clock, FaultPlan& faults) : clock_(clock), faults_(faults) {}

  Status send(const SmtpServer& server, const Mail& mail, Deadline deadline) override {
    return faults_.around("send mail " + mail.subject, [&]() -> Status {
      if (mail.to.empty()) return Error{Code::kConfig, "the mail has no recipient"};
      if (clock_.passed(deadline)) {
        return Error{Code::kTimeout, "sending mail by " + server.host + ": no time left"};
      }
      sent_.push_back({server, mail});
      return {};
    });
  }

  // What arrived, in order.
  [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }

 private:
  const Clock& clock_;
  FaultPlan& faults_;
  std::vector<Sent> sent_;
};

}  // namespace mha
