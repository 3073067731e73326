// User names and passwords as MHA escapes them, and our own quoting for a shell.
#include <cctype>

#include "base/shell_quote.h"
#include "cli/mha_escape.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

// The characters of MHA's escape_for_shell (NodeUtil.pm).
std::string escaped(std::string_view plain) {
  static constexpr std::string_view kSpecial = "\\`'\"$!&|;<>()[]{}*?~#% \t";
  std::string text;
  for (const char c : plain) {
    if (kSpecial.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

// What sh(1) makes of one word of single quotes and of backslashes outside of them.
std::string unquoted(std::string_view word) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      quoted = !quoted;
    } else if (!quoted && word[i] == '\\' && i + 1 < word.size()) {
      text += word[++i];
    } else {
      static constexpr std::string_view kSafe = "%+,-./:=@_";
      const auto c = static_cast<unsigned char>(word[i]);
      must(quoted || std::isalnum(c) != 0 || kSafe.find(word[i]) != std::string_view::npos,
           "what a shell may take for something stands in quotes");
      text += word[i];
    }
  }
  must(!quoted, "quotes are closed");
  return text;
}

}  // namespace

void try_input(std::string_view input) {
  const std::string decoded = decode_mha_escape(input);
  must(decoded.size() <= input.size(), "decoding takes away");
  must(decode_mha_escape(escaped(input)) == input, "what MHA escapes comes back");
  const std::string_view said = input.substr(0, input.find('\0'));
  must(unquoted(shell_quote(input)) == said, "what we quote arrives");
}

}  // namespace mha::fuzz
