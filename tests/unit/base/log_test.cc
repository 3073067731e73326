// The console log: which stream a line goes to, and what it looks like.
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mha {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

struct Streams {
  std::string out;
  std::string err;
};

Streams written_at(LogLevel least) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const std::unique_ptr<Log> log = make_console_log(least);
  log->debug("a debug {}", 1);
  log->info("an info {}", 2);
  log->warning("a warning {}", 3);
  log->error("an error {}", 4);
  return {testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(LogTest, WarningsAndErrorsGoToStandardError) {
  const Streams streams = written_at(LogLevel::kDebug);
  EXPECT_THAT(streams.out, HasSubstr("a debug 1"));
  EXPECT_THAT(streams.out, HasSubstr("an info 2"));
  EXPECT_THAT(streams.out, Not(HasSubstr("a warning")));
  EXPECT_THAT(streams.err, HasSubstr("a warning 3"));
  EXPECT_THAT(streams.err, HasSubstr("an error 4"));
  EXPECT_THAT(streams.err, Not(HasSubstr("an info")));
}

TEST(LogTest, LinesBelowTheLeastLevelAreDropped) {
  EXPECT_THAT(written_at(LogLevel::kInfo).out, Not(HasSubstr("a debug")));
  const Streams errors = written_at(LogLevel::kError);
  EXPECT_EQ(errors.out, "");
  EXPECT_THAT(errors.err, Not(HasSubstr("a warning")));
  EXPECT_THAT(errors.err, HasSubstr("an error 4"));
}

TEST(LogTest, ALineIsStampedWithTimeAndLevel) {
  EXPECT_THAT(
      written_at(LogLevel::kError).err,
      MatchesRegex("[0-9]+-[0-9]+-[0-9]+ [0-9]+:[0-9]+:[0-9]+\\.[0-9]+ \\[error\\] an error 4\n"));
}

// A line may hold what a server or a person wrote: it is not a format.
TEST(LogTest, ALineIsTakenAsItIs) {
  testing::internal::CaptureStdout();
  const std::unique_ptr<Log> log = make_console_log(LogLevel::kInfo);
  log->write(LogLevel::kInfo, "100% {} {0} %v %n");
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("] 100% {} {0} %v %n\n"));
}

}  // namespace
}  // namespace mha
