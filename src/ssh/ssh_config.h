// What ssh_config(5) says about a host: asked of ssh itself, which reads the user's file and the
// system's and lays the command line's values over them.
//
// libssh's own reader is not used: of version 0.10 it gives out only one IdentityFile, does not
// know accept-new, IdentitiesOnly and HostKeyAlias, and runs `Match exec` without a deadline.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"

namespace mha {

// Where ssh and its files are; the defaults are a real user's.
struct SshClientFiles {
  std::string program = "ssh";  // looked up in PATH
  std::string config_file;      // empty: ~/.ssh/config and /etc/ssh/ssh_config
  std::string home;             // for "~" and %d; empty: the user's, from the password database
};

// How to reach one host, complete.
struct SshSettings {
  std::string host;      // as its user named it
  std::string hostname;  // to connect to
  std::string address;   // where that is known to be, name servers aside; may be empty
  std::uint16_t port = 22;
  std::string user;
  std::vector<std::string> identity_files;  // in the order to be tried; paths
  bool identities_only = false;
  std::string identity_agent;  // path of its socket; empty: no agent
  HostKeyPolicy host_key_policy = HostKeyPolicy::kStrict;
  std::vector<std::string> user_known_hosts;    // paths; new keys go to the first
  std::vector<std::string> system_known_hosts;  // paths
  std::string host_key_alias;
  // Through which program to connect, where not directly: an argument list.
  std::vector<std::string> proxy_command;
  std::optional<Milliseconds> connect_timeout;
  unsigned connection_attempts = 1;
  // Algorithm lists by their names in ssh_config, in lower case; empty: libssh's own.
  std::map<std::string, std::string> algorithms;

  // "user@host", ":port" where it is not 22; for messages.
  [[nodiscard]] std::string name() const;
};

// Runs `ssh -G`, which connects to nothing, and costs some 5 ms. Without an ssh program the target
// (but for its config_file and config_options) and OpenSSH's defaults alone count, with a warning.
// Errors: kConfig with ssh's words, kTimeout.
Result<SshSettings> resolve_ssh_settings(const SshTarget& target, const SshClientFiles& files,
                                         const Clock& clock, Log& log, Deadline deadline);

}  // namespace mha
