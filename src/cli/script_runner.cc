// A shell in a session of its own, waited for under a deadline.
#include "cli/script_runner.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

namespace mha {
namespace {

// Frees what posix_spawn's preparations allocate.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

Error internal(const std::string& what, int error) {
  return {Code::kInternal,
          fmt::format("a script of MHA's configuration: {}: {}", what, std::strerror(error))};
}

// A child of a session of its own: killed with what it has started, and reaped, where it has not
// been waited for to its end.
class Shell {
 public:
  explicit Shell(pid_t pid) : pid_(pid) {}
  ~Shell() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  Result<int> wait(const Clock& clock, Deadline deadline) {
    // pidfd_open(2), Linux 5.3: glibc has no function for it before 2.36.
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (handle < 0) return internal("waiting for it", errno);
    const bool ended = wait_for(handle, clock, deadline);
    ::close(handle);
    if (!ended) {
      return Error{Code::kTimeout,
                   "a script of MHA's configuration did not end in time: it was killed, with what "
                   "it had started"};
    }
    int status = 0;
    pid_t waited = 0;
    do {
      waited = ::waitpid(pid_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    const int error = errno;
    const bool known = waited == pid_;
    pid_ = -1;
    // Where whoever started us ignores SIGCHLD, the kernel has reaped it.
    if (!known) return internal("how it ended is not known", error);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  static bool wait_for(int handle, const Clock& clock, Deadline deadline) {
    for (;;) {
      constexpr auto kMost = Milliseconds{std::numeric_limits<int>::max()};
      const Milliseconds left = std::min(clock.remaining(deadline), kMost);
      pollfd ready{handle, POLLIN, 0};
      const int found = ::poll(&ready, 1, static_cast<int>(left.count()));
      if (found > 0) return true;
      if (found == 0 && clock.passed(deadline)) return false;
    }
  }

  pid_t pid_;
};

class PosixScriptRunner : public ScriptRunner {
 public:
  explicit PosixScriptRunner(const Clock& clock) : clock_(clock) {}

  Result<int> run(const Secret& command, Deadline deadline) override {
    if (clock_.passed(deadline)) {
      return Error{Code::kTimeout, "a script of MHA's configuration was not started: no time left"};
    }
    SpawnPlan plan;
    posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // Not a pipe of ours: what it leaves running in the background may go on to write.
    posix_spawn_file_actions_adddup2(&plan.actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&plan.attributes, &none);
    posix_spawnattr_setsigdefault(&plan.attributes, &all);
    // A session: no terminal to ask on, and no Ctrl-C in the middle of a power switch.
    posix_spawnattr_setflags(
        &plan.attributes,
        static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    std::string shell = "sh";
    std::string option = "-c";
    std::string text = command.reveal();
    std::array<char*, 4> words{shell.data(), option.data(), text.data(), nullptr};
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, "/bin/sh", &plan.actions, &plan.attributes, words.data(), environ);
    wipe(text.data(), text.size());
    if (error != 0) return internal("it could not be started", error);
    Shell running{pid};
    return running.wait(clock_, deadline);
  }

 private:
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<ScriptRunner> make_script_runner(const Clock& clock) {
  return std::make_unique<PosixScriptRunner>(clock);
}

}  // namespace mha
