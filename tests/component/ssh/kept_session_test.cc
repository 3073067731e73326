// The keeper outlives its parent, holds nothing of it, and serves whoever comes next.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "component/ssh/kept_session_fixture.h"
#include "fakes/fake_shell.h"

namespace mha {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(KeptSessionTest, ServesTheParentAndOthersOnOneSession) {
  TestSshd sshd;
  Result<std::unique_ptr<KeptShell>> shell = keep(options(), sshd);
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  EXPECT_EQ(shell.value()->host(), "127.0.0.1");
  EXPECT_EQ(hello(*shell.value()), "hello\n");
  for (int i = 0; i < 3; ++i) {
    const auto other =
        open_kept_session(folder_, sshd.target(), KeeperAfterwards::kStays, clock_, in(5000));
    ASSERT_TRUE(other.ok()) << other.error().message;
    EXPECT_EQ(other.value()->keeper_pid(), shell.value()->keeper_pid());
    EXPECT_EQ(hello(*other.value()), "hello\n");
  }
  const std::string log = sshd.log();
  const std::size_t accepted = log.find("Accepted publickey");
  EXPECT_NE(accepted, std::string::npos);
  EXPECT_EQ(log.find("Accepted publickey", accepted + 1), std::string::npos);
}

TEST_F(KeptSessionTest, OutputStatusAndErrorsComeThrough) {
  const auto shell = kept(options());
  const Result<CommandOutput> output =
      shell->run("printf 'a\\000\\377'; echo e >&2; exit 7", in(5000));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output.value().exit_status, 7);
  EXPECT_EQ(output.value().out, std::string("a\0\xff", 3));
  EXPECT_EQ(output.value().err, "e\n");
  const Result<CommandOutput> large =
      shell->run("head -c 10485760 /dev/zero; head -c 10485760 /dev/zero >&2", in(20000));
  ASSERT_TRUE(large.ok()) << large.error().message;
  EXPECT_EQ(large.value().out.size(), std::size_t{10} << 20);
  EXPECT_EQ(large.value().err.size(), std::size_t{10} << 20);
}

// ---- what it leaves of its parent

class StopHookTest : public KeptSessionTest {
 protected:
  // As MHA runs a hook: a program of its own process group, whose output goes to a pipe. It keeps a
  // session, then does `then`, and ends.
  template <typename Then>
  pid_t run_hook(Then then) {
    int ends[2];
    // Without close-on-exec: as MHA's pipe reaches the hook.
    EXPECT_EQ(::pipe(ends), 0);
    output_.reset(ends[0]);
    const pid_t hook = ::fork();
    if (hook == 0) {
      ::setpgid(0, 0);
      ::close(ends[0]);
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      int status = 1;
      {
        const Result<std::unique_ptr<KeptShell>> shell = keep(options(), *sshd_);
        if (shell.ok() && hello(*shell.value()) == "hello\n") {
          const std::string line = std::to_string(shell.value()->keeper_pid()) + "\n";
          status = ::write(STDOUT_FILENO, line.data(), line.size()) > 0 ? 0 : 1;
        }
        then();
      }
      ::_exit(status);
    }
    ::close(ends[1]);
    return hook;
  }

  // The pid that the hook told; the pipe stays open.
  int keeper_pid() {
    std::string line;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1 && c != '\n';) line += c;
    const int pid = line.empty() ? 0 : std::stoi(line);
    keepers_.push_back(pid);
    return pid;
  }
  bool output_ends(int ms) {
    char rest = 0;
    return wait_for(output_.get(), POLLIN, clock_, in(ms)) == WaitResult::kReady &&
           ::read(output_.get(), &rest, 1) == 0;
  }

  FileDescriptor output_;
};

