// Port for running commands on a host over SSH.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"

namespace mha {

enum class HostKeyPolicy {
  kStrict,  // StrictHostKeyChecking yes, and ask (nobody is there to be asked): unknown is refused
  kAcceptNew,  // unknown is accepted and noted, changed is refused
  kOff,  // StrictHostKeyChecking no, MHA's own default: unknown is accepted and noted; changed is a
         // warning
};

// Where and how to log in. Empty and nullopt mean: as ~/.ssh/config and OpenSSH's defaults say.
struct SshTarget {
  std::string host;  // name or address, as in ~/.ssh/config's Host
  // Where the host is, for when no name server says so; host keys stay those of the name. Not used
  // where ssh_config leads elsewhere (HostName, a proxy).
  std::string address;
  std::optional<std::uint16_t> port;
  std::string user;
  std::vector<std::string> identity_files;
  std::optional<HostKeyPolicy> host_key_policy;  // nullopt and nothing in ssh_config: kStrict
  std::string known_hosts_file;
  std::optional<Milliseconds>
      connect_timeout;  // of one attempt; always under the caller's deadline
  unsigned connection_attempts = 1;
  std::optional<std::chrono::seconds> server_alive_interval;
  std::string config_file;  // in place of the user's and the system's; "none" as for ssh(1)'s -F
  // "Name=Value" as for ssh(1)'s -o: over what the files say, and the first of two wins.
  std::vector<std::string> config_options;

  // "user@host:port", what is known of it; for messages.
  [[nodiscard]] std::string name() const;
};

struct CommandOutput {
  int exit_status = 0;  // 128+N for a command that signal N ended
  std::string out;
  std::string err;
};

// An open, authenticated session. Not thread-safe. Closing never blocks.
class RemoteShell {
 public:
  virtual ~RemoteShell() = default;

  // The host as its user named it; for messages.
  [[nodiscard]] virtual const std::string& host() const = 0;

  // Runs `command` by the login shell of the remote user, standard input empty, no terminal. Output
  // of both streams and the exit status come under `deadline`. A command that ran and exited
  // non-zero is a value, not an error. Errors: kTimeout (the command may still be running there),
  // kUnreachable (session lost; may or may not have run), kRefused (output over 16 MiB). After an
  // error the session may be dead: reconnect.
  virtual Result<CommandOutput> run(const std::string& command, Deadline deadline) = 0;

  // Starts `command` now and leaves its standard input open, so that what takes time to start
  // (sudo) is running when it is needed. It must do nothing that matters before it has read a line:
  // where finish_prepared() is never called, it reads the end of its input when the session ends.
  // One of the same name that waits already is ended in that way. On a kept session it outlives
  // this object, and another process can finish it. kRefused where this kind of session has no such
  // thing: run() does the same, later.
  virtual Status prepare(const std::string& name, const std::string& command, Deadline deadline);

  // Gives the prepared command `input` and then the end of its input; the rest is as of run().
  // kRefused where nothing is prepared under that name: nothing was done.
  virtual Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                                Deadline deadline);
};

class ShellConnector {
 public:
  virtual ~ShellConnector() = default;

  // TCP, key exchange, host key, authentication; never prompts. Thread-safe. Errors: kUnreachable,
  // kTimeout, kDenied (host key or authentication; the message says which and what to do), kConfig.
  virtual Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target,
                                                       Deadline deadline) = 0;
};

}  // namespace mha
