// What is drawn on a terminal.
#include "cli/phases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

// A terminal's screen: what stays after the wiping.
class Screen {
 public:
  void write(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes.substr(i).starts_with("\r\033[K")) {
        line_.clear();
        i += 3;
      } else if (bytes[i] == '\n') {
        text_ += line_ + "\n";
        line_.clear();
      } else {
        line_ += bytes[i];
      }
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  std::string text_;
  std::string line_;
};

class PhasesTest : public testing::Test {
 protected:
  [[nodiscard]] TimePoint at(int ms) const { return begin_ + Milliseconds{ms}; }

  const TimePoint begin_{std::chrono::hours{1}};
  Screen screen_;
  Phases phases_{[this](std::string_view bytes) { screen_.write(bytes); }, 40};
};

TEST_F(PhasesTest, TheRunningOneIsDrawnAgainAndTheEndedOneStays) {
  phases_.begin("look at 3 hosts", at(0));
  EXPECT_EQ(screen_.line(), "...      0.000 s  look at 3 hosts");
  phases_.tick(at(1200));
  EXPECT_EQ(screen_.line(), "...        1.2 s  look at 3 hosts");
  EXPECT_EQ(screen_.text(), "");
  phases_.end({}, at(1530));
  EXPECT_EQ(screen_.text(), "ok         1.5 s  look at 3 hosts\n");
  EXPECT_EQ(screen_.line(), "");
  phases_.tick(at(2000));
  EXPECT_EQ(screen_.line(), "") << "nothing runs";
}

TEST_F(PhasesTest, AWarningComesAboveTheRunningOne) {
  phases_.begin("catch up", at(0));
  phases_.line("warning: db3 is slow");
  EXPECT_EQ(screen_.text(), "warning: db3 is slow\n");
  EXPECT_THAT(screen_.line(), HasSubstr("catch up"));
  phases_.end(Error{Code::kTimeout, "said elsewhere"}, at(90'000));
  EXPECT_EQ(screen_.text(), "warning: db3 is slow\nFAILED 1 min 30 s  catch up\n");
}

TEST_F(PhasesTest, ALineThatIsDrawnAgainIsCutToTheTerminal) {
  phases_.begin("a sentence that is by far too long: ünïcödé", at(0));
  EXPECT_EQ(screen_.line(), "...      0.000 s  a sentence that is by");
  phases_.end({}, at(1));
  EXPECT_THAT(screen_.text(), HasSubstr("too long: ünïcödé")) << "whole, once it stays";
}

TEST_F(PhasesTest, ACutLeavesNoBrokenCharacter) {
  phases_.begin("aaaaaaaaaaaaaaaaaaaaüüüü", at(0));
  EXPECT_EQ(screen_.line(), "...      0.000 s  aaaaaaaaaaaaaaaaaaaa");
}

TEST_F(PhasesTest, WhatServersSayCannotSteerTheTerminal) {
  phases_.begin("x\033[2Jy\r\nz", at(0));
  EXPECT_THAT(screen_.line(), HasSubstr("x?[2Jy??z"));
  phases_.line("a\033]0;title\007b");
  EXPECT_THAT(screen_.text(), Not(HasSubstr("\033")));
  EXPECT_THAT(screen_.text(), HasSubstr("a?]0;title?b"));
}

}  // namespace
}  // namespace mha
