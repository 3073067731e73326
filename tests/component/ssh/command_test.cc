// Commands on a real session: streams, status, limits and latency.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "component/ssh/command_fixture.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

TEST_F(CommandTest, ExitStatusAndStreams) {
  const auto shell = session();
  for (const int status : {0, 1, 3, 127, 255}) {
    const CommandOutput output =
        output_of(*shell, "echo out; echo err >&2; exit " + std::to_string(status));
    EXPECT_EQ(output.exit_status, status);
    EXPECT_EQ(output.out, "out\n");
    EXPECT_EQ(output.err, "err\n");
  }
  EXPECT_EQ(output_of(*shell, "no-such-command-here").exit_status, 127);
}

TEST_F(CommandTest, Signals) {
  const auto shell = session();
  EXPECT_EQ(output_of(*shell, "kill -KILL $$").exit_status, 137);
  EXPECT_EQ(output_of(*shell, "kill -TERM $$").exit_status, 143);
  EXPECT_EQ(output_of(*shell, "echo still here").out, "still here\n");
}

TEST_F(CommandTest, InputIsEmptyAndThereIsNoTerminal) {
  const auto shell = session();
  EXPECT_EQ(output_of(*shell, "cat; echo end").out, "end\n");
  EXPECT_EQ(output_of(*shell, "tty").out, "not a tty\n");
}

TEST_F(CommandTest, BytesComeAsTheyAre) {
  const auto shell = session();
  EXPECT_EQ(output_of(*shell, "printf 'a\\000b\\377\\n'").out, std::string("a\0b\xff\n", 5));
  EXPECT_EQ(output_of(*shell, "printf %s 'it'\\''s \"ü\" $HOME\nsecond'").out,
            "it's \"ü\" $HOME\nsecond");
  EXPECT_EQ(shell->run(std::string("echo a\0b", 8), in(1000)).error().code, Code::kInternal);
}

TEST_F(CommandTest, TenMegabytesOnBothStreams) {
  const std::size_t size = std::size_t{10} << 20;
  const auto shell = session();
  const CommandOutput output = output_of(*shell,
                                         "(head -c 10485760 /dev/zero | tr '\\0' e >&2) & "
                                         "head -c 10485760 /dev/zero | tr '\\0' o; wait");
  EXPECT_EQ(output.exit_status, 0);
  EXPECT_EQ(output.out, std::string(size, 'o'));
  EXPECT_EQ(output.err, std::string(size, 'e'));
  EXPECT_EQ(output_of(*shell, "echo next").out, "next\n");
}

TEST_F(CommandTest, MoreThanSixteenMebibytesAreRefused) {
  for (const std::string redirect : {"", " >&2"}) {
    const auto shell = session();
    const Error error = error_of(shell->run("head -c 16777217 /dev/zero" + redirect, in(20000)));
    EXPECT_EQ(error.code, Code::kRefused);
    EXPECT_THAT(error.message, HasSubstr("16 MiB"));
    EXPECT_EQ(error_of(shell->run("true", in(1000))).code, Code::kUnreachable);
  }
  const auto shell = session();
  EXPECT_EQ(output_of(*shell, "head -c 16777216 /dev/zero").out.size(), std::size_t{16} << 20);
}

TEST_F(CommandTest, ManyOnOneSession) {
  const auto shell = session();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(output_of(*shell, "echo " + std::to_string(i)).out, std::to_string(i) + "\n");
  }
}

TEST_F(CommandTest, ServerThatAllowsOneChannelOnly) {
  TestSshd narrow{{.address = "127.0.0.1", .lines = {"MaxSessions 1"}}};
  const auto shell = session(narrow);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(output_of(*shell, "echo " + std::to_string(i)).out, std::to_string(i) + "\n");
  }
}

TEST_F(CommandTest, ServerThatAllowsNoCommand) {
  TestSshd closed{{.address = "127.0.0.1", .lines = {"MaxSessions 0"}}};
  const auto shell = session(closed);
  const Error error = error_of(shell->run("true", in(5000)));
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_THAT(error.message, HasSubstr("not run: true"));
}

// ---- latency

// With the first packet of a session delayed by 40 ms (Nagle's algorithm there, a delayed
// acknowledgement here), no first command could be quicker than that. The least of several, so
// that a busy machine does not matter.
TEST_F(CommandTest, NoCommandWaitsForADelayedAcknowledgement) {
  double connecting = 1e9;
  double first = 1e9;
  double later = 1e9;
  double finishing = 1e9;
  const auto milliseconds = [&](const auto& call) {
    const TimePoint start = clock_.now();
    call();
    return std::chrono::duration<double, std::milli>(clock_.now() - start).count();
  };
  for (int i = 0; i < 10; ++i) {
    std::unique_ptr<RemoteShell> shell;
    connecting = std::min(connecting, milliseconds([&] { shell = session(); }));
    first = std::min(first, milliseconds([&] { output_of(*shell, "true"); }));
    for (int k = 0; k < 5; ++k) {
      later = std::min(later, milliseconds([&] { output_of(*shell, "true"); }));
    }
    ASSERT_TRUE(shell->prepare("x", "read -r line", in(5000)).ok());
    finishing = std::min(finishing, milliseconds([&] {
                           EXPECT_TRUE(shell->finish_prepared("x", "\n", in(5000)).ok());
                         }));
  }
  RecordProperty("connect_ms", std::to_string(connecting));
  RecordProperty("first_command_ms", std::to_string(first));
  RecordProperty("command_ms", std::to_string(later));
  RecordProperty("finish_prepared_ms", std::to_string(finishing));
  EXPECT_LT(first, 35);
  EXPECT_LT(later, 35);
  EXPECT_LT(finishing, 35);
}

}  // namespace
}  // namespace mha