TEST_F(StopHookTest, ServesAfterTheParentHasEnded) {
  const pid_t hook = run_hook([] {});
  const int keeper = keeper_pid();
  int status = -1;
  ASSERT_EQ(::waitpid(hook, &status, 0), hook);
  ASSERT_EQ(status, 0);
  // MHA waits for the end of the output, not only of the hook.
  EXPECT_TRUE(output_ends(500));
  EXPECT_TRUE(alive(keeper));
  const auto shell = open(KeeperAfterwards::kEnds);
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  EXPECT_EQ(shell.value()->keeper_pid(), keeper);
  EXPECT_EQ(hello(*shell.value()), "hello\n");
}

TEST_F(StopHookTest, CtrlCOfTheTerminalDoesNotReachIt) {
  const pid_t hook = run_hook([] { ::pause(); });
  const int keeper = keeper_pid();
  ASSERT_GT(keeper, 0);
  ASSERT_EQ(::kill(-hook, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(hook, &status, 0), hook);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_NE(::getsid(keeper), ::getsid(0));
  EXPECT_NE(::getpgid(keeper), hook);
  const auto shell = open();
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  EXPECT_EQ(hello(*shell.value()), "hello\n");
}

TEST_F(KeptSessionTest, HoldsNothingOfOurs) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor read_end{ends[0]};
  FileDescriptor write_end{ends[1]};
  const auto shell = kept(options());
  write_end.reset();
  char byte = 0;
  ASSERT_EQ(wait_for(read_end.get(), POLLIN, clock_, in(1000)), WaitResult::kReady);
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);

  const std::string proc = "/proc/" + std::to_string(shell->keeper_pid());
  EXPECT_EQ(read_file(proc + "/comm"), "mha-ssh-keeper\n");
  const std::string command_line = read_file(proc + "/cmdline");
  EXPECT_THAT(command_line, Not(HasSubstr("kept_session_test")));
  EXPECT_THAT(command_line, HasSubstr("mha ssh keeper"));
  EXPECT_THAT(read_file(proc + "/limits"), ::testing::ContainsRegex("Max core file size +0 +0"));
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), "/");
  for (const int fd : {0, 1, 2}) {
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/" + std::to_string(fd)), "/dev/null");
  }
}

TEST_F(KeptSessionTest, RefusedOnceThereAreThreads) {
#if !defined(__SANITIZE_THREAD__)
  std::atomic<bool> over = false;
  std::thread other{[&] {
    while (!over) std::this_thread::yield();
  }};
  const Error error = error_of(keep(options(), *sshd_));
  EXPECT_EQ(error.code, Code::kInternal);
  EXPECT_THAT(error.message, HasSubstr("threads"));
  over = true;
  other.join();
#endif
}

// ---- errors on the way

TEST_F(KeptSessionTest, ErrorsOfConnectingReachTheParent) {
  LibsshConnector connector{clock_, log_, sshd_->client_files()};
  SshTarget target = sshd_->target();
  target.identity_files = {"/nonexistent/key"};
  const Error error = error_of(keep_session(target, connector, options(), clock_, in(5000)));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr("/nonexistent/key (not there)"));
  EXPECT_EQ(
      open_kept_session(folder_, target, KeeperAfterwards::kStays, clock_, in(500)).error().code,
      Code::kUnreachable);
}

TEST_F(KeptSessionTest, ServerThatHangsCostsTheDeadline) {
  TestSshd hung;
  for (const pid_t pid : hung.family()) ::kill(pid, SIGSTOP);
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(keep(options(), hung, 500)); }), 500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("said nothing"));
}

TEST_F(KeptSessionTest, SlowCommandCostsTheDeadlineAndEndsTheKeeper) {
  const auto shell = kept(options());
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(shell->run("sleep 5", in(400))); }), 400);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_EQ(error_of(shell->run("true", in(1000))).code, Code::kUnreachable);
  EXPECT_TRUE(ends(shell->keeper_pid()));
}

TEST_F(KeptSessionTest, KeeperThatHangsCostsTheDeadline) {
  const auto shell = kept(options());
  ASSERT_EQ(::kill(shell->keeper_pid(), SIGSTOP), 0);
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(shell->run("true", in(400))); }), 400);
  EXPECT_EQ(error.code, Code::kTimeout);
  expect_at_deadline(time_of([&] { error = error_of(open(KeeperAfterwards::kEnds, 300)); }), 300);
  EXPECT_EQ(error.code, Code::kTimeout);
}

