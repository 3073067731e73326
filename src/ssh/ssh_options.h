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
  // Options that change where or how ssh(1) connects, and are not honoured here: "-4". For the
  // caller's warning.
  std::vector<std::string> unheeded;
  // One line for each other option that is not used, for the caller's debug log.
  std::vector<std::string> ignored;

  // unheeded in one line; empty where there is none.
  [[nodiscard]] std::string warning() const;
};

// `text` is split as a shell splits words: blanks, single and double quotes, backslash. Understood
// are -i, -l, -p and -o with Port, User, IdentityFile, StrictHostKeyChecking, UserKnownHostsFile,
// ConnectTimeout, ConnectionAttempts and ServerAliveInterval, names in any case, `-o Name=Value`,
// `-oName=Value` and `-o "Name Value"`. -F, -J, -c, -m, and -o with what SshSettings has from
// ssh_config besides (HostName, HostKeyAlias, ProxyJump, ProxyCommand...), go to the target's
// config_file and config_options, for ssh itself to read. Everything else that ssh(1) knows is
// `unheeded` or `ignored`.
//
// The text wins over `base` (host, and user and port from MHA's other arguments), and of two values
// for the same thing the first wins; identity files add up. ssh(1) does both so: MHA puts its own
// defaults and then the conf's ssh_options before host and port.
//
// Errors: kUsage, naming the option: a missing or bad value, an open quote, a control character in
// what ssh is to read.
Result<ParsedSshOptions> parse_ssh_options(std::string_view text, SshTarget base);

}  // namespace mha
