// From settings to a driver.
#include "vip/factory.h"

#include "vip/metal.h"
#include "vip/none.h"

namespace mha {

std::unique_ptr<VipDriver> make_vip_driver(const HostSettings& settings, const std::string& host,
                                           RemoteShell* shell, Clock& clock, Log& log) {
  if (settings.vip_type != VipType::kMetal || !settings.writer_vip.has_value()) {
    return make_none_driver();
  }
  return make_metal_driver(MetalPlace{*settings.writer_vip, settings.cluster_interface,
                                      settings.requires_sudo, settings.requires_arping},
                           host, shell, clock, log);
}

}  // namespace mha
