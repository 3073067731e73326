// URLs of interfaces that people write into the environment and into files.
#pragma once

#include <string>

#include "base/status.h"

namespace mha {

// kConfig, what is wrong with it and what to write, without the URL itself: it may hold a password.
Status check_cloud_url(const std::string& url);

}  // namespace mha
