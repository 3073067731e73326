// The driver for virtual IPs in AWS: EC2 leads the address to a host, and where its mode says so
// the metal driver puts it on the host's interface.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "config/vip_site.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"
#include "vip/cloud_ports.h"
#include "vip/ec2_api.h"

namespace mha {

// `shell` is borrowed and may be nullptr; `counterpart` may be nullptr and is copied; `ec2` and
// `ports` outlive the driver.
//
// Round trips to EC2 in the good case (the interfaces are looked up, by one or two calls, at the
// same time as the first of them where no call before has found them):
//   status    1, while the host is asked over SSH
//   assign    3: who has it, the move (route: one a table, all at once), reading back. 2 right
//   after
//             status(), which has seen who has it; 1 where it is here already. The host gets the
//             address while EC2 moves it.
//   remove    secondary_ip and route: none, SSH only. Without a shell 3; eip 2 after status().
//   check     secondary_ip 3 to 5, eip 2 or 3, route 2 + 3 a table, after the interfaces
std::unique_ptr<VipDriver> make_aws_driver(const VipSite& site, const VipSite* counterpart,
                                           RemoteShell* shell, CloudPorts ports, Ec2Api& ec2);

// One Ec2Api for all drivers of the same region, profile and authorities: its credentials, metadata
// token and connections are shared. Thread-safe.
class AwsSessions {
 public:
  explicit AwsSessions(CloudPorts ports) : ports_(ports) {}

  Ec2Api& of(const HostSettings& settings);

 private:
  CloudPorts ports_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Ec2Api>> sessions_;
};

}  // namespace mha
