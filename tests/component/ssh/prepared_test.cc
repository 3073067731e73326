// Commands that are started ahead and get their input later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "component/ssh/command_fixture.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

class PreparedTest : public CommandTest {
 protected:
  // Tells in `file` what it has read: a line, or the end of its input.
  static std::string witness(const std::string& file) {
    return "if read -r line; then echo \"line $line\" >" + file +
           "; echo out; echo err >&2; exit 4; " + "else echo end >" + file + "; fi";
  }

  TempDir dir_;
  const std::string file_ = dir_.file("witness");
};

TEST_F(PreparedTest, RunsWithTheInputThatItIsGiven) {
  const auto shell = session();
  ASSERT_TRUE(shell->prepare("vip", witness(file_), in(5000)).ok());
  EXPECT_EQ(output_of(*shell, "echo between").out, "between\n");
  EXPECT_EQ(read_file(file_), "");
  const Result<CommandOutput> output = shell->finish_prepared("vip", "add it\n", in(5000));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output.value().exit_status, 4);
  EXPECT_EQ(output.value().out, "out\n");
  EXPECT_EQ(output.value().err, "err\n");
  EXPECT_EQ(read_file(file_), "line add it\n");
  EXPECT_EQ(output_of(*shell, "echo after").out, "after\n");
}

TEST_F(PreparedTest, ReadsTheEndOfItsInputWithTheSession) {
  auto shell = session();
  ASSERT_TRUE(shell->prepare("vip", witness(file_), in(5000)).ok());
  shell.reset();
  EXPECT_TRUE(eventually([&] { return read_file(file_) == "end\n"; }));
}

TEST_F(PreparedTest, AnotherOfTheSameNameEndsTheFirst) {
  const auto shell = session();
  const std::string second = dir_.file("second");
  ASSERT_TRUE(shell->prepare("vip", witness(file_), in(5000)).ok());
  ASSERT_TRUE(shell->prepare("vip", witness(second), in(5000)).ok());
  EXPECT_EQ(output_of(*shell, "true").exit_status, 0);
  EXPECT_TRUE(eventually([&] { return read_file(file_) == "end\n"; }));
  ASSERT_TRUE(shell->finish_prepared("vip", "x\n", in(5000)).ok());
  EXPECT_EQ(read_file(second), "line x\n");
}

TEST_F(PreparedTest, SeveralNames) {
  const auto shell = session();
  for (const std::string name : {"a", "b", "c"}) {
    ASSERT_TRUE(shell->prepare(name, "read -r line; echo " + name + " $line", in(5000)).ok());
  }
  for (const std::string name : {"b", "a", "c"}) {
    EXPECT_EQ(shell->finish_prepared(name, "1\n", in(5000)).value().out, name + " 1\n");
  }
}

TEST_F(PreparedTest, WhatIsNotThereIsRefusedAndHarmsNothing) {
  const auto shell = session();
  EXPECT_EQ(error_of(shell->finish_prepared("vip", "x\n", in(5000))).code, Code::kRefused);
  ASSERT_TRUE(shell->prepare("vip", "exit 0", in(5000)).ok());
  EXPECT_EQ(output_of(*shell, "sleep 0.1").exit_status, 0);
  const Error ended = error_of(shell->finish_prepared("vip", "x\n", in(5000)));
  EXPECT_EQ(ended.code, Code::kRefused);
  EXPECT_THAT(ended.message, HasSubstr("has ended without its input"));
  EXPECT_EQ(output_of(*shell, "echo after").out, "after\n");
}

TEST_F(PreparedTest, LongInput) {
  const auto shell = session();
  ASSERT_TRUE(shell->prepare("count", "wc -c", in(5000)).ok());
  const Result<CommandOutput> output =
      shell->finish_prepared("count", std::string(std::size_t{5} << 20, 'x'), in(20000));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output.value().out, "5242880\n");
}

TEST_F(PreparedTest, CostsTheDeadline) {
  const auto shell = session();
  ASSERT_TRUE(shell->prepare("vip", "read -r line; sleep 5", in(5000)).ok());
  Error error{Code::kInternal, ""};
  expect_at_deadline(
      time_of([&] { error = error_of(shell->finish_prepared("vip", "x\n", in(400))); }), 400);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_EQ(error_of(shell->run("true", in(1000))).code, Code::kUnreachable);
}

// Input that a stopped peer does not take must not block.
TEST_F(PreparedTest, CostsTheDeadlineWhenNothingReadsItsInput) {
  const auto shell = session();
  ASSERT_TRUE(shell->prepare("vip", "sleep 5", in(5000)).ok());
  Error error{Code::kInternal, ""};
  const std::string input(std::size_t{16} << 20, 'x');
  expect_at_deadline(
      time_of([&] { error = error_of(shell->finish_prepared("vip", input, in(400))); }), 400);
  EXPECT_EQ(error.code, Code::kTimeout);
}

TEST_F(PreparedTest, GivesWayWhereTheServerAllowsOneChannelOnly) {
  TestSshd narrow{{.address = "127.0.0.1", .lines = {"MaxSessions 1"}}};
  const auto shell = session(narrow);
  ASSERT_TRUE(shell->prepare("vip", witness(file_), in(5000)).ok());
  EXPECT_EQ(output_of(*shell, "echo hello").out, "hello\n");
  EXPECT_TRUE(eventually([&] { return read_file(file_) == "end\n"; }));
  EXPECT_EQ(error_of(shell->finish_prepared("vip", "x\n", in(5000))).code, Code::kRefused);
  EXPECT_EQ(output_of(*shell, "echo hello").out, "hello\n");
}

}  // namespace
}  // namespace mha
