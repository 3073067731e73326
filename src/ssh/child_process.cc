// posix_spawn, pipes, and a bounded end.
#include "ssh/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <utility>

#include "ssh/wait.h"

namespace mha {
namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{Code::kInternal, "cannot make a pipe: " + system_error_text(errno)};
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

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

// Ours, and that no program is to be asked for a password in our place (ssh(1), SSH_ASKPASS).
std::vector<std::string> child_environment() {
  std::vector<std::string> environment{"SSH_ASKPASS_REQUIRE=never"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    if (!text.starts_with("SSH_ASKPASS_REQUIRE=")) environment.emplace_back(text);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// Appends what can be read now; false at the end of the stream.
bool read_available(int fd, std::string& text) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      if (text.size() > kMaxOutput) return true;
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      return got < 0 && errno == EAGAIN;
    }
  }
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const std::vector<std::string>& argv,
                                                          int in, int out, int err) {
  SpawnPlan plan;
  posix_spawn_file_actions_adddup2(&plan.actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&plan.actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&plan.actions, err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);

  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  posix_spawnattr_setflags(
      &plan.attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = child_environment();
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv.front().c_str(), &plan.actions, &plan.attributes,
                                   pointers(arguments).data(), pointers(environment).data());
  if (error != 0) {
    return Error{Code::kConfig,
                 fmt::format("cannot start {}: {}", argv.front(), system_error_text(error))};
  }
  return std::unique_ptr<ChildProcess>{new ChildProcess{pid}};
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<int> ChildProcess::wait(const Clock& clock, Deadline deadline) {
  // pidfd_open(2), Linux 5.3: glibc has no function for it before 2.36.
  const FileDescriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  if (handle.valid() && wait_for(handle.get(), POLLIN, clock, deadline) == WaitResult::kDeadline) {
    return Error{Code::kTimeout, "the program did not end in time"};
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    // Where our parent ignores SIGCHLD, so do we, and nobody learns the status (wait(2), NOTES).
    if (errno != EINTR) break;
  }
  pid_ = -1;
  return status;
}

Result<ProgramOutput> run_program(const std::vector<std::string>& argv, const Clock& clock,
                                  Deadline deadline) {
  Result<Pipe> out = make_pipe();
  if (!out.ok()) return out.error();
  Result<Pipe> err = make_pipe();
  if (!err.ok()) return err.error();
  const FileDescriptor null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!null.valid()) {
    return Error{Code::kInternal, "cannot open /dev/null: " + system_error_text(errno)};
  }
  Result<std::unique_ptr<ChildProcess>> child =
      ChildProcess::start(argv, null.get(), out.value().write.get(), err.value().write.get());
  if (!child.ok()) return child.error();
  out.value().write.reset();
  err.value().write.reset();

  ProgramOutput output;
  std::vector<pollfd> streams{{out.value().read.get(), POLLIN, 0},
                              {err.value().read.get(), POLLIN, 0}};
  // poll(2) passes over a negative descriptor: a stream that has ended.
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (wait_for_any(streams, clock, deadline) == WaitResult::kDeadline) {
      return Error{Code::kTimeout, fmt::format("{} did not end in time", argv.front())};
    }
    if (streams[0].revents != 0 && !read_available(streams[0].fd, output.out)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !read_available(streams[1].fd, output.err)) streams[1].fd = -1;
    if (output.out.size() > kMaxOutput || output.err.size() > kMaxOutput) {
      return Error{Code::kRefused, fmt::format("{} writes more than 1 MiB", argv.front())};
    }
  }
  Result<int> status = child.value()->wait(clock, deadline);
  if (!status.ok()) return status.error().with_context(argv.front());
  output.exit_status = exit_status_of(status.value());
  return output;
}

Result<std::unique_ptr<ProxyProcess>> ProxyProcess::start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Error{Code::kInternal, "cannot make a socket: " + system_error_text(errno)};
  }
  std::unique_ptr<ProxyProcess> proxy{new ProxyProcess};
  proxy->socket_.reset(ends[0]);
  const FileDescriptor theirs{ends[1]};
  Result<Pipe> errors = make_pipe();
  if (!errors.ok()) return errors.error();
  proxy->errors_ = std::move(errors.value().read);
  Result<std::unique_ptr<ChildProcess>> child =
      ChildProcess::start(argv, theirs.get(), theirs.get(), errors.value().write.get());
  if (!child.ok()) return child.error();
  proxy->child_ = std::move(child).value();
  return proxy;
}

std::string ProxyProcess::error_text() {
  constexpr std::size_t kLongest = 300;
  read_available(errors_.get(), error_text_);
  std::string line = error_text_.substr(0, kLongest);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  std::string clean;
  for (const char c : line) {
    if (c == '\n') {
      clean += "; ";
    } else if (static_cast<unsigned char>(c) >= ' ') {
      clean += c;
    }
  }
  return clean;
}

}  // namespace mha
