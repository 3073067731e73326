// The logins of a program's OpenStack drivers: one for each cloud and region.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "config/host_settings.h"
#include "vip/cloud_ports.h"
#include "vip/keystone.h"

namespace mha {

// Thread-safe; outlives the drivers.
class OpenstackSessions {
 public:
  explicit OpenstackSessions(CloudPorts ports) : ports_(ports) {}

  // The same one for all hosts whose settings lead to the same login. Reads no file and asks
  // nobody: that is for its first use.
  KeystoneSession& session_of(const HostSettings& settings);

 private:
  const CloudPorts ports_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<KeystoneSession>> sessions_;
};

}  // namespace mha
