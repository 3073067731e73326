// Names of binary logs taken apart.
#include "engine/binlog_position.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/gtid_scanner.h"

namespace mha {
namespace {

constexpr std::uint64_t kMaxNumber = 0x7FFFFFFF;
constexpr std::size_t kMaxName = 512;  // FN_REFLEN of the servers' my_global.h

// Decimal digits and nothing else.
std::optional<std::uint64_t> whole_number(std::string_view text, std::uint64_t most) {
  GtidScanner scanner{text};
  const auto number = scanner.take_number(most);
  return scanner.at_end() ? number : std::nullopt;
}

bool is_plain(std::string_view name) {
  return std::ranges::none_of(
      name, [](char c) { return c == '/' || static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

Error bad_name(std::string_view file) {
  // A name that is not plain is not repeated either: it may hold anything.
  const std::string shown =
      file.size() <= kMaxName && is_plain(file) ? fmt::format("'{}'", file) : "this";
  return Error{Code::kInternal,
               fmt::format("{} is not the name of a binary log, as mysql-bin.000001 is", shown)};
}

}  // namespace

Result<BinlogPosition> BinlogPosition::make(std::string_view file, std::uint64_t offset) {
  const std::size_t dot = file.rfind('.');
  if (file.size() > kMaxName || !is_plain(file) || dot == std::string_view::npos || dot == 0) {
    return bad_name(file);
  }
  const auto number = whole_number(file.substr(dot + 1), kMaxNumber);
  if (!number.has_value()) return bad_name(file);
  return BinlogPosition{file, dot, static_cast<std::uint32_t>(*number), offset};
}

Result<BinlogPosition> BinlogPosition::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_name(text);
  const auto offset =
      whole_number(text.substr(colon + 1), std::numeric_limits<std::uint64_t>::max());
  if (!offset.has_value()) {
    return Error{Code::kInternal,
                 "a binary log position has no offset in bytes behind its last colon"};
  }
  return make(text.substr(0, colon), *offset);
}

std::string BinlogPosition::text() const { return fmt::format("{}:{}", file_, offset_); }

std::partial_ordering operator<=>(const BinlogPosition& one, const BinlogPosition& two) {
  if (one.base() != two.base()) return std::partial_ordering::unordered;
  if (one.number_ != two.number_) return one.number_ <=> two.number_;
  return one.offset_ <=> two.offset_;
}

}  // namespace mha
