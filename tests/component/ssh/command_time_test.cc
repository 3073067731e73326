// Commands that take their time, and servers that hang: each costs its deadline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <vector>

#include "component/ssh/command_fixture.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

TEST_F(CommandTest, SlowCommandWithinTheDeadline) {
  const auto shell = session();
  EXPECT_EQ(output_of(*shell, "sleep 0.4; echo late").out, "late\n");
}

TEST_F(CommandTest, SlowCommandCostsTheDeadline) {
  auto shell = session();
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(shell->run("sleep 3", in(400))); }), 400);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("may still be running there: sleep 3"));
  EXPECT_EQ(error_of(shell->run("true", in(1000))).code, Code::kUnreachable);
  EXPECT_LE(time_of([&] { shell.reset(); }).count(), 100);
}

TEST_F(CommandTest, DeadlineThatHasPassed) {
  const auto shell = session();
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] { error = error_of(shell->run("sleep 1", in(-100))); });
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_LE(taken.count(), 300);
}

TEST_F(CommandTest, OutputKeptOpenIsToldApart) {
  const auto shell = session();
  const Error error = error_of(shell->run("sleep 3 & echo hi", in(500)));
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("ended with status 0"));
  EXPECT_THAT(error.message, HasSubstr("keeps its output open"));
}

TEST_F(CommandTest, InTheBackgroundWithoutOurStreams) {
  const auto shell = session();
  const Milliseconds taken = time_of([&] {
    EXPECT_EQ(output_of(*shell, "sleep 3 >/dev/null 2>&1 </dev/null & echo hi").out, "hi\n");
  });
  EXPECT_LE(taken.count(), 2000);
}

class HungServerTest : public CommandTest {
 protected:
  void stop(const TestSshd& sshd) {
    ASSERT_EQ(::kill(sshd.pid(), SIGSTOP), 0);
    // One that served the first look whether it is up may just be ending.
    for (const pid_t pid : sshd.family()) ::kill(pid, SIGSTOP);
  }

  TestSshd own_;
};

TEST_F(HungServerTest, StoppedAfterLogin) {
  auto shell = session(own_);
  EXPECT_EQ(output_of(*shell, "echo hello").out, "hello\n");
  stop(own_);
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(shell->run("true", in(500))); }), 500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_LE(time_of([&] { shell.reset(); }).count(), 100);
}

// More than the buffers between us take: the send itself would block.
TEST_F(HungServerTest, LongCommandToAStoppedServer) {
  auto shell = session(own_);
  stop(own_);
  const std::string command = "true " + std::string(std::size_t{8} << 20, 'x');
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(shell->run(command, in(500))); }), 500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_LE(error.message.size(), 400U);
  EXPECT_LE(time_of([&] { shell.reset(); }).count(), 100);
}

TEST_F(HungServerTest, StoppedBeforeTheGreeting) {
  stop(own_);
  Error error{Code::kInternal, ""};
  expect_at_deadline(
      time_of([&] { error = error_of(connect(own_.target(), own_.client_files(), 500)); }), 500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("said nothing"));
}

TEST_F(HungServerTest, KilledDuringACommand) {
  auto shell = session(own_);
  Error error{Code::kInternal, ""};
  const Milliseconds taken =
      time_of([&] { error = error_of(shell->run("kill -KILL $PPID; sleep 5", in(4000))); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("may or may not have been run"));
  EXPECT_LE(taken.count(), 2000);
}

TEST_F(HungServerTest, KilledBetweenCommands) {
  auto shell = session(own_);
  EXPECT_EQ(output_of(*shell, "echo hello").out, "hello\n");
  own_.stop();
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] { error = error_of(shell->run("true", in(4000))); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_LE(taken.count(), 500);
}

}  // namespace
}  // namespace mha
