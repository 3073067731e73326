// Reads the text of MHA's --ssh_options, as MHA itself hands it to ssh(1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ports/remote_shell.h"

namespace mha {

struct ParsedSshOptions {
  SshTarget target;
  // One line for each option that is not used, for the caller's debug log.
  std::vector<std::string> ignored;
};

// `text` is split as a shell splits words: blanks, single and double quotes, backslash. Understood
// are -i, -l, -p and -o with Port, User, IdentityFile, StrictHostKeyChecking, UserKnownHostsFile,
// ConnectTimeout, ConnectionAttempts and ServerAliveInterval, names in any case, `-o Name=Value`,
// `-oName=Value` and `-o "Name Value"`. Everything else that ssh(1) knows is ignored.
//
// The text wins over `base` (host, and user and port from MHA's other arguments), and of two values
// for the same thing the first wins; identity files add up. ssh(1) does both so: MHA puts its own
// defaults and then the conf's ssh_options before host and port.
//
// Errors: kUsage, naming the option: a missing or bad value, an open quote.
Result<ParsedSshOptions> parse_ssh_options(std::string_view text, SshTarget base);

}  // namespace mha
