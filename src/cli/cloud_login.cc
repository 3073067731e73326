// Between the process and vip/login_check.h.
#include "cli/cloud_login.h"

#include <cstdlib>

#include "vip/login_check.h"

namespace mha {

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

Status check_login(const NodeSpec& node) {
  return check_cloud_login(node.settings, &variable_of_process);
}

}  // namespace mha
