// The client's side of a kept session.
#include "ssh/kept_session.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/private_folder.h"
#include "ssh/wait.h"

namespace mha {
namespace {

// A keeper answers from memory; one that does not is busy with another client's command or hangs.
constexpr Milliseconds kKeeperPatience{500};

// FNV-1a: it only has to tell apart names that look alike once they are cut and cleaned.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

Status send_all(int fd, std::string_view bytes, const Clock& clock, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (wait_for(fd, POLLOUT, clock, deadline) == WaitResult::kDeadline) {
        return Error{Code::kTimeout, "the keeper of the session does not read"};
      }
    } else if (errno != EINTR) {
      return Error{Code::kUnreachable, "the keeper of the session is gone"};
    }
  }
  return {};
}

Result<KeeperFrame> receive(int fd, KeeperFrameReader& in, const Clock& clock, Deadline deadline) {
  std::array<char, 65536> buffer{};
  for (;;) {
    Result<std::optional<KeeperFrame>> frame = in.next();
    if (!frame.ok()) return frame.error();
    if (frame.value()) return *std::move(frame).value();
    if (wait_for(fd, POLLIN, clock, deadline) == WaitResult::kDeadline) {
      return Error{Code::kTimeout, "no answer from the keeper of the session in time"};
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
      return Error{Code::kUnreachable, "the keeper of the session is gone"};
    }
    if (got > 0) in.add({buffer.data(), static_cast<std::size_t>(got)});
  }
}

Result<FileDescriptor> connect_to_keeper(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Code::kConfig, fmt::format("the path of a socket is too long: {}", path)};
  }
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.valid()) {
    return Error{Code::kInternal, "cannot make a socket: " + system_error_text(errno)};
  }
  // On a non-blocking Unix socket this never waits: a full queue is EAGAIN.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error{Code::kUnreachable,
                 fmt::format("no kept session at {}: {}", path, system_error_text(errno))};
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.uid != ::geteuid()) {
    return Error{Code::kDenied, fmt::format("{} is served by another user", path)};
  }
  return socket;
}

}  // namespace

std::string kept_session_name(const SshTarget& target) {
  constexpr std::size_t kReadable = 40;
  const std::string full =
      fmt::format("{}@{}:{}", target.user, target.host, target.port.value_or(0));
  std::string readable = full.substr(0, kReadable);
  std::replace_if(
      readable.begin(), readable.end(),
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '.' || c == '_' || c == '-');
      },
      '_');
  return fmt::format("{}-{:016x}.sock", readable, hash_of(full));
}

KeptShell::KeptShell(FileDescriptor socket, std::string host, KeeperAfterwards afterwards,
                     const Clock& clock)
    : socket_(std::move(socket)), host_(std::move(host)), afterwards_(afterwards), clock_(clock) {}

KeptShell::~KeptShell() {
  if (afterwards_ == KeeperAfterwards::kEnds && socket_.valid()) {
    const Deadline now{clock_.now()};
    [[maybe_unused]] const Status best_effort = send_all(
        socket_.get(), to_wire(to_frame(KeeperRequest{KeeperRequest::Kind::kClose, {}, {}, {}})),
        clock_, now);
  }
}

Result<KeeperFrame> KeptShell::ask(const KeeperRequest& request, Deadline deadline) {
  if (!socket_.valid()) {
    return Error{Code::kUnreachable, "the kept session ended with an earlier error"};
  }
  const Status sent = send_all(socket_.get(), to_wire(to_frame(request)), clock_, deadline);
  if (!sent.ok()) {
    socket_.reset();
    return sent.error();
  }
  Result<KeeperFrame> frame = receive(socket_.get(), in_, clock_, deadline);
  // An answer that comes later would be taken for that of the next question.
  if (!frame.ok()) socket_.reset();
  return frame;
}

Error KeptShell::lost(const Error& error) const {
  return Error{error.code, fmt::format("SSH to {}: {}; the command may or may not have been run",
                                       host_, error.message)};
}

// A keeper that gives an error ends, unless it only refuses; the next question finds that out.
Result<CommandOutput> KeptShell::ask_for_output(const KeeperRequest& request, Deadline deadline) {
  const Result<KeeperFrame> frame = ask(request, deadline);
  if (!frame.ok()) return lost(frame.error());
  return output_from(frame.value());
}

Result<CommandOutput> KeptShell::run(const std::string& command, Deadline deadline) {
  return ask_for_output({KeeperRequest::Kind::kRun, command, clock_.remaining(deadline), {}},
                        deadline);
}

Status KeptShell::prepare(const std::string& name, const std::string& command, Deadline deadline) {
  const Result<KeeperFrame> frame =
      ask({KeeperRequest::Kind::kPrepare, command, clock_.remaining(deadline), name}, deadline);
  return frame.ok() ? status_from(frame.value()) : Status{lost(frame.error())};
}

Result<CommandOutput> KeptShell::finish_prepared(const std::string& name, const std::string& input,
                                                 Deadline deadline) {
  return ask_for_output({KeeperRequest::Kind::kFinish, input, clock_.remaining(deadline), name},
                        deadline);
}

Status KeptShell::end_keeper(Deadline deadline) {
  const Result<KeeperFrame> frame = ask({KeeperRequest::Kind::kClose, {}, {}, {}}, deadline);
  socket_.reset();
  return frame.ok() ? status_from(frame.value())
                    : Status{frame.error().with_context("SSH to " + host_)};
}

Result<std::unique_ptr<KeptShell>> open_kept_session(const std::string& folder,
                                                     const SshTarget& target,
                                                     KeeperAfterwards afterwards,
                                                     const Clock& clock, Deadline deadline) {
  if (const Status safe = check_private_folder(folder); !safe.ok()) return safe.error();
  Result<FileDescriptor> socket =
      connect_to_keeper(fmt::format("{}/{}", folder, kept_session_name(target)));
  if (!socket.ok()) return socket.error();
  std::unique_ptr<KeptShell> shell{
      new KeptShell{std::move(socket).value(), target.host, afterwards, clock}};
  const Result<KeeperFrame> frame = shell->ask({KeeperRequest::Kind::kHello, {}, {}, {}}, deadline);
  if (!frame.ok()) return frame.error();
  const Result<KeeperGreeting> greeting = greeting_from(frame.value());
  if (!greeting.ok() || greeting.value().host != target.host) {
    return Error{Code::kUnreachable,
                 fmt::format("no usable kept session for {}: {}", target.name(),
                             greeting.ok() ? "it is for " + greeting.value().host
                                           : greeting.error().message)};
  }
  shell->keeper_pid_ = greeting.value().pid;
  return shell;
}

Result<std::unique_ptr<RemoteShell>> KeptFirstConnector::connect(const SshTarget& target,
                                                                 Deadline deadline) {
  Result<std::unique_ptr<KeptShell>> kept =
      open_kept_session(folder_, target, KeeperAfterwards::kEnds, clock_,
                        deadline.capped(clock_.deadline_after(kKeeperPatience)));
  if (kept.ok()) {
    log_.debug("SSH to {}: using the session that process {} keeps", target.name(),
               kept.value()->keeper_pid());
    return std::unique_ptr<RemoteShell>{std::move(kept).value()};
  }
  log_.debug("SSH to {}: {}; connecting", target.name(), kept.error().message);
  return otherwise_.connect(target, deadline);
}

}  // namespace mha
