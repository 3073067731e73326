// What the drivers of clouds need beside the host: the way to the interface, and where credentials
// are found.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/log.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

// A variable of the environment; nullopt where it is not set.
using Environ = std::function<std::optional<std::string>(const std::string& name)>;

// All outlive the drivers, and may be used from several threads.
struct CloudPorts {
  HttpClient& http;
  const Environ& environ;
  Clock& clock;
  Log& log;
};

}  // namespace mha
