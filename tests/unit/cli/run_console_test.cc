// Where the lines of a run go: terminal, standard streams, its log and MHA's.
#include "cli/run_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <future>
#include <mutex>

#include "fakes/fake_clock.h"
#include "unit/core/state_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class RunConsoleTest : public testing::Test {
 protected:
  ConsoleStreams streams() {
    ConsoleStreams made;
    made.out = [this](std::string_view bytes) { out_ += bytes; };
    made.err = [this](std::string_view bytes) { err_ += bytes; };
    return made;
  }
  std::unique_ptr<RunConsole> console(ConsoleMode mode, LogLevel least = LogLevel::kInfo) {
    return std::make_unique<RunConsole>(mode, least, streams(), clock_);
  }

  StateFolder folder_;
  FakeClock clock_;
  std::string out_;  // to be read after drain()
  std::string err_;
};

TEST_F(RunConsoleTest, LinesAsTheConsoleLogWritesThem) {
  const auto console = this->console(ConsoleMode::kLines);
  console->info("fine {}", 1);
  console->warning("odd");
  console->debug("too much");
  console->phase_began({"look"});
  clock_.advance(Milliseconds{20});
  console->phase_ended({});
  console->clients_wait();
  console->drain();
  EXPECT_THAT(out_, MatchesRegex("20[0-9-]+ [0-9:]+\\.000 \\[info\\] fine 1\n"
                                 ".*\\.020 \\[info\\] look: done in 0.020 s\n"
                                 ".*\\[info\\] -- from here clients wait --\n"));
  EXPECT_THAT(err_, MatchesRegex(".*\\[warning\\] odd\n"));
}

TEST_F(RunConsoleTest, ForMachinesStandardOutputIsLeftAlone) {
  const auto console = this->console(ConsoleMode::kLinesOnError);
  console->info("fine");
  console->error("bad");
  console->put_lines(LogLevel::kInfo, {"db2 is the master now"});
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr("fine"), HasSubstr("bad"), HasSubstr("db2 is the master")));
}

TEST_F(RunConsoleTest, OnATerminalPhasesAndWhatIsWrong) {
  ConsoleStreams terminal = streams();
  terminal.out_is_terminal = true;
  RunConsole console(ConsoleMode::kPhases, LogLevel::kInfo, terminal, clock_);
  console.phase_began({"set read_only", "take the address off"});
  console.info("Setting read_only to '1'");
  console.warning("a blocker");
  console.phase_ended({});
  console.point_of_no_return_passed();
  console.info("nothing speaks against it");
  console.put_lines(LogLevel::kInfo, {"db2 is the master now"});
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("nothing speaks against it\n")) << "no phase could tell it";
  EXPECT_THAT(err_, AllOf(HasSubstr("set read_only; at the same time: take the address off\n"),
                          HasSubstr("warning: a blocker\n"), HasSubstr("point of no return"),
                          HasSubstr("db2 is the master now\n"), Not(HasSubstr("Setting"))));
}

TEST_F(RunConsoleTest, StandardOutputInAFileGetsTheLinesBesideTheTerminal) {
  const auto console = this->console(ConsoleMode::kPhases);
  console->phase_began({"set read_only"});
  console->info("Setting read_only to '1'");
  console->drain();
  EXPECT_THAT(out_, HasSubstr("[info] Setting read_only"));
  EXPECT_THAT(err_, Not(HasSubstr("Setting")));
}

TEST_F(RunConsoleTest, TheRunsLogHasAllFromTheBeginning) {
  const std::string journal = folder_.path("switchover-db1_3306-1.journal");
  {
    const auto console = this->console(ConsoleMode::kLines);
    console->info("before the journal");
    console->operation_began(journal);
    console->error("after it");
    console->append_to_manager_log(folder_.path("manager.log"));
    console->info("last");
  }
  const std::string log = folder_.path("switchover-db1_3306-1.log");
  EXPECT_THAT(read_whole(log), MatchesRegex(".*\\[info\\] before the journal\n"
                                            ".*\\[error\\] after it\n.*\\[info\\] last\n"));
  struct stat about {};
  ASSERT_EQ(stat(log.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_THAT(read_whole(folder_.path("manager.log")),
              MatchesRegex("[A-Z][a-z]+ [A-Z][a-z]+ +[0-9]+ [0-9:]+ 20[0-9]+ - "
                           "\\[info\\] before the journal\n.*- \\[error\\] after it\n.*last\n"));
}

TEST_F(RunConsoleTest, ALogThatCannotBeWrittenIsAWarningOnce) {
  const auto console = this->console(ConsoleMode::kLines);
  console->append_to_manager_log(folder_.path("no/such/folder/manager.log"));
  console->info("one");
  console->info("two");
  console->drain();
  EXPECT_THAT(err_, MatchesRegex(".*\\[warning\\] cannot write .*manager.log: No such file.*\n"));
  EXPECT_THAT(out_, AllOf(HasSubstr("one"), HasSubstr("two")));
}

TEST_F(RunConsoleTest, ATerminalThatStandsStillHoldsUpNobody) {
  std::promise<void> ctrl_q;
  std::shared_future<void> goes_on = ctrl_q.get_future().share();
  ConsoleStreams stopped = streams();
  stopped.err = [this, goes_on](std::string_view bytes) {
    goes_on.wait();
    err_ += bytes;
  };
  RunConsole console(ConsoleMode::kPhases, LogLevel::kInfo, stopped, clock_);
  for (int i = 0; i < 100; ++i) {
    console.phase_began({"a phase"});
    console.warning("a warning");
    console.phase_ended({});
  }
  // To have come here is the point: all of it was taken while the terminal took nothing.
  ctrl_q.set_value();
  console.drain();
  EXPECT_THAT(err_, HasSubstr("a warning"));
}

TEST_F(RunConsoleTest, WhatAnotherProcessLeftIsPutBackFromTheBeginningOn) {
  const auto console = this->console(ConsoleMode::kLines);
  clock_.advance(Milliseconds{3'600'000});
  console->operation_began("");
  clock_.advance(Milliseconds{5});
  console->step_undone("ensure_read_only db1:3306", {});
  console->drain();
  EXPECT_THAT(out_, HasSubstr("put back: ensure_read_only db1:3306: done in 0.005 s"));
}

TEST_F(RunConsoleTest, UndoneStepsAreShown) {
  const auto console = this->console(ConsoleMode::kLines);
  console->undo_began(Error{Code::kTimeout, "x"}, 2);
  clock_.advance(Milliseconds{5});
  console->step_undone("ensure_read_only db1:3306", {});
  console->step_undone("ensure_events_off db1:3306", Error{Code::kTimeout, "gone"});
  console->drain();
  EXPECT_THAT(out_, AllOf(HasSubstr("-- putting 2 steps back --"),
                          HasSubstr("put back: ensure_read_only db1:3306: done in 0.005 s"),
                          HasSubstr("put back: ensure_events_off db1:3306: failed after 0.000 s")));
}

}  // namespace
}  // namespace mha
