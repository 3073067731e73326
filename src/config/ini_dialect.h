// What one line of a configuration file means to the program that its users wrote it for.
#pragma once

#include <optional>
#include <string_view>

namespace mha {

// kConfigParser: Python 2's ConfigParser.RawConfigParser, which read the suite's own files before
// us.
//   `key = value` or `key: value`, the first of the two characters; a value ends before its first
//   semicolon where white space stands before that; a value of two double quotes is empty; text
//   after a section's bracket is ignored; a line that begins with the word `rem` is a comment; an
//   indented line continues the value above.
// kConfigTiny: perl's Config::Tiny, by which MHA reads its own. `key = value` only; white space,
//   semicolon, white space and at least one more character begin a comment, everywhere in a line;
//   every other character is the value's own: quotes, backslashes, `#`, `:`, `=`.
// Both trim white space, and take lines that begin with `#` or `;` as comments.
enum class IniDialect { kConfigParser, kConfigTiny };

struct KeyAndValue {
  std::string_view key;
  std::string_view value;
};

// Views into `line`, which has no line end.
std::optional<KeyAndValue> key_and_value(IniDialect dialect, std::string_view line);
std::optional<std::string_view> section_name(IniDialect dialect, std::string_view line);
bool is_comment_or_blank(IniDialect dialect, std::string_view line);

}  // namespace mha
