// One libssh session whose every step is bounded by a deadline.
#pragma once

#include <libssh/libssh.h>

#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ssh/file_descriptor.h"
#include "ssh/ssh_config.h"

namespace mha {

struct SshKeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using SshKey = std::unique_ptr<ssh_key_struct, SshKeyDeleter>;

// libssh in its non-blocking mode on a socket that stays non-blocking: waiting is done here alone,
// by poll(2), up to the caller's deadline. Not thread-safe; sessions do not share anything. Closing
// says nothing to the peer but the end of the connection, and so never waits for it.
class LibsshSession {
 public:
  // `host_key_algorithms` in the order of preference. No ssh_config is read. Errors: kInternal.
  static Result<std::unique_ptr<LibsshSession>> create(const SshSettings& settings,
                                                       const std::string& host_key_algorithms,
                                                       const Clock& clock);
  ~LibsshSession();
  LibsshSession(const LibsshSession&) = delete;
  LibsshSession& operator=(const LibsshSession&) = delete;

  // Greeting and key exchange on a connected socket. Errors: kTimeout, kUnreachable.
  Status handshake(FileDescriptor socket, Deadline deadline);

  // Calls `step`, a call of libssh, again and again while it gives SSH_AGAIN, and gives its other
  // result, good or bad. Error: kTimeout.
  Result<int> drive(const std::function<int()>& step, Deadline deadline);
  // Waits for packets and hands them to the callbacks, once. After handshake(). Errors: kTimeout,
  // kUnreachable where the connection is gone.
  Status pump(Deadline deadline);

  [[nodiscard]] ssh_session get() { return session_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  // Why the last call failed, in one line: libssh's words, or the peer's where it said goodbye.
  std::string error_text();
  // What the peer said when it ended the connection; empty where it did not.
  std::string farewell();
  // -1 where libssh has closed it.
  [[nodiscard]] int fd() const { return ssh_get_fd(session_); }

 private:
  LibsshSession(ssh_session session, const Clock& clock) : session_(session), clock_(clock) {}

  ssh_session session_;
  ssh_event event_ = nullptr;
  const Clock& clock_;
};

}  // namespace mha