// ---- taking it where there is one

TEST_F(KeptSessionTest, KeptFirstConnector) {
  LibsshConnector otherwise{clock_, log_, sshd_->client_files()};
  KeptFirstConnector connector{folder_, otherwise, clock_, log_};
  {
    const auto fresh = connector.connect(sshd_->target(), in(5000));
    ASSERT_TRUE(fresh.ok()) << fresh.error().message;
    EXPECT_EQ(dynamic_cast<KeptShell*>(fresh.value().get()), nullptr);
    EXPECT_EQ(hello(*fresh.value()), "hello\n");
  }
  const int keeper = kept(options())->keeper_pid();
  {
    const auto shell = connector.connect(sshd_->target(), in(5000));
    ASSERT_TRUE(shell.ok()) << shell.error().message;
    ASSERT_NE(dynamic_cast<KeptShell*>(shell.value().get()), nullptr);
    EXPECT_EQ(hello(*shell.value()), "hello\n");
  }
  EXPECT_TRUE(ends(keeper));
}

// A keeper that hangs costs its patience, and the session is a new one.
TEST_F(KeptSessionTest, KeptFirstConnectorPassesByAKeeperThatHangs) {
  const auto shell = kept(options());
  ASSERT_EQ(::kill(shell->keeper_pid(), SIGSTOP), 0);
  LibsshConnector otherwise{clock_, log_, sshd_->client_files()};
  KeptFirstConnector connector{folder_, otherwise, clock_, log_};
  const auto fresh = connector.connect(sshd_->target(), in(5000));
  ASSERT_TRUE(fresh.ok()) << fresh.error().message;
  EXPECT_EQ(hello(*fresh.value()), "hello\n");
}

// Any shell can be kept, and its errors come as they are.
TEST_F(KeptSessionTest, ShellOfAnotherKind) {
  FakeShellConnector connector;
  connector.add_host("db1", [](const std::string& command) -> Result<CommandOutput> {
    if (command == "refuse") return Error{Code::kRefused, "not today"};
    return CommandOutput{5, command, ""};
  });
  SshTarget target;
  target.host = "db1";
  Result<std::unique_ptr<KeptShell>> shell =
      keep_session(target, connector, options(), clock_, in(5000));
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  keepers_.push_back(shell.value()->keeper_pid());
  EXPECT_EQ(shell.value()->run("ip addr", in(1000)).value().exit_status, 5);
  const Error error = error_of(shell.value()->run("refuse", in(1000)));
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_EQ(error.message, "not today");
  EXPECT_TRUE(ends(shell.value()->keeper_pid()));
}

TEST_F(StopHookTest, WhatOneProcessPreparedAnotherFinishes) {
  const std::string file = dir_.file("witness");
  const pid_t hook = run_hook([&] {
    const auto shell = open();
    if (shell.ok()) {
      [[maybe_unused]] const Status prepared = shell.value()->prepare(
          "vip", "read -r line && echo \"$line\" >" + file + "; echo done", in(5000));
    }
  });
  const int keeper = keeper_pid();
  ASSERT_EQ(::waitpid(hook, nullptr, 0), hook);
  {
    const auto shell = open(KeeperAfterwards::kEnds);
    ASSERT_TRUE(shell.ok()) << shell.error().message;
    EXPECT_EQ(error_of(shell.value()->finish_prepared("other", "x\n", in(5000))).code,
              Code::kRefused);
    const Result<CommandOutput> output = shell.value()->finish_prepared("vip", "add\n", in(5000));
    ASSERT_TRUE(output.ok()) << output.error().message;
    EXPECT_EQ(output.value().out, "done\n");
    EXPECT_EQ(read_file(file), "add\n");
    EXPECT_TRUE(alive(keeper));
  }
  EXPECT_TRUE(ends(keeper));
}

}  // namespace
}  // namespace mha
