// Base64, the event header, and the one flag that is set.
#include "base/row_statement.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/crc32.h"

namespace mha {
namespace {

constexpr std::size_t kHeader = 19;
constexpr std::size_t kTypeAt = 4;
constexpr std::size_t kSizeAt = 9;
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kRowFlagsAt = kHeader + 6;  // behind the table's number
constexpr unsigned kStatementEnd = 1;
constexpr unsigned kFormatDescription = 15;
constexpr unsigned kTableMap = 19;

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    values.at(static_cast<unsigned char>(kLetters[i])) = static_cast<std::int8_t>(i);
  }
  return values;
}

void append_decoded(std::string& bytes, std::string_view line) {
  static constexpr std::array<std::int8_t, 256> kValues = make_values();
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : line) {
    const std::int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) continue;  // the padding, a carriage return
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
}

// In lines of 76, as mysqlbinlog has them, with a newline behind the last.
void append_encoded(std::string& text, std::string_view bytes) {
  constexpr std::size_t kLine = 57;
  while (!bytes.empty()) {
    std::string_view line = bytes.substr(0, kLine);
    bytes.remove_prefix(line.size());
    while (!line.empty()) {
      const std::string_view group = line.substr(0, 3);
      line.remove_prefix(group.size());
      std::uint32_t bits = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        text += i <= group.size() ? kLetters[bits >> (18 - 6 * i) & 63U] : '=';
      }
    }
    text += '\n';
  }
}

std::uint32_t four_bytes(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

std::string statement_of(std::string_view lines) {
  std::string statement = "BINLOG '\n";
  statement += lines;
  statement += '\'';
  return statement;
}

}  // namespace

unsigned RowStatement::Event::type() const { return static_cast<unsigned char>(bytes[kTypeAt]); }

// MySQL's of both versions and its partial updates; MariaDB's, compressed ones too.
bool RowStatement::Event::has_rows() const {
  const unsigned found = type();
  return (found >= 23 && found <= 25) || (found >= 30 && found <= 32) || found == 39 ||
         (found >= 166 && found <= 171);
}

std::optional<std::string> RowStatement::add_line(std::string_view line) {
  lines_ += line;
  lines_ += '\n';
  if (lines_.size() < std::max(limit_, wanted_)) return std::nullopt;
  std::vector<Event> events = take_events();
  const auto last = std::find_if(events.rbegin(), events.rend(),
                                 [](const Event& event) { return event.has_rows(); });
  if (last == events.rend()) {
    // Nothing to cut behind: back with them, and on to twice as much.
    std::string lines;
    for (const Event& event : events) append_encoded(lines, event.bytes);
    lines_.insert(0, lines);
    wanted_ = lines_.size() * 2;
    return std::nullopt;
  }
  wanted_ = 0;
  // Maps behind the last rows are for the next part.
  std::vector<Event> behind{std::make_move_iterator(last.base()),
                            std::make_move_iterator(events.end())};
  events.erase(last.base(), events.end());
  end_statement(events.back());
  std::string part = part_of(events);
  std::string lines;
  for (const Event& event : behind) append_encoded(lines, event.bytes);
  lines_.insert(0, lines);
  cut_ = true;
  return part;
}

std::optional<std::string> RowStatement::finish() {
  std::optional<std::string> rest;
  if (!cut_) {
    note_checksum(lines_);
    rest = statement_of(lines_);
  } else if (!lines_.empty()) {
    std::string lines;
    for (const Event& map : maps_) append_encoded(lines, map.bytes);
    rest = statement_of(lines + lines_);
  }
  // Large for once is not to be held for ever.
  lines_ = {};
  wanted_ = 0;
  maps_.clear();
  cut_ = false;
  return rest;
}

// mysqlbinlog encodes each event by itself, beginning on a new line.
std::vector<RowStatement::Event> RowStatement::take_events() {
  std::vector<Event> events;
  std::string bytes;
  std::size_t done = 0;
  for (std::size_t at = 0; at < lines_.size();) {
    const std::size_t end = lines_.find('\n', at);
    append_decoded(bytes, std::string_view{lines_}.substr(at, end - at));
    at = end + 1;
    if (bytes.size() < kHeader || bytes.size() < four_bytes(bytes, kSizeAt)) continue;
    events.push_back({std::exchange(bytes, {})});
    done = at;
  }
  lines_.erase(0, done);
  return events;
}

std::string RowStatement::part_of(const std::vector<Event>& events) {
  std::string lines;
  for (const Event& map : maps_) append_encoded(lines, map.bytes);
  for (const Event& event : events) {
    append_encoded(lines, event.bytes);
    if (event.type() == kTableMap) maps_.push_back(event);
  }
  return statement_of(lines);
}

void RowStatement::end_statement(Event& event) const {
  std::string& bytes = event.bytes;
  const std::size_t checksum = has_checksums_ ? kChecksum : 0;
  if (bytes.size() < kRowFlagsAt + 2 + checksum) return;
  bytes[kRowFlagsAt] =
      static_cast<char>(static_cast<unsigned char>(bytes[kRowFlagsAt]) | kStatementEnd);
  if (!has_checksums_) return;
  const std::size_t end = bytes.size() - kChecksum;
  const std::uint32_t crc = crc32_of(0, std::string_view{bytes}.substr(0, end));
  for (std::size_t i = 0; i < kChecksum; ++i) {
    bytes[end + i] = static_cast<char>(crc >> (8 * i) & 0xFFU);
  }
}

// A format description has the kind of checksum before its own checksum.
void RowStatement::note_checksum(const std::string& lines) {
  std::string bytes;
  std::size_t at = 0;
  while (at < lines.size() && bytes.size() < kHeader) {
    const std::size_t end = lines.find('\n', at);
    append_decoded(bytes, std::string_view{lines}.substr(at, end - at));
    at = end + 1;
  }
  if (bytes.size() < kHeader || Event{bytes}.type() != kFormatDescription) return;
  while (at < lines.size()) {
    const std::size_t end = lines.find('\n', at);
    append_decoded(bytes, std::string_view{lines}.substr(at, end - at));
    at = end + 1;
  }
  if (bytes.size() != four_bytes(bytes, kSizeAt)) return;
  has_checksums_ = bytes[bytes.size() - kChecksum - 1] == '\x01';
}

}  // namespace mha
