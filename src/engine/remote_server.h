// The server process of one port on a host, seen and ended over SSH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"

namespace mha {

// A mysqld or mariadbd, as /proc shows it.
struct ServerProcess {
  unsigned long pid = 0;
  std::string name;
  char state = '?';        // as ps(1) has it: T stopped, D waiting for a disk
  unsigned long uid = 0;   // whose it is
  unsigned long safe = 0;  // mysqld_safe, which would start it again; 0: none
  std::string unit;        // systemd's service; empty: none
};

enum class ServerPresence {
  kRuns,      // this one, for certain
  kNone,      // no server of this port, and nothing that is about to start one
  kNotKnown,  // some process may be it, and which is not to be told
};

struct ServerSeen {
  ServerPresence presence = ServerPresence::kNotKnown;
  ServerProcess process;  // for kRuns
  std::string text;       // one line: "mariadbd (pid 42, stopped) runs there"
};

// The process that listens on `port`, or names it among its arguments. Several servers may run on
// the host; where it is not certain which is meant, none is. A mysqld_safe without a server and a
// service that systemd is about to start may be its own, unless they name another port. Works for
// root, who sees everything, and for others, who see whose a socket is and not which process has
// it. Errors: as RemoteShell::run(), and kRefused for a host that shows nothing (no /proc).
Result<ServerSeen> find_server(RemoteShell& shell, std::uint16_t port, Deadline deadline);

enum class UseSudo { kNo, kYes };

struct ServerEnd {
  bool down = false;  // read back: no process of the port, and nothing that starts it again
  std::string text;   // one line: "mariadbd (pid 42) was killed (read back)"
};

// Ends the server of this port by SIGKILL, which a process that hangs obeys too, and what would
// start it again: mysqld_safe before it, systemd's service after it. What is not certainly it is
// left alone. As the login user, or (kYes) as the owner by `sudo -n`. A refusal is a value, with
// the remedy; errors: as find_server().
Result<ServerEnd> kill_server(RemoteShell& shell, std::uint16_t port, UseSudo sudo,
                              Deadline deadline, const Clock& clock);

// What the host's word is read from, for tests. `ended`: the server of this port, which was seen
// before and has been killed.
ServerSeen server_in(const std::string& listing, std::uint16_t port,
                     const std::optional<ServerProcess>& ended = std::nullopt);

}  // namespace mha
