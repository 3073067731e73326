// The driver for clusters without a virtual IP: there is nothing to move.
#pragma once

#include <memory>

#include "ports/vip_driver.h"

namespace mha {

std::unique_ptr<VipDriver> make_none_driver();

}  // namespace mha
