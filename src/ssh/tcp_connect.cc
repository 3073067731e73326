// Bounded name look-up and racing connection attempts.
#include "ssh/tcp_connect.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "ssh/wait.h"

namespace mha {
namespace {

constexpr Milliseconds kHeadStart{250};
// Where there is another way to the address.
constexpr Milliseconds kNameServersAnswer{1'000};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  // "10.0.0.1"
  [[nodiscard]] std::string text() const {
    std::array<char, NI_MAXHOST> name{};
    if (::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, name.data(), name.size(),
                      nullptr, 0, NI_NUMERICHOST) != 0) {
      return "?";
    }
    return name.data();
  }
};

struct LookUp {
  int error = 0;  // of getaddrinfo
  std::vector<Address> addresses;
};

LookUp look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  LookUp result;
  result.error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (result.error != 0) return result;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Address address;
    address.size = entry->ai_addrlen;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<char*>(&address.storage));
    result.addresses.push_back(address);
  }
  return result;
}

// What the thread that looks up and we who wait both own, whoever is last.
struct SharedLookUp {
  std::mutex mutex;
  LookUp result;
  FileDescriptor done;
};

Result<std::vector<Address>> look_up_in_time(const std::string& host, std::uint16_t port,
                                             const Clock& clock, Deadline deadline) {
  auto shared = std::make_shared<SharedLookUp>();
  shared->done.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!shared->done.valid()) {
    return Error{Code::kInternal, "cannot make an eventfd: " + system_error_text(errno)};
  }
  try {
    std::thread{[shared, host, port] {
      LookUp result = look_up(host, port, 0);
      const std::lock_guard lock{shared->mutex};
      shared->result = std::move(result);
      const std::uint64_t one = 1;
      // A new eventfd takes it; and where it did not, the waiting side ends by its deadline.
      [[maybe_unused]] const ssize_t written = ::write(shared->done.get(), &one, sizeof one);
    }}.detach();
  } catch (const std::system_error& error) {
    return Error{Code::kInternal, fmt::format("cannot start a thread: {}", error.what())};
  }
  if (wait_for(shared->done.get(), POLLIN, clock, deadline) == WaitResult::kDeadline) {
    return Error{Code::kTimeout, fmt::format("no name server answered for {} in time", host)};
  }
  const std::lock_guard lock{shared->mutex};
  if (shared->result.error != 0) {
    return Error{Code::kUnreachable, fmt::format("cannot find the address of {}: {}", host,
                                                 ::gai_strerror(shared->result.error))};
  }
  return std::move(shared->result.addresses);
}

// What the name servers have said to this process.
class Answers {
 public:
  // Empty where nothing.
  std::vector<Address> of(const std::string& name) {
    const std::lock_guard lock{mutex_};
    const auto known = addresses_.find(name);
    return known == addresses_.end() ? std::vector<Address>{} : known->second;
  }
  void note(const std::string& name, const std::vector<Address>& addresses) {
    const std::lock_guard lock{mutex_};
    addresses_[name] = addresses;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Address>> addresses_;
};

struct Resolved {
  std::vector<Address> addresses;
  std::string instead_of;  // why the name servers' word is not what counts; empty: it is
};

Result<Resolved> resolve(const TcpPlace& place, const Clock& clock, Deadline deadline) {
  LookUp numeric = look_up(place.host, place.port, AI_NUMERICHOST);
  if (numeric.error == 0) return Resolved{std::move(numeric.addresses), ""};

  static Answers answers;
  const std::string name = fmt::format("{}:{}", place.host, place.port);
  std::vector<Address> known = answers.of(name);
  if (known.empty() && !place.address.empty()) {
    known = look_up(place.address, place.port, AI_NUMERICHOST).addresses;
  }
  const Milliseconds patience =
      std::min(kNameServersAnswer, deadline.remaining(clock.now()) / 2);  // the rest is for TCP
  Result<std::vector<Address>> found = look_up_in_time(
      place.host, place.port, clock, known.empty() ? deadline : clock.deadline_after(patience));
  if (found.ok()) {
    answers.note(name, found.value());
    return Resolved{std::move(found).value(), ""};
  }
  if (known.empty()) return found.error();
  return Resolved{std::move(known), found.error().message};
}

// A connection attempt under way.
struct Attempt {
  FileDescriptor socket;
  std::string address;
};

// An error number in place of an attempt that failed at once.
struct Started {
  Attempt attempt;
  int error = 0;
};

Started start_connecting(const Address& address) {
  Started started;
  started.attempt.address = address.text();
  started.attempt.socket.reset(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!started.attempt.socket.valid()) {
    started.error = errno;
    return started;
  }
  const int on = 1;
  ::setsockopt(started.attempt.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(started.attempt.socket.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                address.size) != 0 &&
      errno != EINPROGRESS) {
    started.error = errno;
  }
  return started;
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

Result<FileDescriptor> connect_to_any(const std::vector<Address>& addresses, std::uint16_t port,
                                      const Clock& clock, Deadline deadline) {
  std::vector<Attempt> attempts;
  std::string failures;
  const auto note_failure = [&](const std::string& address, int error) {
    if (!failures.empty()) failures += ", ";
    failures += fmt::format("{} port {}: {}", address, port, system_error_text(error));
  };
  std::size_t next = 0;
  while (next < addresses.size() || !attempts.empty()) {
    if (next < addresses.size()) {
      Started started = start_connecting(addresses[next++]);
      if (started.error != 0) {
        note_failure(started.attempt.address, started.error);
        continue;
      }
      attempts.push_back(std::move(started.attempt));
    }
    const bool more = next < addresses.size();
    const Deadline turn = more ? deadline.capped(clock.deadline_after(kHeadStart)) : deadline;
    std::vector<pollfd> fds;
    for (const Attempt& attempt : attempts) fds.push_back({attempt.socket.get(), POLLOUT, 0});
    if (wait_for_any(fds, clock, turn) == WaitResult::kDeadline) {
      if (more && !clock.passed(deadline)) continue;
      return Error{Code::kTimeout, fmt::format("no answer from {} port {} to a TCP connection",
                                               attempts.front().address, port)};
    }
    for (std::size_t i = fds.size(); i-- > 0;) {
      if (fds[i].revents == 0) continue;
      const int error = connect_error(fds[i].fd);
      if (error == 0) return std::move(attempts[i].socket);
      note_failure(attempts[i].address, error);
      attempts.erase(attempts.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return Error{Code::kUnreachable, fmt::format("cannot connect: {}", failures)};
}

}  // namespace

Result<FileDescriptor> connect_tcp(const TcpPlace& place, const Clock& clock, Deadline deadline) {
  const Result<Resolved> resolved = resolve(place, clock, deadline);
  if (!resolved.ok()) return resolved.error();
  Result<FileDescriptor> socket =
      connect_to_any(resolved.value().addresses, place.port, clock, deadline);
  if (socket.ok() || resolved.value().instead_of.empty()) return socket;
  return socket.error().with_context(resolved.value().instead_of +
                                     "; by the address that is known");
}

}  // namespace mha
