// Text of an SSH target, and sessions that cannot prepare commands.
#include "ports/remote_shell.h"

#include <fmt/core.h>

namespace mha {

std::string SshTarget::name() const {
  std::string text = user.empty() ? host : fmt::format("{}@{}", user, host);
  if (port.has_value()) text += fmt::format(":{}", *port);
  return text;
}

Status RemoteShell::prepare(const std::string& /*name*/, const std::string& /*command*/,
                            Deadline /*deadline*/) {
  return Error{Code::kRefused, "this session cannot prepare commands"};
}

Result<CommandOutput> RemoteShell::finish_prepared(const std::string& /*name*/,
                                                   const std::string& /*input*/,
                                                   Deadline /*deadline*/) {
  return Error{Code::kRefused, "this session cannot prepare commands"};
}

}  // namespace mha
