// How a remark about a configuration file reads.
#include "config/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

namespace mha {
namespace {

constexpr std::size_t kShown = 80;

}  // namespace

std::string Diagnostic::text() const {
  std::string out = line > 0 ? fmt::format("{}:{}: ", file, line) : fmt::format("{}: ", file);
  if (!section.empty()) {
    out += fmt::format("[{}] ", section);
  }
  if (!key.empty()) {
    out += fmt::format("{}: ", key);
  }
  return out + message;
}

bool has_error(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

Error config_error(const std::vector<Diagnostic>& diagnostics) {
  const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::kError; };
  const auto first = std::find_if(diagnostics.begin(), diagnostics.end(), is_error);
  if (first == diagnostics.end()) {
    return Error{Code::kInternal, "a configuration file was refused without a reason"};
  }
  const auto more = std::count_if(diagnostics.begin(), diagnostics.end(), is_error) - 1;
  return Error{Code::kConfig, more == 0
                                  ? first->text()
                                  : fmt::format("{} (and {} more error{} in the configuration)",
                                                first->text(), more, more == 1 ? "" : "s")};
}

std::string without_controls(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string printable(std::string_view text) {
  const std::string out = without_controls(std::string{text.substr(0, kShown)});
  return text.size() > kShown ? out + "..." : out;
}

}  // namespace mha
