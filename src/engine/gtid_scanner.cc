// Characters of ASCII only: the locale has no say in what a server's text means.
#include "engine/gtid_scanner.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace mha {
namespace {

constexpr std::size_t kShown = 24;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The beginning of a text that may hold anything.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kShown)) result += c >= ' ' && c <= '~' ? c : '?';
  return fmt::format("'{}{}'", result, text.size() > kShown ? "..." : "");
}

}  // namespace

void GtidScanner::skip(std::string_view characters) {
  next_ = std::min(text_.find_first_not_of(characters, next_), text_.size());
}

bool GtidScanner::take(char character) {
  if (at_end() || text_[next_] != character) return false;
  ++next_;
  return true;
}

std::string_view GtidScanner::take_word() {
  const std::size_t begin = next_;
  while (!at_end() && is_word(text_[next_])) ++next_;
  return text_.substr(begin, next_ - begin);
}

std::optional<std::uint64_t> GtidScanner::take_number(std::uint64_t most) {
  std::uint64_t number = 0;
  std::size_t end = next_;
  for (; end < text_.size() && is_digit(text_[end]); ++end) {
    const auto digit = static_cast<std::uint64_t>(text_[end] - '0');
    if (number > most / 10 || number * 10 > most - digit) return std::nullopt;
    number = number * 10 + digit;
  }
  if (end == next_) return std::nullopt;
  next_ = end;
  return number;
}

Error GtidScanner::error(std::string_view what, std::string_view wanted) const {
  return Error{Code::kInternal,
               fmt::format("{} is malformed at character {}: wanted {}, found {}", what, next_ + 1,
                           wanted, at_end() ? "its end" : shown(text_.substr(next_)))};
}

Status GtidScanner::check_size(std::string_view what) const {
  if (text_.size() <= kMaxGtidText) return {};
  return Error{Code::kInternal, fmt::format("{} of {} bytes is longer than any server's ({} bytes)",
                                            what, text_.size(), kMaxGtidText)};
}

}  // namespace mha
