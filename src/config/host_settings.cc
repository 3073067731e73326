// Text of an address with its prefix length.
#include "config/host_settings.h"

#include <fmt/core.h>

namespace mha {

std::string Cidr::text() const { return fmt::format("{}/{}", address, prefix_length); }

}  // namespace mha
