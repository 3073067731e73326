// The spool on a real file system, with a mailer that fails as told.
#include "mail/spool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "fakes/fake_mailer.h"
#include "fakes/fault_plan.h"

namespace mha {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Mail mail_about(const std::string& subject) {
  return Mail{"mha@example.com", {"a@example.com", "b@example.com"}, subject, "größer\nzwei\n"};
}

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    std::string name = testing::TempDir() + "spoolXXXXXX";
    top_ = mkdtemp(name.data());
    folder_ = top_ + "/state/spool";
  }
  ~SpoolTest() override { fs::remove_all(top_); }

  std::string spool(const std::string& subject) {
    const auto path = spool_mail(folder_, mail_about(subject), clock_);
    EXPECT_TRUE(path.ok()) << path.error().message;
    clock_.advance(seconds{1});
    return path.ok() ? path.value() : "";
  }
  std::vector<std::string> subjects() const {
    std::vector<std::string> result;
    const Spool spool = list_spool(folder_).value();
    for (const SpooledMail& spooled : spool.mails) {
      result.push_back(spooled.mail.subject);
    }
    return result;
  }
  Result<FlushOutcome> flush() {
    SmtpServer server;
    server.host = "mx";
    return flush_spool(folder_, server, mailer_, clock_.deadline_after(seconds{10}));
  }
  std::vector<std::string> sent_subjects() const {
    std::vector<std::string> result;
    for (const FakeMailer::Sent& sent : mailer_.sent()) result.push_back(sent.mail.subject);
    return result;
  }

  std::string top_;
  std::string folder_;
  FakeClock clock_;
  FaultPlan faults_;
  FakeMailer mailer_{clock_, faults_};
};

mode_t mode_of(const std::string& path) {
  struct stat about {};
  EXPECT_EQ(stat(path.c_str(), &about), 0) << path;
  return about.st_mode & 07777U;
}

TEST_F(SpoolTest, KeepsAMailForItsOwnerOnly) {
  const std::string path = spool("one");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(mode_of(folder_), 0700U);
  const Spool spool = list_spool(folder_).value();
  ASSERT_THAT(spool.mails, SizeIs(1));
  EXPECT_EQ(spool.mails[0].path, path);
  EXPECT_EQ(spool.mails[0].spooled_at, "2024-01-01T00:00:00Z");
  EXPECT_EQ(spool.mails[0].mail.from, "mha@example.com");
  EXPECT_THAT(spool.mails[0].mail.to, ElementsAre("a@example.com", "b@example.com"));
  EXPECT_EQ(spool.mails[0].mail.subject, "one");
  EXPECT_EQ(spool.mails[0].mail.body, "größer\nzwei\n");
}

TEST_F(SpoolTest, LeavesNoOtherFileBehind) {
  spool("one");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder_})
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, ElementsAre(EndsWith(".mail.json")));
}

TEST_F(SpoolTest, ListsTheOldestFirst) {
  for (const char* subject : {"1", "2", "3"}) spool(subject);
  EXPECT_THAT(subjects(), ElementsAre("1", "2", "3"));
}

TEST_F(SpoolTest, KeepsMailsOfOneInstantApart) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(spool_mail(folder_, mail_about("same"), clock_).ok());
  EXPECT_THAT(subjects(), SizeIs(20));
}

TEST_F(SpoolTest, KeepsTheNewestOfTooMany) {
  for (std::size_t i = 0; i < kSpoolLimit + 3; ++i) spool(std::to_string(i));
  const auto kept = subjects();
  EXPECT_THAT(kept, SizeIs(kSpoolLimit));
  EXPECT_EQ(kept.front(), "3");
  EXPECT_EQ(kept.back(), std::to_string(kSpoolLimit + 2));
}

TEST_F(SpoolTest, MendsABodyThatIsNotUtf8) {
  Mail mail = mail_about("bytes");
  mail.body = std::string("a\xff") + '\0' + "b";
  ASSERT_TRUE(spool_mail(folder_, mail, clock_).ok());
  EXPECT_EQ(list_spool(folder_).value().mails.at(0).mail.body,
            std::string("a\xef\xbf\xbd") + '\0' + "b");
}

