// MariaDB's GTID positions: the last transaction of each replication domain, and who has more of
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mha {

// domain-server-seqno; the numbers ascend within a domain.
struct MariadbGtid {
  std::uint32_t domain = 0;
  std::uint32_t server = 0;
  std::uint64_t seqno = 0;

  [[nodiscard]] std::string text() const;
  bool operator==(const MariadbGtid&) const = default;
};

// How far one server is, seen from it beside another.
enum class GtidStanding {
  kEqual,
  kAhead,     // has all that the other has, and more
  kBehind,    // the other has all that this one has, and more
  kDiverged,  // each has something that the other has not
};
std::string_view to_string(GtidStanding standing);

// What gtid_slave_pos, gtid_binlog_pos and gtid_current_pos say: of each domain the one GTID up to
// which everything is there. Source: MariaDB's manual, "Global Transaction ID", and the behaviour
// of 10.11 and 11.8.
//
// A position does not tell which servers' transactions led up to it. Two positions in one domain
// with the same number of different servers have certainly diverged; with different numbers the
// higher is taken to be ahead, as MASTER_GTID_WAIT takes it. Where a binary log may hold
// transactions of its own, ask MariadbBinlogState.
class MariadbGtidPosition {
 public:
  MariadbGtidPosition() = default;

  // The server's form: domain-server-seqno, separated by commas, blanks and tabs before a number,
  // one of a domain. An error is kInternal, one short line that names the place.
  static Result<MariadbGtidPosition> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return last_.empty(); }
  // The domain's GTID, where there is one.
  [[nodiscard]] std::optional<MariadbGtid> at(std::uint32_t domain) const;
  // By domain.
  [[nodiscard]] const std::map<std::uint32_t, MariadbGtid>& domains() const { return last_; }
  // Whether everything up to `other` is here, in each of its domains.
  [[nodiscard]] bool has_everything_up_to(const MariadbGtidPosition& other) const;
  [[nodiscard]] GtidStanding standing_beside(const MariadbGtidPosition& other) const;

  // As the server prints it, and takes it: by domain.
  [[nodiscard]] std::string text() const;

  bool operator==(const MariadbGtidPosition&) const = default;

 private:
  std::map<std::uint32_t, MariadbGtid> last_;
};

}  // namespace mha
