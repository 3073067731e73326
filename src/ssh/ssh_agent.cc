// The agent's socket and the thread that watches the time.
#include "ssh/ssh_agent.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "ssh/wait.h"

namespace mha {

AgentLease::AgentLease() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &old_mask_);
}

AgentLease::~AgentLease() {
  if (watchdog_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(done_.get(), &one, sizeof one);
    watchdog_.join();
  }
  if (sigismember(&old_mask_, SIGPIPE) == 0) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    const timespec now{};
    ::sigtimedwait(&pipe, nullptr, &now);  // takes one that is pending
    ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }
}

Result<std::unique_ptr<AgentLease>> AgentLease::open(const std::string& path,
                                                     LibsshSession& session, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Code::kUnreachable, fmt::format("the path {} is too long", path)};
  }
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  std::unique_ptr<AgentLease> lease{new AgentLease};
  // Non-blocking, so that an agent with a full queue is an error and not a wait.
  FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error{Code::kUnreachable, fmt::format("{}: {}", path, system_error_text(errno))};
  }
  ::fcntl(socket.get(), F_SETFL, 0);
  lease->socket_.reset(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  lease->done_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!lease->socket_.valid() || !lease->done_.valid()) {
    return Error{Code::kInternal, "no descriptor left: " + system_error_text(errno)};
  }
  if (ssh_set_agent_socket(session.get(), socket.get()) != SSH_OK) {
    return Error{Code::kInternal, session.error_text()};
  }
  // The session closes it from here on.
  [[maybe_unused]] const int given = socket.release();
  try {
    lease->watchdog_ = std::thread{[watched = lease->socket_.get(), done = lease->done_.get(),
                                    &clock = session.clock(), deadline] {
      if (wait_for(done, POLLIN, clock, deadline) == WaitResult::kDeadline) {
        ::shutdown(watched, SHUT_RDWR);
      }
    }};
  } catch (const std::system_error& error) {
    return Error{Code::kInternal, fmt::format("cannot start a thread: {}", error.what())};
  }
  return lease;
}

}  // namespace mha
