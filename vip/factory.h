// The driver that a host's settings ask for.
#pragma once

#include <memory>

#include "base/log.h"
#include "config/vip_site.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"
#include "vip/cloud_ports.h"

namespace mha {

class AwsSessions;
class OpenstackSessions;

// Makes drivers that share what a program needs once: a cloud's credentials, token and connections.
// Thread-safe. Outlives its drivers.
class VipDrivers {
 public:
  explicit VipDrivers(CloudPorts ports);
  ~VipDrivers();
  VipDrivers(const VipDrivers&) = delete;
  VipDrivers& operator=(const VipDrivers&) = delete;

  // `shell` is borrowed and may be nullptr. `counterpart` is the other master of the operation, or
  // nullptr. Never nullptr itself.
  std::unique_ptr<VipDriver> make(const VipSite& site, const VipSite* counterpart,
                                  RemoteShell* shell);

 private:
  CloudPorts ports_;
  std::unique_ptr<AwsSessions> aws_;
  std::unique_ptr<OpenstackSessions> openstack_;
};

}  // namespace mha
