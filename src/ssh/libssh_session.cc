// Options, the non-blocking loop, and an end that does not wait.
#include "ssh/libssh_session.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "ssh/wait.h"

namespace mha {
namespace {

void set_list(ssh_session session, ssh_options_e option, const std::string& list) {
  // libssh drops the names that it does not know, and refuses a list of which nothing remains: its
  // own defaults are then as good.
  if (!list.empty()) ssh_options_set(session, option, list.c_str());
}

// sshd leaves Nagle's algorithm on for a session without a terminal: it holds a packet back until
// the one before is acknowledged, and our kernel would delay that for 40 ms (measured: the first
// command of a session took 45 ms instead of 2). The option does not last (tcp(7)), so it is set
// before each wait. A proxy's socket knows no such option, and no such delay.
void acknowledge_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// Peers' words are not to break our lines.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

Result<std::unique_ptr<LibsshSession>> LibsshSession::create(const SshSettings& settings,
                                                             const std::string& host_key_algorithms,
                                                             const Clock& clock) {
  ssh_session session = ssh_new();
  if (session == nullptr) return Error{Code::kInternal, "libssh cannot make a session"};
  std::unique_ptr<LibsshSession> owner{new LibsshSession{session, clock}};
  ssh_set_blocking(session, 0);
  // Everything was read by resolve_ssh_settings() and KnownHosts; libssh is to read no file. It
  // connects to nothing by itself either: the host has to be set and is not used.
  const int off = 0;
  const char* nothing = "/dev/null";
  if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &off) != SSH_OK ||
      ssh_options_set(session, SSH_OPTIONS_HOST, "host") != SSH_OK ||
      ssh_options_set(session, SSH_OPTIONS_USER, settings.user.c_str()) != SSH_OK ||
      ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, nothing) != SSH_OK ||
      ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, nothing) != SSH_OK) {
    return Error{Code::kConfig, owner->error_text()};
  }
  const auto list = [&](const std::string& name) {
    const auto found = settings.algorithms.find(name);
    return found == settings.algorithms.end() ? std::string{} : found->second;
  };
  set_list(session, SSH_OPTIONS_KEY_EXCHANGE, list("kexalgorithms"));
  set_list(session, SSH_OPTIONS_HOSTKEYS, host_key_algorithms);
  set_list(session, SSH_OPTIONS_CIPHERS_C_S, list("ciphers"));
  set_list(session, SSH_OPTIONS_CIPHERS_S_C, list("ciphers"));
  set_list(session, SSH_OPTIONS_HMAC_C_S, list("macs"));
  set_list(session, SSH_OPTIONS_HMAC_S_C, list("macs"));
  set_list(session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, list("pubkeyacceptedalgorithms"));
  return owner;
}

LibsshSession::~LibsshSession() {
  // Not ssh_disconnect(): it keeps a socket open that was handed in, and waits for the proxy.
  if (event_ != nullptr) {
    ssh_event_remove_session(event_, session_);
    ssh_event_free(event_);
  }
  ssh_free(session_);
}

Status LibsshSession::handshake(FileDescriptor socket, Deadline deadline) {
  const int fd = socket.release();
  ssh_options_set(session_, SSH_OPTIONS_FD, &fd);
  const Result<int> result = drive(
      [&] {
        const int step = ssh_connect(session_);
        // libssh makes the socket blocking when it first finds it writable; a peer that does not
        // read could then hold us in send(2).
        if (this->fd() >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
        return step;
      },
      deadline);
  if (!result.ok()) {
    return Error{Code::kTimeout, ssh_get_serverbanner(session_) == nullptr
                                     ? "it accepted the connection and then said nothing"
                                     : "it stopped answering during the key exchange"};
  }
  if (result.value() != SSH_OK) return Error{Code::kUnreachable, error_text()};
  event_ = ssh_event_new();
  if (event_ == nullptr || ssh_event_add_session(event_, session_) != SSH_OK) {
    return Error{Code::kInternal, "libssh cannot make an event loop"};
  }
  return {};
}

Result<int> LibsshSession::drive(const std::function<int()>& step, Deadline deadline) {
  for (;;) {
    const int result = step();
    if (result != SSH_AGAIN || fd() < 0) return result;
    const bool writes = (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0;
    const short events = static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN);
    acknowledge_at_once(fd());
    if (wait_for(fd(), events, clock_, deadline) == WaitResult::kDeadline) {
      return Error{Code::kTimeout, "no answer in time"};
    }
  }
}

Status LibsshSession::pump(Deadline deadline) {
  const Milliseconds left = clock_.remaining(deadline);
  const int timeout =
      static_cast<int>(std::min<Milliseconds::rep>(left.count(), std::numeric_limits<int>::max()));
  if (fd() >= 0) acknowledge_at_once(fd());
  const int result = fd() < 0 ? SSH_ERROR : ssh_event_dopoll(event_, timeout);
  if (result == SSH_ERROR || fd() < 0 || ssh_is_connected(session_) == 0) {
    return Error{Code::kUnreachable, "the connection broke: " + error_text()};
  }
  if (result == SSH_AGAIN && clock_.passed(deadline)) {
    return Error{Code::kTimeout, "no answer in time"};
  }
  return {};
}

// ssh_get_disconnect_message() tells it only of sessions that end in order; of the others libssh
// has it in its error text.
std::string LibsshSession::farewell() {
  constexpr std::string_view kPrefix = "Received SSH_MSG_DISCONNECT: ";
  const std::string text = one_line(ssh_get_error(session_));
  if (!text.starts_with(kPrefix)) return {};
  const std::size_t colon = text.find(':', kPrefix.size());
  return colon == std::string::npos ? text : text.substr(colon + 1);
}

std::string LibsshSession::error_text() {
  const std::string peer = farewell();
  if (!peer.empty()) return fmt::format("it said \"{}\"", peer);
  const std::string own = one_line(ssh_get_error(session_));
  return own.empty() ? "the connection was closed" : own;
}

}  // namespace mha
