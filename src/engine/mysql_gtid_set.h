// MySQL's GTID sets (gtid_executed and its like), compared and computed as the server does it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/status.h"
#include "engine/gno_intervals.h"

namespace mha {

// Transactions as UUID:INTERVAL[:INTERVAL]..., and since MySQL 8.3 UUID:TAG:INTERVAL as well; what
// has a tag is another transaction than what has the same number without. Every operation costs by
// intervals, never by transactions. Source: MySQL 9.7's manual, "GTID Format and Storage", and the
// behaviour of 5.6.24 and 9.7.4.
class MysqlGtidSet {
 public:
  MysqlGtidSet() = default;

  // All that MySQL 9.7 takes: white space of any kind between the parts, empty parts between
  // commas, UUIDs in capitals, in braces or without dashes, several tags behind one UUID, intervals
  // in any order; 5-3 is an interval without transactions. Also what 5.6 prints. An error is
  // kInternal, one short line that names the place.
  static Result<MysqlGtidSet> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return sources_.empty(); }
  // How many transactions; nullopt where 64 bits do not hold it.
  [[nodiscard]] std::optional<std::uint64_t> count() const;
  // Whether all of `other` is here; the server's GTID_SUBSET(other, this).
  [[nodiscard]] bool contains(const MysqlGtidSet& other) const;

  // As the server prints it, a line for each UUID. Every server takes it, unless there are tags
  // that it does not know.
  [[nodiscard]] std::string text() const { return text_with(",\n"); }
  // The same on one line, for messages and logs.
  [[nodiscard]] std::string one_line() const { return text_with(","); }

  bool operator==(const MysqlGtidSet&) const = default;

  friend MysqlGtidSet union_of(const MysqlGtidSet& one, const MysqlGtidSet& two);
  // What is in `from` and not in `what`; the server's GTID_SUBTRACT.
  friend MysqlGtidSet difference_of(const MysqlGtidSet& from, const MysqlGtidSet& what);
  friend MysqlGtidSet intersection_of(const MysqlGtidSet& one, const MysqlGtidSet& two);

 private:
  // In the server's order: by UUID, then by tag.
  struct Source {
    std::array<std::uint8_t, 16> uuid{};
    std::string tag;  // in small letters; empty where there is none
    bool operator==(const Source&) const = default;
    bool operator<(const Source& other) const {
      return std::tie(uuid, tag) < std::tie(other.uuid, other.tag);
    }
  };

  friend class MysqlGtidParser;
  [[nodiscard]] std::string text_with(std::string_view separator) const;

  std::map<Source, GnoIntervals> sources_;  // none without transactions
};

}  // namespace mha
