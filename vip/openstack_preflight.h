// Checks that the modes of OpenStack have in common.
#pragma once

#include <optional>

#include "base/status.h"
#include "vip/openstack_host.h"

namespace mha {

// Whether the two have ports of their own in one network, as far as both are known; else it is
// kConfig or kRefused.
Status check_ports_apart(const OpenstackHost& host, const OpenstackHost& counterpart);
Status check_same_network(const OpenstackHost& host, const OpenstackHost& counterpart);

// Whether the port is the counterpart's, as far as that one is known.
bool is_port_of(const NeutronPort& port, const std::optional<OpenstackHost>& counterpart);

// "host 'db1' (port ID): ..." before an error.
Status of_host(const OpenstackHost& host, const Status& status);

}  // namespace mha
