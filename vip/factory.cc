// From settings to a driver.
#include "vip/factory.h"

#include "vip/metal.h"
#include "vip/none.h"

namespace mha {

VipDrivers::VipDrivers(CloudPorts ports) : ports_(ports) {}
VipDrivers::~VipDrivers() = default;

std::unique_ptr<VipDriver> VipDrivers::make(const VipSite& site, const VipSite* /*counterpart*/,
                                            RemoteShell* shell) {
  const HostSettings& settings = site.settings;
  switch (settings.vip_type) {
    case VipType::kMetal:
      return make_metal_driver(MetalPlace{settings.writer_vip.value(), settings.cluster_interface,
                                          settings.requires_sudo, settings.requires_arping},
                               site.host, shell, ports_.clock, ports_.log);
    case VipType::kNone:
    case VipType::kAws:
    case VipType::kOpenstack:
      break;
  }
  return make_none_driver();
}

}  // namespace mha
