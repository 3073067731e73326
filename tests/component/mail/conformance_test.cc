// What every mailer does, the fake as well as the real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "fakes/fake_mailer.h"
#include "fakes/fault_plan.h"
#include "mail_fixture.h"

namespace mha {
namespace {

struct MailerUnderTest {
  std::unique_ptr<Mailer> mailer;
  SmtpServer server;
  std::function<std::string()> arrived_subject;  // of the next mail that arrived
};

class RealSide {
 public:
  MailerUnderTest make(const Clock& clock) {
    SmtpServer target;
    target.host = "127.0.0.1";
    target.port = server_.port();
    return {std::make_unique<CurlMailer>(clock, log_), target,
            [this] { return server_.next("mail")["headers"]["subject"].get<std::string>(); }};
  }

 private:
  MailServer server_{{}};
  RecordingLog log_;
};

class FakeSide {
 public:
  MailerUnderTest make(const Clock& clock) {
    auto mailer = std::make_unique<FakeMailer>(clock, faults_);
    const FakeMailer& fake = *mailer;
    return {std::move(mailer), {}, [this, &fake] { return fake.sent().at(next_++).mail.subject; }};
  }

 private:
  FaultPlan faults_;
  std::size_t next_ = 0;
};

template <typename Side>
class MailerConformance : public MailTest {};

using Sides = testing::Types<RealSide, FakeSide>;
TYPED_TEST_SUITE(MailerConformance, Sides);

TYPED_TEST(MailerConformance, DeliversOrSaysWhyNot) {
  TypeParam side;
  const MailerUnderTest under_test = side.make(this->clock_);
  Mailer& mailer = *under_test.mailer;
  const auto soon = [this] { return this->clock_.deadline_after(Milliseconds{10000}); };

  ASSERT_TRUE(mailer.send(under_test.server, this->mail_, soon()).ok());
  EXPECT_EQ(under_test.arrived_subject(), this->mail_.subject);

  Mail nobody = this->mail_;
  nobody.to.clear();
  const Status no_recipient = mailer.send(under_test.server, nobody, soon());
  ASSERT_FALSE(no_recipient.ok());
  EXPECT_EQ(no_recipient.error().code, Code::kConfig);

  const Status too_late = mailer.send(under_test.server, this->mail_, Deadline{this->clock_.now()});
  ASSERT_FALSE(too_late.ok());
  EXPECT_EQ(too_late.error().code, Code::kTimeout);

  // Neither of these arrived: the next one that does is this.
  Mail second = this->mail_;
  second.subject = "second";
  ASSERT_TRUE(mailer.send(under_test.server, second, soon()).ok());
  EXPECT_EQ(under_test.arrived_subject(), "second");
}

}  // namespace
}  // namespace mha
