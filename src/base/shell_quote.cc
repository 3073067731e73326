// Single quotes around everything but the plainest words.
#include "base/shell_quote.h"

#include <algorithm>

namespace mha {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"_-./:@%+,"}.find(c) != std::string_view::npos;
}

}  // namespace

std::string shell_quote(std::string_view value) {
  value = value.substr(0, value.find('\0'));
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain)) {
    return std::string{value};
  }
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  quoted += '\'';
  return quoted;
}

}  // namespace mha
