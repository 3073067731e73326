// The drivers of vip_type=openstack: one for each openstack_mode.
#pragma once

#include <memory>
#include <optional>

#include "config/vip_site.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"
#include "vip/cloud_ports.h"
#include "vip/keystone.h"

namespace mha {

// `shell` is borrowed and may be nullptr; `session` and `ports` outlive the driver.
std::unique_ptr<VipDriver> make_openstack_driver(const VipSite& site, const VipSite* counterpart,
                                                 RemoteShell* shell, KeystoneSession& session,
                                                 CloudPorts ports);

// What each of them is made from.
struct OpenstackParts {
  VipSite site;
  std::optional<VipSite> counterpart;
  RemoteShell* shell = nullptr;
  KeystoneSession& session;
  CloudPorts ports;
};

// address_pair: the address is the hosts' alone, and the cloud passes it at every port whose
// allowed_address_pairs name it, which the administrator has set beforehand. Calls in the good
// case: remove() over a shell 0; without one 3 (read, take the pair off, read back: the address is
// fenced); status() 1 where the host has the address, else 0; assign() 1, which reads the pair back
// and overlaps the work on the host. Where that read finds that an earlier fencing took the pair
// off this host's port, it is put back (2 more). An API that does not answer is a warning of
// assign(): the address itself needs none.
std::unique_ptr<VipDriver> make_address_pair_driver(OpenstackParts parts);

// floating_ip: the cloud translates a public address to a port's own; nothing on the hosts. Calls:
// status() 1; remove() and assign() 2 each (change, read back) after a check() or status() of the
// same driver, without which the port and the floating IP are read first: 2 more. Where somebody
// has changed it since, 2 more as well: it is refused as stale and read again.
std::unique_ptr<VipDriver> make_floating_ip_driver(OpenstackParts parts);

// fixed_ip: the address is one of a port's own and of the host's. Neutron gives an address to one
// port at a time, so that it arbitrates. Calls: status() 1; assign() and remove() 2 each after a
// check() or status() of the same driver, else 3; up to 4 more where the counterpart's port must
// lose it first (who has it, whose port that is, take it off, ask again).
std::unique_ptr<VipDriver> make_fixed_ip_driver(OpenstackParts parts);

}  // namespace mha
