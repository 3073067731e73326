// Splitting of single lines. The rules were found by experiment with Python 2.7.18 and Config::Tiny
// 2.28, and the tests hold them against the latter.
#include "config/ini_dialect.h"

#include "config/ascii.h"

namespace mha {
namespace {

std::string_view without_tiny_comment(std::string_view line) {
  for (std::size_t i = 0; i + 3 < line.size(); ++i) {
    if (is_space(line[i]) && line[i + 1] == ';' && is_space(line[i + 2])) {
      return line.substr(0, i);
    }
  }
  return line;
}

// Only the value's first semicolon counts. ConfigParser looked at the wrong character where it is
// also the value's first one; there we take what was meant, a comment.
std::string_view without_parser_comment(std::string_view value) {
  const auto semicolon = value.find(';');
  const bool comment =
      semicolon != std::string_view::npos && (semicolon == 0 || is_space(value[semicolon - 1]));
  return comment ? value.substr(0, semicolon) : value;
}

bool begins_with_rem(std::string_view line) {
  const auto is_letter = [line](std::size_t i, char lower) { return (line[i] | 0x20) == lower; };
  return line.size() >= 3 && is_letter(0, 'r') && is_letter(1, 'e') && is_letter(2, 'm') &&
         (line.size() == 3 || is_space(line[3]));
}

std::optional<std::string_view> non_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

bool is_comment_or_blank(IniDialect dialect, std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.empty() || text.front() == '#' || text.front() == ';' ||
         (dialect == IniDialect::kConfigParser && begins_with_rem(line));
}

std::optional<std::string_view> section_name(IniDialect dialect, std::string_view line) {
  if (dialect == IniDialect::kConfigTiny) {
    const std::string_view text = trimmed(without_tiny_comment(line));
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') {
      return std::nullopt;
    }
    return non_empty(trimmed(text.substr(1, text.size() - 2)));
  }
  const auto end = line.find(']');
  if (line.empty() || line.front() != '[' || end == std::string_view::npos) {
    return std::nullopt;
  }
  return non_empty(trimmed(line.substr(1, end - 1)));
}

std::optional<KeyAndValue> key_and_value(IniDialect dialect, std::string_view line) {
  const bool tiny = dialect == IniDialect::kConfigTiny;
  const std::string_view text = tiny ? without_tiny_comment(line) : line;
  const auto delimiter = text.find_first_of(tiny ? "=" : "=:");
  if (delimiter == std::string_view::npos) {
    return std::nullopt;
  }
  KeyAndValue pair{trimmed(text.substr(0, delimiter)), trimmed(text.substr(delimiter + 1))};
  if (!tiny) {
    pair.value = trimmed(without_parser_comment(pair.value));
    if (pair.value == "\"\"") {
      pair.value = {};
    }
  }
  return pair.key.empty() ? std::nullopt : std::optional(pair);
}

}  // namespace mha
