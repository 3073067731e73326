// What is wrong with the way to log in to a host's cloud, seen before anything is asked of anybody.
#pragma once

#include "base/status.h"
#include "config/host_settings.h"
#include "vip/cloud_ports.h"

namespace mha {

// Reads what a login would read, from the environment and from files: a profile or a cloud that is
// not there, a missing region, half of a login. kConfig, "FILE: [HOST] KEY: ..."; Ok for other
// types of virtual IP.
Status check_cloud_login(const HostSettings& settings, const Environ& environ);

}  // namespace mha
