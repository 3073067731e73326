// Commands on an authenticated session, one after the other, with as few round trips as SSH allows.
#pragma once

#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/remote_shell.h"
#include "ssh/libssh_session.h"

namespace mha {

class RemoteChannel;

// Opens the channel of the next command when the previous one ends, without waiting for the answer:
// a command then costs one round trip and its own time. Not thread-safe.
class CommandRunner {
 public:
  // `session` is authenticated and outlives the runner.
  explicit CommandRunner(LibsshSession& session);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // As RemoteShell::run(); after an error the session is of no more use.
  Result<CommandOutput> run(const std::string& command, Deadline deadline);

 private:
  Result<std::unique_ptr<RemoteChannel>> opened_channel(Deadline deadline);
  void open_next();

  LibsshSession& session_;
  std::unique_ptr<RemoteChannel> next_;
};

}  // namespace mha
