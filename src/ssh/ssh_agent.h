// A connection to the user's ssh-agent that cannot outlast its deadline.
#pragma once

#include <signal.h>

#include <memory>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ssh/file_descriptor.h"
#include "ssh/libssh_session.h"

namespace mha {

// libssh (0.10) talks to an agent by blocking reads, whatever the session's mode. A forwarded agent
// may be behind a dead connection, and one with confirmation waits for a person. So a thread shuts
// the socket down at the deadline, which ends such a read. While the object lives, the calling
// thread does not get SIGPIPE: libssh writes to the agent without MSG_NOSIGNAL.
class AgentLease {
 public:
  // Connects and hands the socket to `session`, for ssh_userauth_agent(). Errors: kUnreachable,
  // kTimeout, kInternal.
  static Result<std::unique_ptr<AgentLease>> open(const std::string& path, LibsshSession& session,
                                                  Deadline deadline);
  ~AgentLease();
  AgentLease(const AgentLease&) = delete;
  AgentLease& operator=(const AgentLease&) = delete;

 private:
  AgentLease();

  sigset_t old_mask_{};
  FileDescriptor socket_;  // the same connection as libssh's
  FileDescriptor done_;
  std::thread watchdog_;
};

}  // namespace mha
