// Starting a program and waiting for it while the operator's signals go to it.
#include "cli/process_runner.h"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace mha {
namespace {

// The child that a SIGTERM to us is passed on to; signal handlers can only reach a global.
std::atomic<pid_t> running_child{0};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void pass_on(int signal) {
  const pid_t child = running_child.load();
  if (child > 0) kill(child, signal);
}

void ignore_here(int /*signal*/) {}

// While it lives, SIGINT does not end us (the terminal has sent it to the child as well), SIGTERM
// goes to the child, and the child's end waits for us even where our parent had us ignore SIGCHLD.
class SignalsToChild {
 public:
  SignalsToChild() {
    struct sigaction action {};
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    action.sa_handler = ignore_here;
    sigaction(SIGINT, &action, &old_int_);
    action.sa_handler = pass_on;
    sigaction(SIGTERM, &action, &old_term_);
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, &old_chld_);
  }
  SignalsToChild(const SignalsToChild&) = delete;
  SignalsToChild& operator=(const SignalsToChild&) = delete;
  ~SignalsToChild() {
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
    sigaction(SIGCHLD, &old_chld_, nullptr);
  }

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
  struct sigaction old_chld_ {};
};

class PosixProcessRunner : public ProcessRunner {
 public:
  Result<ProcessEnd> run(const std::vector<std::string>& argv,
                         const std::map<std::string, std::string>& environment) override {
    std::vector<std::string> settings;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string setting = *entry;
      if (!environment.contains(setting.substr(0, setting.find('=')))) settings.push_back(setting);
    }
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);

    const SignalsToChild signals;
    pid_t child = 0;
    std::vector<char*> words = pointers(argv);
    std::vector<char*> variables = pointers(settings);
    // Handlers become defaults in the child by themselves; the ignored SIGPIPE would stay ignored
    // there.
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int failed =
        posix_spawnp(&child, argv[0].c_str(), nullptr, &attributes, words.data(), variables.data());
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
      return cannot_run(argv[0], failed);
    }
    running_child = child;
    int status = 0;
    pid_t waited = 0;
    do {
      waited = waitpid(child, &status, 0);
    } while (waited < 0 && errno == EINTR);
    running_child = 0;
    if (waited != child) {
      return Error{Code::kInternal,
                   fmt::format("how {} ended is not known: {}", argv[0], std::strerror(errno))};
    }
    return WIFSIGNALED(status) ? ProcessEnd{0, WTERMSIG(status)}
                               : ProcessEnd{WEXITSTATUS(status), 0};
  }

 private:
  static Error cannot_run(const std::string& program, int error) {
    if (error == ENOENT) {
      return {Code::kConfig, fmt::format("cannot run {}: not found in PATH", program)};
    }
    // Also where a folder of PATH may not be looked into and no other one has it.
    if (error == EACCES) {
      return {Code::kConfig,
              fmt::format("cannot run {}: not found in PATH, or not executable", program)};
    }
    return {Code::kInternal, fmt::format("cannot run {}: {}", program, std::strerror(error))};
  }

  static std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> result;
    for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
    result.push_back(nullptr);
    return result;
  }
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner() {
  return std::make_unique<PosixProcessRunner>();
}

}  // namespace mha
