// The keeper's process: how it comes to be, and what it leaves behind of its parent.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/private_folder.h"
#include "ssh/keeper.h"
#include "ssh/kept_session.h"
#include "ssh/wait.h"

namespace mha {
namespace {

constexpr int kReportFd = 3;
constexpr Milliseconds kPredecessorPatience{200};
// The keeper has the same deadline and more to say about what it ran into.
constexpr Milliseconds kReportGrace{100};

// The keeper's socket under its name, gone with the object unless another keeper has taken the
// name.
class ListeningSocket {
 public:
  // Replaces what is at `path`, a live keeper's socket or a dead one's, in one step.
  static Result<std::unique_ptr<ListeningSocket>> create(const std::string& path) {
    std::unique_ptr<ListeningSocket> made{new ListeningSocket{path}};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string unfinished = fmt::format("{}.{}", path, ::getpid());
    if (unfinished.size() >= sizeof address.sun_path) {
      return Error{Code::kConfig, fmt::format("the path of a socket is too long: {}", unfinished)};
    }
    std::copy(unfinished.begin(), unfinished.end(), static_cast<char*>(address.sun_path));
    made->socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::unlink(unfinished.c_str());
    const mode_t old_mask = ::umask(0177);
    const bool bound = ::bind(made->socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                              sizeof address) == 0;
    const int bind_error = errno;
    ::umask(old_mask);
    if (!bound) {
      return Error{Code::kInternal, fmt::format("cannot make the socket {}: {}", unfinished,
                                                system_error_text(bind_error))};
    }
    struct stat info {};
    if (::listen(made->socket_.get(), SOMAXCONN) != 0 || ::stat(unfinished.c_str(), &info) != 0 ||
        ::rename(unfinished.c_str(), path.c_str()) != 0) {
      const int error = errno;
      ::unlink(unfinished.c_str());
      return Error{Code::kInternal,
                   fmt::format("cannot make the socket {}: {}", path, system_error_text(error))};
    }
    made->inode_ = info.st_ino;
    return made;
  }
  ~ListeningSocket() {
    struct stat info {};
    if (inode_ != 0 && ::lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_) {
      ::unlink(path_.c_str());
    }
  }
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  [[nodiscard]] FileDescriptor take_socket() { return std::move(socket_); }

 private:
  explicit ListeningSocket(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  FileDescriptor socket_;
  ino_t inode_ = 0;
};

bool has_threads() {
#if defined(__SANITIZE_THREAD__)
  return false;  // the sanitizer has one of its own
#else
  std::error_code unknown;
  const std::filesystem::directory_iterator tasks{"/proc/self/task", unknown};
  return std::distance(begin(tasks), end(tasks)) > 1;
#endif
}

// MHA hands passwords to its hooks on the command line; ps would show them for as long as the
// keeper lives. Where the arguments lie is in proc(5), /proc/[pid]/stat, fields 48 and 49.
void wipe_command_line(std::string_view title) {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return;
  std::istringstream fields{line.substr(after_name + 1)};
  constexpr int kFirstField = 3;
  constexpr int kArgumentsStart = 48;
  std::string skipped;
  for (int field = kFirstField; field < kArgumentsStart; ++field) fields >> skipped;
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  if (!(fields >> start >> end) || start == 0 || end <= start) return;
  char* arguments = reinterpret_cast<char*>(start);  // NOLINT(performance-no-int-to-ptr)
  const std::size_t size = end - start;
  std::memset(arguments, 0, size);
  std::copy_n(title.data(), std::min(title.size(), size - 1), arguments);
}

void redirect_to_null(int fd) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    ::dup2(null, fd);
    if (null != fd) ::close(null);
  }
}

// Nothing of the parent but its user, its standard output and error, and the report pipe.
void leave_parent(int report, const std::string& title) {
  ::dup2(report, kReportFd);
  ::fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  ::closefrom(kReportFd + 1);
  redirect_to_null(STDIN_FILENO);
  [[maybe_unused]] const int root = ::chdir("/");
  ::umask(077);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2}) {
    ::signal(number, SIG_DFL);
  }
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  wipe_command_line(title);
  ::prctl(PR_SET_NAME, "mha-ssh-keeper");
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

FileDescriptor signals_that_end() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return FileDescriptor{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
}

void end_predecessor(const KeepOptions& options, const SshTarget& target, const Clock& clock) {
  const Deadline deadline = clock.deadline_after(kPredecessorPatience);
  Result<std::unique_ptr<KeptShell>> old =
      open_kept_session(options.folder, target, KeeperAfterwards::kStays, clock, deadline);
  // Whether it heard or not: its name goes to us, and it ends by its own limits.
  if (old.ok()) {
    [[maybe_unused]] const Status heard = old.value()->end_keeper(deadline);
  }
}

