// Running a script: how it ended, where its output goes, and its end at the deadline.
#include "cli/script_runner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "component/real_clock.h"
#include "unit/cli/child_program.h"

namespace mha {
namespace {

Result<int> run(const std::string& command, Milliseconds patience = Milliseconds{20000}) {
  const RealClock clock;
  return make_script_runner(clock)->run(Secret{command}, clock.deadline_after(patience));
}

TEST(ScriptRunnerTest, ExitStatusAndSignal) {
  for (const int status : {0, 1, 10, 255}) {
    const auto end = run("exit " + std::to_string(status));
    ASSERT_TRUE(end.ok()) << end.error().message;
    EXPECT_EQ(end.value(), status);
  }
  EXPECT_EQ(run("kill -9 $$").value(), 128 + SIGKILL);
  EXPECT_EQ(run("/no/such/script --command=stop 2>/dev/null").value(), 127);
}

TEST(ScriptRunnerTest, ItIsAShellAndBothStreamsGoToStandardError) {
  const ChildEnd end =
      in_child([] { return run("echo \"it's\" | cat; echo wrong >&2; cat; exit 3").value(); });
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.out, "");
  EXPECT_EQ(end.err, "it's\nwrong\n");
}

TEST(ScriptRunnerTest, AtTheDeadlineItGoesWithWhatItHasStarted) {
  const CliFolder folder;
  const RealClock clock;
  const TimePoint begin = clock.now();
  const auto end =
      run("sleep 300 & echo $! >" + folder.path("child") + "; wait; sleep 300", Milliseconds{500});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Code::kTimeout);
  EXPECT_THAT(end.error().message, testing::Not(testing::HasSubstr("sleep")))
      << "the command may hold a password";
  EXPECT_GE(clock.now() - begin, Milliseconds{500});
  EXPECT_LT(clock.now() - begin, Milliseconds{10000});
  const pid_t child = std::stoi(folder.read("child"));
  const Deadline gone = clock.deadline_after(Milliseconds{10000});
  const auto runs = [child] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(stat, text);
    return !text.empty() && text.find(") Z") == std::string::npos;
  };
  while (runs() && !clock.passed(gone)) RealClock{}.sleep_for(Milliseconds{5});
  EXPECT_FALSE(runs());
}

TEST(ScriptRunnerTest, APassedDeadlineStartsNothing) {
  const CliFolder folder;
  EXPECT_EQ(run("touch " + folder.path("ran"), Milliseconds{-1}).error().code, Code::kTimeout);
  EXPECT_FALSE(std::filesystem::exists(folder.path("ran")));
}

// What it leaves behind on purpose is not waited for: a power switch that goes on in the
// background.
TEST(ScriptRunnerTest, ItsEndIsTheShellsEnd) {
  const RealClock clock;
  const TimePoint begin = clock.now();
  const auto end = run("sleep 30 & exit 4");
  ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_EQ(end.value(), 4);
  EXPECT_LT(clock.now() - begin, Milliseconds{15000});
}

TEST(ScriptRunnerTest, NothingOfOursIsOpenInIt) {
  const int ours = open("/dev/null", O_RDONLY);
  ASSERT_GE(ours, 0);
  EXPECT_EQ(run("test ! -e /proc/self/fd/" + std::to_string(ours)).value(), 0);
  close(ours);
}

// Whoever started us may ignore SIGCHLD: an end that is not known is no success.
TEST(ScriptRunnerTest, AnEndThatIsNotKnownIsAnError) {
  const ChildEnd end = in_child([] {
    signal(SIGCHLD, SIG_IGN);
    return run("exit 1").ok() ? 1 : 0;
  });
  EXPECT_EQ(end.exit_code, 0);
}

}  // namespace
}  // namespace mha
