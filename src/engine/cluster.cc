// Names of hosts and applications.
#include "engine/cluster.h"

#include <fmt/core.h>

#include "config/host_name.h"

namespace mha {

std::string ClusterHost::title() const {
  return node.port == 3306 ? node.host : fmt::format("{}:{}", node.host, node.port);
}

bool ClusterHost::is_named(const std::string& name, std::uint16_t port) const {
  const std::string key = host_key(name);
  const bool named = host_key(node.host) == key || (!node.ip.empty() && host_key(node.ip) == key);
  return named && (port == 0 || port == node.port);
}

std::string application_name(std::string_view conf_file) {
  const std::string_view base = conf_file.substr(conf_file.rfind('/') + 1);
  const std::size_t dot = base.rfind('.');
  // ".cnf" alone is no suffix of anything.
  return std::string{dot == std::string_view::npos || dot == 0 ? base : base.substr(0, dot)};
}

}  // namespace mha
