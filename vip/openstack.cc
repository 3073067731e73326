// The mode decides.
#include "vip/openstack.h"

#include <utility>

namespace mha {

std::unique_ptr<VipDriver> make_openstack_driver(const VipSite& site, const VipSite* counterpart,
                                                 RemoteShell* shell, KeystoneSession& session,
                                                 CloudPorts ports) {
  OpenstackParts parts{site, std::nullopt, shell, session, ports};
  if (counterpart != nullptr) parts.counterpart = *counterpart;
  switch (site.settings.openstack.mode) {
    case OpenstackMode::kFloatingIp:
      return make_floating_ip_driver(std::move(parts));
    case OpenstackMode::kFixedIp:
      return make_fixed_ip_driver(std::move(parts));
    case OpenstackMode::kAddressPair:
      break;
  }
  return make_address_pair_driver(std::move(parts));
}

}  // namespace mha
