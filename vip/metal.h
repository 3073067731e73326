// The metal driver: the virtual IP as an address of a network interface, set with `ip addr` over
// SSH.
#pragma once

#include <memory>

#include "base/log.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"
#include "vip/metal_script.h"

namespace mha {

// `shell` is borrowed; with nullptr only the commands by hand can be asked for, the rest is
// kUnreachable.
std::unique_ptr<VipDriver> make_metal_driver(MetalPlace place, std::string host, RemoteShell* shell,
                                             Clock& clock, Log& log);

}  // namespace mha