TEST_F(SpoolTest, SaysWhereItCannotWrite) {
  std::ofstream{top_ + "/file"} << "not a folder";
  folder_ = top_ + "/file/spool";
  const auto path = spool_mail(folder_, mail_about("x"), clock_);
  ASSERT_FALSE(path.ok());
  EXPECT_EQ(path.error().code, Code::kDenied);
  EXPECT_THAT(path.error().message, HasSubstr(top_ + "/file"));
}

// Whatever the umask says, and where the folder stands open already.
TEST_F(SpoolTest, NobodyElseCanReadAnything) {
  const mode_t before = umask(0);
  const std::string first = spool("one");
  EXPECT_EQ(mode_of(first), 0600U);
  EXPECT_EQ(mode_of(folder_), 0700U);
  EXPECT_EQ(mode_of(top_ + "/state") & 022U, 0U);
  ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
  const std::string second = spool("two");
  umask(before);
  EXPECT_EQ(mode_of(second), 0600U);
  EXPECT_EQ(mode_of(folder_), 0700U);
}

TEST_F(SpoolTest, TakesAnAbsentFolderForAnEmptyOne) {
  EXPECT_THAT(list_spool(folder_).value().mails, IsEmpty());
  EXPECT_EQ(flush().value().sent, 0U);
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(SpoolTest, ReportsAFileThatIsNoMail) {
  spool("good");
  for (const char* text : {"", "{", "[]", R"({"from": 1})", "\xff\xfe"}) {
    std::ofstream{folder_ + "/20000101-bad.mail.json"} << text;
    const Spool spool = list_spool(folder_).value();
    EXPECT_THAT(spool.mails, SizeIs(1)) << text;
    EXPECT_THAT(spool.unreadable, ElementsAre(HasSubstr("20000101-bad.mail.json"))) << text;
  }
}

TEST_F(SpoolTest, FlushSendsAllInOrderAndRemovesThem) {
  for (const char* subject : {"1", "2"}) spool(subject);
  const FlushOutcome outcome = flush().value();
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.kept, 0U);
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(sent_subjects(), ElementsAre("1", "2"));
  EXPECT_THAT(mailer_.sent()[0].mail.body, HasSubstr("2024-01-01T00:00:00Z"));
  EXPECT_THAT(mailer_.sent()[0].mail.body, EndsWith("größer\nzwei\n"));
  EXPECT_THAT(subjects(), IsEmpty());
}

TEST_F(SpoolTest, FlushGoesOnBehindAMailThatIsRefused) {
  for (const char* subject : {"1", "2", "3"}) spool(subject);
  faults_.fail_call(1, FaultTime::kBefore, Error{Code::kRefused, "550 no"});
  faults_.fail_call(2, FaultTime::kBefore, Error{Code::kConfig, "bad address"});
  const FlushOutcome outcome = flush().value();
  EXPECT_EQ(outcome.sent, 1U);
  EXPECT_EQ(outcome.kept, 2U);
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("550 no"), HasSubstr("bad address")));
  EXPECT_THAT(subjects(), ElementsAre("1", "2"));
}

TEST_F(SpoolTest, FlushEndsWhereTheServerDoesNotAnswer) {
  for (const Code code : {Code::kUnreachable, Code::kTimeout, Code::kDenied, Code::kInternal}) {
    fs::remove_all(folder_);
    for (const char* subject : {"1", "2", "3"}) spool(subject);
    const std::size_t before = faults_.count();
    faults_.fail_call(before + 2, FaultTime::kBefore, Error{code, "no answer"});
    const FlushOutcome outcome = flush().value();
    EXPECT_EQ(outcome.sent, 1U);
    EXPECT_EQ(outcome.kept, 2U);
    EXPECT_EQ(faults_.count(), before + 2);
    EXPECT_THAT(subjects(), ElementsAre("2", "3"));
  }
}

TEST_F(SpoolTest, FlushCountsAnUnreadableFileAsKept) {
  spool("good");
  std::ofstream{folder_ + "/20000101-bad.mail.json"} << "x";
  const FlushOutcome outcome = flush().value();
  EXPECT_EQ(outcome.sent, 1U);
  EXPECT_EQ(outcome.kept, 1U);
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("20000101-bad.mail.json")));
}

TEST_F(SpoolTest, OneFlushAtATime) {
  spool("1");
  const int other = open(folder_.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
  const auto refused = flush();
  close(other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(mailer_.sent(), IsEmpty());
  EXPECT_EQ(flush().value().sent, 1U);
}

}  // namespace
}  // namespace mha
