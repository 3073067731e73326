// Comparing the two hosts' ports.
#include "vip/openstack_preflight.h"

#include <fmt/core.h>

namespace mha {

Status check_ports_apart(const OpenstackHost& host, const OpenstackHost& counterpart) {
  if (!host.known().has_value() || !counterpart.known().has_value() ||
      host.known()->id != counterpart.known()->id) {
    return {};
  }
  return Error{Code::kConfig,
               fmt::format("{} and {} are given the same port: set openstack_port_id in each "
                           "host's own section",
                           host.title(), counterpart.title())};
}

Status check_same_network(const OpenstackHost& host, const OpenstackHost& counterpart) {
  if (!host.known().has_value() || !counterpart.known().has_value() ||
      host.known()->network_id == counterpart.known()->network_id) {
    return {};
  }
  return Error{
      Code::kRefused,
      fmt::format("{} is in network {} and {} in network {}: an address can only move within one "
                  "(openstack_port_id, or openstack_mode=floating_ip)",
                  host.title(), host.known()->network_id, counterpart.title(),
                  counterpart.known()->network_id)};
}

bool is_port_of(const NeutronPort& port, const std::optional<OpenstackHost>& counterpart) {
  return counterpart.has_value() && counterpart->known().has_value() &&
         counterpart->known()->id == port.id;
}

Status of_host(const OpenstackHost& host, const Status& status) {
  return status.ok() ? status : Status{status.error().with_context(host.title())};
}

}  // namespace mha
