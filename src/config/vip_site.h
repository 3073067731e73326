// A database host as a driver of virtual IPs gets to know it.
#pragma once

#include <string>

#include "config/host_settings.h"

namespace mha {

struct VipSite {
  HostSettings settings;
  std::string host;  // as MHA named it
  std::string ip;    // its address as MHA named it; empty where MHA gave none
};

}  // namespace mha
