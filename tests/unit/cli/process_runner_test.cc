// Running a program: how it ended, what it was given, and whose the signals are.
#include "cli/process_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::HasSubstr;

Result<ProcessEnd> run(const std::vector<std::string>& argv,
                       const std::map<std::string, std::string>& environment = {}) {
  return make_process_runner()->run(argv, environment);
}

TEST(ProcessRunnerTest, ExitStatusAndSignal) {
  for (const int status : {0, 1, 10, 255}) {
    const auto end = run({"sh", "-c", "exit " + std::to_string(status)});
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(end.value().exit_status, status);
    EXPECT_EQ(end.value().signal, 0);
  }
  const auto killed = run({"sh", "-c", "kill -9 $$"});
  ASSERT_TRUE(killed.ok());
  EXPECT_EQ(killed.value().signal, SIGKILL);
}

TEST(ProcessRunnerTest, ArgumentsGoWithoutAShell) {
  const ChildEnd end = in_child([] {
    const auto done = run({"printf", "%s|", "a b", "$HOME", "*", "", "it's"});
    return done.ok() ? done.value().exit_status : 99;
  });
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.out, "a b|$HOME|*||it's|");
}

TEST(ProcessRunnerTest, TheEnvironmentIsOursWithSomeMore) {
  const ChildEnd end = in_child(
      [] {
        const auto done = run({"sh", "-c", "echo $KEPT $CHANGED $ADDED"},
                              {{"CHANGED", "new"}, {"ADDED", "added"}});
        return done.ok() ? done.value().exit_status : 99;
      },
      {{"KEPT", "kept"}, {"CHANGED", "old"}});
  EXPECT_EQ(end.out, "kept new added\n");
}

TEST(ProcessRunnerTest, AProgramThatIsNotThereIsNamed) {
  const auto end = run({"no-such-program-of-mha"});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Code::kConfig);
  EXPECT_THAT(end.error().message,
              testing::AllOf(HasSubstr("no-such-program-of-mha"), HasSubstr("PATH")));
}

TEST(ProcessRunnerTest, AProgramThatCannotBeRunIsAnError) {
  const CliFolder folder;
  const auto end = run({folder.write("plain_file", "#!/bin/sh\n", 0600)});
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().message, HasSubstr("plain_file"));
}

// We ignore SIGPIPE; a program whose reader has gone must die of it as it always does.
TEST(ProcessRunnerTest, SigpipeIsTheChildsAgain) {
  const ChildEnd end = in_child([] {
    signal(SIGPIPE, SIG_IGN);
    const auto done = run({"sh", "-c", "kill -PIPE $$; exit 7"});
    return done.ok() && done.value().signal == SIGPIPE ? 0 : 1;
  });
  EXPECT_EQ(end.exit_code, 0);
}

// Whoever started us may ignore SIGCHLD (some supervisors do): then the kernel reaps the child, and
// its end must not be taken for a success.
TEST(ProcessRunnerTest, AnIgnoredSigchldDoesNotTurnAFailureIntoASuccess) {
  const ChildEnd end = in_child([] {
    signal(SIGCHLD, SIG_IGN);
    const auto done = run({"sh", "-c", "exit 1"});
    return done.ok() ? done.value().exit_status : 99;
  });
  EXPECT_EQ(end.exit_code, 1);
}

TEST(ProcessRunnerTest, ASigtermIsPassedOnAndWaitedFor) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer has the signal wait until waitpid() has returned";
#endif
  const CliFolder folder;
  const std::string script = "trap 'echo cleaned >" + folder.path("cleaned") +
                             "; exit 42' TERM; echo ready >" + folder.path("ready") +
                             "; while :; do sleep 0.02; done";
  const ChildEnd end = in_child([&] {
    const pid_t self = getpid();
    const pid_t sender = fork();
    if (sender == 0) {
      for (int i = 0; i < 500 && !std::filesystem::exists(folder.path("ready")); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
      }
      kill(self, SIGTERM);
      _exit(0);
    }
    const auto done = run({"sh", "-c", script});
    return done.ok() ? done.value().exit_status : 99;
  });
  EXPECT_EQ(end.exit_code, 42);
  EXPECT_EQ(folder.read("cleaned"), "cleaned\n");
}

// The terminal sends Ctrl-C to both: we stay to clean up behind the other.
TEST(ProcessRunnerTest, ASigintToUsIsSurvived) {
  const ChildEnd end = in_child([] {
    const auto done = run({"sh", "-c", "kill -INT $PPID; exit 5"});
    return done.ok() ? done.value().exit_status : 99;
  });
  EXPECT_EQ(end.exit_code, 5);
}

TEST(ProcessRunnerTest, AfterwardsSignalsAreOursAgain) {
  const ChildEnd end = in_child([] {
    static volatile sig_atomic_t seen = 0;
    signal(SIGTERM, [](int) { seen = 1; });
    if (!run({"true"}).ok()) return 1;
    raise(SIGTERM);
    return seen == 1 ? 0 : 2;
  });
  EXPECT_EQ(end.exit_code, 0);
}

}  // namespace
}  // namespace mha
