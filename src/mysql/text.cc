// UTF-8 after RFC 3629.
#include "mysql/text.h"

#include <algorithm>

namespace mha {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// The length of the well-formed character at the start of `text`; 0 where there is none.
std::size_t character_length(std::string_view text) {
  const unsigned char lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  // The second byte's range shuts out overlong forms, surrogates, and what lies above U+10FFFF.
  unsigned char least = 0x80;
  unsigned char most = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) least = 0xA0;
    if (lead == 0xED) most = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) least = 0x90;
    if (lead == 0xF4) most = 0x8F;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  if (byte_at(text, 1) < least || byte_at(text, 1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte_at(text, i) < 0x80 || byte_at(text, i) > 0xBF) return 0;
  }
  return length;
}

}  // namespace

std::string valid_utf8(std::string_view text, std::size_t most_bytes) {
  std::string valid;
  valid.reserve(std::min(text.size(), most_bytes));
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (valid.size() + taken > most_bytes) break;
    if (length == 0) {
      valid += '?';
    } else {
      valid += text.substr(0, length);
    }
    text.remove_prefix(taken);
  }
  return valid;
}

std::string one_line(std::string_view text) {
  std::string line;
  bool gap = false;
  for (const char c : valid_utf8(text)) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7F') {
      gap = true;
      continue;
    }
    if (gap && !line.empty()) line += ' ';
    gap = false;
    line += c;
  }
  return line;
}

std::string without_newlines(std::string text) {
  std::erase(text, '\n');
  return text;
}

}  // namespace mha
