// From settings to a driver.
#include "vip/factory.h"

#include "vip/aws.h"
#include "vip/metal.h"
#include "vip/none.h"
#include "vip/openstack.h"
#include "vip/openstack_sessions.h"

namespace mha {

VipDrivers::VipDrivers(CloudPorts ports)
    : ports_(ports),
      aws_(std::make_unique<AwsSessions>(ports)),
      openstack_(std::make_unique<OpenstackSessions>(ports)) {}
VipDrivers::~VipDrivers() = default;

std::unique_ptr<VipDriver> VipDrivers::make(const VipSite& site, const VipSite* counterpart,
                                            RemoteShell* shell) {
  const HostSettings& settings = site.settings;
  switch (settings.vip_type) {
    case VipType::kMetal:
      return make_metal_driver(
          MetalPlace{
              settings.writer_vip.value(), settings.cluster_interface, settings.requires_sudo,
              settings.requires_arping ? NeighbourTalk::kProbeAndAnnounce : NeighbourTalk::kNone},
          site.host, shell, ports_.clock, ports_.log);
    case VipType::kAws:
      return make_aws_driver(site, counterpart, shell, ports_, aws_->of(settings));
    case VipType::kOpenstack:
      return make_openstack_driver(site, counterpart, shell, openstack_->session_of(settings),
                                   ports_);
    case VipType::kNone:
      break;
  }
  return make_none_driver();
}

}  // namespace mha
