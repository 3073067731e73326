// The text of MySQL's GTID sets, and the sets' algebra source by source.
#include "engine/mysql_gtid_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/gtid_scanner.h"

namespace mha {
namespace {

constexpr std::string_view kWhat = "GTID set";
constexpr std::string_view kSpace = " \t\n\v\f\r";
constexpr std::size_t kMaxTag = 32;
constexpr std::size_t kUuidDigits = 32;
constexpr std::array<std::size_t, 4> kGroupEnds{8, 12, 16, 20};  // in digits

// -1 where it is none.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool ends_group(std::size_t digits) {
  return std::ranges::find(kGroupEnds, digits) != kGroupEnds.end();
}

std::string uuid_text(const std::array<std::uint8_t, 16>& uuid) {
  std::string text;
  for (std::size_t byte = 0; byte < uuid.size(); ++byte) {
    if (ends_group(2 * byte)) text += '-';
    text += fmt::format("{:02x}", uuid[byte]);
  }
  return text;
}

}  // namespace

class MysqlGtidParser {
 public:
  explicit MysqlGtidParser(std::string_view text) : scanner_(text) {}

  Result<MysqlGtidSet> parse() {
    if (const Status size = scanner_.check_size(kWhat); !size.ok()) return size.error();
    for (skip_separators(); !scanner_.at_end(); skip_separators()) {
      const Status read = read_uuid_and_all_behind();
      if (!read.ok()) return read.error();
    }
    MysqlGtidSet set;
    for (auto& [source, intervals] : found_) {
      if (!intervals.empty()) set.sources_.emplace(source, GnoIntervals{std::move(intervals)});
    }
    return set;
  }

 private:
  void skip_space() { scanner_.skip(kSpace); }
  void skip_separators() { scanner_.skip(" \t\n\v\f\r,"); }

  Status read_uuid_and_all_behind() {
    MysqlGtidSet::Source source;
    const GtidScanner before = scanner_;
    const auto uuid = read_uuid();
    if (!uuid.has_value()) return before.error(kWhat, "a UUID");
    source.uuid = *uuid;
    std::vector<GnoInterval>* intervals = nullptr;
    for (skip_space(); scanner_.take(':'); skip_space()) {
      skip_space();
      if (scanner_.peek() >= '0' && scanner_.peek() <= '9') {
        if (intervals == nullptr) intervals = &found_[source];
        const Status read = read_interval(*intervals);
        if (!read.ok()) return read;
      } else {
        const Status read = read_tag(source.tag);
        if (!read.ok()) return read;
        intervals = nullptr;
      }
    }
    if (scanner_.at_end() || scanner_.peek() == ',') return {};
    return scanner_.error(kWhat, "':' or ','");
  }

  // The scanner's place means nothing where there is no UUID.
  std::optional<std::array<std::uint8_t, 16>> read_uuid() {
    std::array<std::uint8_t, 16> uuid{};
    const bool in_braces = scanner_.take('{');
    bool has_dashes = false;
    for (std::size_t digits = 0; digits < kUuidDigits; ++digits) {
      // All of the four dashes, or none.
      if (ends_group(digits)) {
        const bool is_dash = scanner_.take('-');
        if (digits == kGroupEnds.front()) has_dashes = is_dash;
        if (is_dash != has_dashes) return std::nullopt;
      }
      const int value = hex_value(scanner_.peek());
      if (value < 0) return std::nullopt;
      scanner_.pass_one();
      uuid[digits / 2] = static_cast<std::uint8_t>(uuid[digits / 2] << 4 | value);
    }
    if (in_braces && !scanner_.take('}')) return std::nullopt;
    return uuid;
  }

  Status read_tag(std::string& tag) {
    const GtidScanner before = scanner_;
    tag = std::string{scanner_.take_word()};
    for (char& c : tag) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!tag.empty() && tag.size() <= kMaxTag) return {};
    return before.error(kWhat, "a number, or a tag of up to 32 letters, digits and underscores");
  }

  Status read_interval(std::vector<GnoInterval>& intervals) {
    const GtidScanner before = scanner_;
    const auto first = scanner_.take_number(kMaxGno);
    if (first.value_or(0) == 0) {
      return before.error(kWhat, fmt::format("a number from 1 to {}", kMaxGno));
    }
    std::uint64_t last = *first;
    skip_space();
    if (scanner_.take('-')) {
      skip_space();
      const auto end = scanner_.take_number(kMaxGno);
      if (!end.has_value()) return scanner_.error(kWhat, fmt::format("a number up to {}", kMaxGno));
      last = *end;
    }
    if (*first <= last) intervals.push_back({*first, last});
    return {};
  }

  GtidScanner scanner_;
  std::map<MysqlGtidSet::Source, std::vector<GnoInterval>> found_;
};

Result<MysqlGtidSet> MysqlGtidSet::parse(std::string_view text) {
  return MysqlGtidParser{text}.parse();
}

std::optional<std::uint64_t> MysqlGtidSet::count() const {
  std::uint64_t count = 0;
  for (const auto& [source, intervals] : sources_) {
    const std::uint64_t more = intervals.count();
    if (more > std::numeric_limits<std::uint64_t>::max() - count) return std::nullopt;
    count += more;
  }
  return count;
}

bool MysqlGtidSet::contains(const MysqlGtidSet& other) const {
  for (const auto& [source, theirs] : other.sources_) {
    const auto ours = sources_.find(source);
    if (ours == sources_.end() || !ours->second.contains(theirs)) return false;
  }
  return true;
}

std::string MysqlGtidSet::text_with(std::string_view separator) const {
  std::string text;
  const Source* before = nullptr;
  for (const auto& [source, intervals] : sources_) {
    if (before == nullptr || before->uuid != source.uuid) {
      if (before != nullptr) text += separator;
      text += uuid_text(source.uuid);
    }
    if (!source.tag.empty()) text += ":" + source.tag;
    for (const GnoInterval& interval : intervals.list()) {
      text += fmt::format(":{}", interval.first);
      if (interval.last != interval.first) text += fmt::format("-{}", interval.last);
    }
    before = &source;
  }
  return text;
}

MysqlGtidSet union_of(const MysqlGtidSet& one, const MysqlGtidSet& two) {
  MysqlGtidSet result = one;
  for (const auto& [source, theirs] : two.sources_) {
    GnoIntervals& ours = result.sources_[source];
    ours = union_of(ours, theirs);
  }
  return result;
}

MysqlGtidSet difference_of(const MysqlGtidSet& from, const MysqlGtidSet& what) {
  MysqlGtidSet result;
  for (const auto& [source, ours] : from.sources_) {
    const auto theirs = what.sources_.find(source);
    GnoIntervals left = theirs == what.sources_.end() ? ours : difference_of(ours, theirs->second);
    if (!left.empty()) result.sources_.emplace_hint(result.sources_.end(), source, std::move(left));
  }
  return result;
}

MysqlGtidSet intersection_of(const MysqlGtidSet& one, const MysqlGtidSet& two) {
  MysqlGtidSet result;
  for (const auto& [source, ours] : one.sources_) {
    const auto theirs = two.sources_.find(source);
    if (theirs == two.sources_.end()) continue;
    GnoIntervals both = intersection_of(ours, theirs->second);
    if (!both.empty()) result.sources_.emplace_hint(result.sources_.end(), source, std::move(both));
  }
  return result;
}

}  // namespace mha
