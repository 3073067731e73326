// Where an option is written, for what is wrong with it and was not seen when its file was read.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "config/host_settings.h"

namespace mha {

// "FILE: [HOST] KEY"
inline std::string place_of(const HostSettings& settings, std::string_view key) {
  return fmt::format("{}: [{}] {}", settings.file, settings.host, key);
}

}  // namespace mha
