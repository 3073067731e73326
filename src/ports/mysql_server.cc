// Texts of the port's values.
#include "ports/mysql_server.h"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace mha {
namespace {

constexpr std::array<std::pair<ReadOnly, std::string_view>, 4> kReadOnlyNames{{
    {ReadOnly::kOff, "OFF"},
    {ReadOnly::kOn, "ON"},
    {ReadOnly::kNoLock, "NO_LOCK"},
    {ReadOnly::kNoLockNoAdmin, "NO_LOCK_NO_ADMIN"},
}};

}  // namespace

std::string MysqlTarget::name() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::string_view to_string(ReadOnly value) {
  for (const auto& [candidate, text] : kReadOnlyNames) {
    if (candidate == value) return text;
  }
  return "OFF";
}

std::optional<ReadOnly> read_only_from_string(std::string_view text) {
  if (text == "0") return ReadOnly::kOff;
  if (text == "1") return ReadOnly::kOn;
  for (const auto& [candidate, name] : kReadOnlyNames) {
    if (name == text) return candidate;
  }
  return std::nullopt;
}

}  // namespace mha
