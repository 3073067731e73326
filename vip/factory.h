// The driver that a host's settings ask for.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "config/host_settings.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"

namespace mha {

// `shell` is borrowed and may be nullptr. Never nullptr: types that are not built are refused when
// the configuration is loaded.
std::unique_ptr<VipDriver> make_vip_driver(const HostSettings& settings, const std::string& host,
                                           RemoteShell* shell, Clock& clock, Log& log);

}  // namespace mha
