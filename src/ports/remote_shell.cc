// Text of an SSH target.
#include "ports/remote_shell.h"

#include <fmt/core.h>

namespace mha {

std::string SshTarget::name() const {
  std::string text = user.empty() ? host : fmt::format("{}@{}", user, host);
  if (port.has_value()) text += fmt::format(":{}", *port);
  return text;
}

}  // namespace mha
