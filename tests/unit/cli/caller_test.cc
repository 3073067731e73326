// Whether MHA, which runs a hook by `sh -c`, is still there.
#include "cli/caller.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "unit/cli/child_program.h"

namespace mha {
namespace {

// The hook's part in a child: says that it looks, then waits for the answer, ten seconds at most.
[[noreturn]] void be_the_hook(const CliFolder& folder) {
  const std::function<bool()> gone = caller_is_gone();
  folder.write("looks", gone() ? "gone already" : "there");
  for (int i = 0; i < 1000 && !gone(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  folder.write("seen.new", gone() ? "gone" : "still there");
  std::filesystem::rename(folder.path("seen.new"), folder.path("seen"));
  _exit(0);
}

bool appears(const CliFolder& folder, const std::string& name) {
  for (int i = 0; i < 1200; ++i) {
    if (std::filesystem::exists(folder.path(name))) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

TEST(CallerTest, ALivingCallerIsThere) {
  const ChildEnd end = in_child([] { return caller_is_gone()() ? 1 : 0; });
  EXPECT_EQ(end.exit_code, 0);
}

TEST(CallerTest, ADeadCallerIsGone) {
  const CliFolder folder;
  const pid_t caller = fork();
  if (caller == 0) {
    if (fork() == 0) be_the_hook(folder);
    pause();
    _exit(0);
  }
  ASSERT_TRUE(appears(folder, "looks"));
  EXPECT_EQ(folder.read("looks"), "there");
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  ASSERT_TRUE(appears(folder, "seen"));
  EXPECT_EQ(folder.read("seen"), "gone");
}

// MHA - sh -c 'hook ...' - hook: the shell waits for us and lives on where MHA dies.
TEST(CallerTest, ADeadCallerBehindAShellIsGone) {
  const CliFolder folder;
  const pid_t caller = fork();
  if (caller == 0) {
    const pid_t shell = fork();
    if (shell == 0) {
      // A process of that name, as execve("/bin/sh") makes it; it only waits.
      std::ofstream("/proc/self/comm") << "sh";
      if (fork() == 0) be_the_hook(folder);
      wait(nullptr);
      _exit(0);
    }
    pause();
    _exit(0);
  }
  ASSERT_TRUE(appears(folder, "looks"));
  EXPECT_EQ(folder.read("looks"), "there");
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  ASSERT_TRUE(appears(folder, "seen"));
  EXPECT_EQ(folder.read("seen"), "gone");
}

}  // namespace
}  // namespace mha
