// The port remote_shell on libssh.
#pragma once

#include <memory>

#include "base/log.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ssh/ssh_config.h"

namespace mha {

// What a session's keeper needs to see that it has ended while no command runs.
class SessionWatch {
 public:
  virtual ~SessionWatch() = default;

  // Becomes readable when the peer says something or closes; -1 where the session is over.
  [[nodiscard]] virtual int watch_fd() const = 0;
  // Takes in what has arrived, without waiting. False: the session is over.
  virtual bool still_alive() = 0;
};

// connect() honours ssh_config(5) as far as SshSettings goes, the agent and key files, and asks
// nobody for anything. `log` gets warnings: a host key that changed and was let pass (kOff), one
// that could not be noted, an ssh_config that could not be read. Sessions are shells with a
// SessionWatch.
//
// Of a time-out: SshTarget::connect_timeout bounds name look-up, TCP, greeting and key exchange of
// one attempt, as in OpenSSH; connection_attempts are a second apart, also as there. The caller's
// deadline bounds everything. ServerAliveInterval is not needed: what hangs costs the deadline.
class LibsshConnector : public ShellConnector {
 public:
  // `clock` and `log` outlive the connector and its sessions.
  LibsshConnector(Clock& clock, Log& log, SshClientFiles files = {});

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target, Deadline deadline) override;

 private:
  Clock& clock_;
  Log& log_;
  const SshClientFiles files_;
};

}  // namespace mha