bool report(const Status& status) {
  const std::string bytes = to_wire(to_frame(status));
  return ::write(kReportFd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

void keep(const SshTarget& target, ShellConnector& connector, const KeepOptions& options,
          Clock& clock, Deadline deadline) {
  Result<std::unique_ptr<RemoteShell>> shell = connector.connect(target, deadline);
  if (!shell.ok()) {
    report(shell.status());
    return;
  }
  FileDescriptor signals = signals_that_end();
  end_predecessor(options, target, clock);
  Result<std::unique_ptr<ListeningSocket>> socket =
      ListeningSocket::create(fmt::format("{}/{}", options.folder, kept_session_name(target)));
  if (!socket.ok()) {
    report(socket.status());
    return;
  }
  // A parent that has given up by now has closed its end: the write fails, and nothing is kept.
  if (!report({})) return;
  ::close(kReportFd);
  redirect_to_null(STDOUT_FILENO);
  redirect_to_null(STDERR_FILENO);
  Keeper{*shell.value(), socket.value()->take_socket(), std::move(signals),
         KeeperLimits{options.keep_time, options.lifetime}, clock}
      .serve();
}

// Between fork and the end of the process. The parent's objects must not be destroyed here: their
// destructors would speak to servers on connections that are not ours.
[[noreturn]] void keeper_process(const SshTarget& target, ShellConnector& connector,
                                 const KeepOptions& options, Clock& clock, Deadline deadline,
                                 int report_pipe) {
  ::setsid();
  // Not a session's leader any more, so that it can never come by a terminal.
  const pid_t second = ::fork();
  if (second != 0) ::_exit(second < 0 ? 1 : 0);
  try {
    leave_parent(report_pipe, "mha ssh keeper for " + target.name());
    keep(target, connector, options, clock, deadline);
  } catch (const std::exception& error) {
    report(Error{Code::kInternal, fmt::format("the keeper failed: {}", error.what())});
  }
  ::_exit(0);
}

Status wait_for_report(int fd, const SshTarget& target, const Clock& clock, Deadline deadline) {
  KeeperFrameReader reader;
  std::array<char, 4096> buffer{};
  for (;;) {
    Result<std::optional<KeeperFrame>> frame = reader.next();
    if (!frame.ok()) return frame.error();
    if (frame.value()) return status_from(*frame.value());
    if (wait_for(fd, POLLIN, clock, deadline) == WaitResult::kDeadline) {
      return Error{Code::kTimeout,
                   fmt::format("SSH to {}: the session was not open in time", target.name())};
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) {
      return Error{Code::kInternal, fmt::format("SSH to {}: the keeper of the session ended "
                                                "without a word",
                                                target.name())};
    }
    if (got > 0) reader.add({buffer.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace

Result<std::unique_ptr<KeptShell>> keep_session(const SshTarget& target, ShellConnector& connector,
                                                const KeepOptions& options, Clock& clock,
                                                Deadline deadline) {
  if (const Status safe = ensure_private_folder(options.folder); !safe.ok()) return safe.error();
  if (has_threads()) {
    return Error{Code::kInternal, "a session can only be kept before threads are started"};
  }
  KeepOptions for_keeper = options;  // whose working folder is another one
  std::error_code failed;
  for_keeper.folder = std::filesystem::absolute(options.folder, failed).string();
  if (failed) {
    return Error{Code::kInternal,
                 fmt::format("cannot tell where {} is: {}", options.folder, failed.message())};
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{Code::kInternal, "cannot make a pipe: " + system_error_text(errno)};
  }
  const FileDescriptor read_end{ends[0]};
  FileDescriptor write_end{ends[1]};
  std::fflush(nullptr);  // what stdio holds is not to be written twice
  const pid_t first = ::fork();
  if (first < 0) return Error{Code::kInternal, "cannot fork: " + system_error_text(errno)};
  if (first == 0) {
    keeper_process(target, connector, for_keeper, clock, deadline, write_end.get());
  }
  write_end.reset();
  // It forks and ends at once.
  while (::waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
  }
  const Deadline patience{deadline.at() + kReportGrace};
  if (const Status kept = wait_for_report(read_end.get(), target, clock, patience); !kept.ok()) {
    return kept.error();
  }
  return open_kept_session(options.folder, target, KeeperAfterwards::kStays, clock, patience);
}

}  // namespace mha
