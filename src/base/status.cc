// Names of the codes, and context for errors.
#include "base/status.h"

#include <fmt/core.h>

namespace mha {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kUsage:
      return "usage";
    case Code::kConfig:
      return "config";
    case Code::kUnreachable:
      return "unreachable";
    case Code::kDenied:
      return "denied";
    case Code::kTimeout:
      return "timeout";
    case Code::kRefused:
      return "refused";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::with_context(std::string_view context) const {
  return Error{code, fmt::format("{}: {}", context, message)};
}

}  // namespace mha
