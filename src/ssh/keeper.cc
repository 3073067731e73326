// poll(2) over clients, listener, session and signals.
#include "ssh/keeper.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

#include "ssh/wait.h"

namespace mha {
namespace {

constexpr std::size_t kMaxClients = 8;
constexpr Milliseconds kLastWords{1000};

bool is_own_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid();
}

}  // namespace

Keeper::Keeper(RemoteShell& shell, FileDescriptor listener, FileDescriptor signals,
               KeeperLimits limits, const Clock& clock)
    : shell_(shell),
      watch_(dynamic_cast<SessionWatch*>(&shell)),
      listener_(std::move(listener)),
      signals_(std::move(signals)),
      limits_(limits),
      clock_(clock),
      end_of_life_(clock.deadline_after(limits.lifetime)),
      end_of_idleness_(clock.deadline_after(limits.keep_time)) {}

void Keeper::serve() {
  while (!ending_) wait();
}

void Keeper::wait() {
  const Deadline until = clients_.empty() ? end_of_life_.capped(end_of_idleness_) : end_of_life_;
  std::vector<pollfd> fds{{signals_.get(), POLLIN, 0},
                          {watch_ == nullptr ? -1 : watch_->watch_fd(), POLLIN, 0},
                          {listener_.get(), POLLIN, 0}};
  const std::size_t first_client = fds.size();
  for (const Client& client : clients_) {
    const short events = client.out.empty() ? POLLIN : POLLOUT;
    fds.push_back({client.socket.get(), events, 0});
  }
  if (wait_for_any(fds, clock_, until) == WaitResult::kDeadline || fds[0].revents != 0) {
    ending_ = true;
    return;
  }
  if (fds[1].revents != 0 && !watch_->still_alive()) {
    ending_ = true;
    return;
  }
  const bool had_clients = !clients_.empty();
  auto client = clients_.begin();
  for (std::size_t i = first_client; i < fds.size() && !ending_; ++i) {
    const auto current = client++;
    if (fds[i].revents == 0) continue;
    const bool keep = current->out.empty() ? read_from(*current)
                                           : write_to(*current) && answer_requests(*current);
    if (!keep) clients_.erase(current);
  }
  if (fds[2].revents != 0 && !ending_) accept_one();
  if (had_clients && clients_.empty()) {
    end_of_idleness_ = clock_.deadline_after(limits_.keep_time);
  }
}

void Keeper::accept_one() {
  FileDescriptor socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!socket.valid() || !is_own_user(socket.get())) return;
  // Clients that say nothing must not keep others out.
  if (clients_.size() >= kMaxClients) clients_.pop_front();
  clients_.push_back({std::move(socket), {}, {}});
}

bool Keeper::read_from(Client& client) {
  std::array<char, 16384> buffer{};
  const ssize_t got = ::read(client.socket.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  client.in.add({buffer.data(), static_cast<std::size_t>(got)});
  return answer_requests(client);
}

// Stops at an answer that could not be sent whole; goes on when it could.
bool Keeper::answer_requests(Client& client) {
  while (client.out.empty() && !ending_) {
    const Result<std::optional<KeeperFrame>> frame = client.in.next();
    if (!frame.ok()) return false;
    if (!frame.value()) return true;
    const Result<KeeperRequest> request = request_from(*frame.value());
    if (!request.ok()) return false;
    answer(client, request.value());
    if (!write_to(client)) return false;
  }
  return true;
}

// kRefused may only say that there is no such thing as asked for.
bool Keeper::ends_session(const Status& status) {
  if (status.ok()) return false;
  if (status.error().code != Code::kRefused) return true;
  return watch_ != nullptr && !watch_->still_alive();
}

void Keeper::answer(Client& client, const KeeperRequest& request) {
  const Milliseconds timeout = std::clamp(request.timeout, Milliseconds{0}, limits_.lifetime);
  const Deadline deadline = end_of_life_.capped(clock_.deadline_after(timeout));
  switch (request.kind) {
    case KeeperRequest::Kind::kHello:
      client.out = to_wire(to_frame(KeeperGreeting{shell_.host(), static_cast<int>(::getpid())}));
      return;
    case KeeperRequest::Kind::kRun: {
      const Result<CommandOutput> result = shell_.run(request.text, deadline);
      client.out = to_wire(to_frame(result));
      ending_ = !result.ok();
      break;
    }
    case KeeperRequest::Kind::kPrepare: {
      const Status status = shell_.prepare(request.name, request.text, deadline);
      client.out = to_wire(to_frame(status));
      ending_ = ends_session(status);
      break;
    }
    case KeeperRequest::Kind::kFinish: {
      const Result<CommandOutput> result =
          shell_.finish_prepared(request.name, request.text, deadline);
      client.out = to_wire(to_frame(result));
      ending_ = ends_session(result.status());
      break;
    }
    case KeeperRequest::Kind::kClose:
      client.out = to_wire(to_frame(Status{}));
      ending_ = true;
      break;
  }
  if (ending_) flush(client);
}

void Keeper::flush(Client& client) {
  const Deadline deadline = clock_.deadline_after(kLastWords);
  while (!client.out.empty() && !clock_.passed(deadline)) {
    if (!write_to(client)) return;
    if (!client.out.empty()) wait_for(client.socket.get(), POLLOUT, clock_, deadline);
  }
}

bool Keeper::write_to(Client& client) {
  const ssize_t sent =
      ::send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  client.out.erase(0, static_cast<std::size_t>(sent));
  return true;
}

}  // namespace mha
