// What a MariaDB server's binary log holds: of each domain, the last transaction of every server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/mariadb_gtid_set.h"

namespace mha {

// gtid_binlog_state. It tells what a position cannot: whether the transaction at another server's
// position is in this log, or this log went another way. The server itself decides by it whether a
// replica may connect (error 1236 otherwise). It does not tell which of a domain's transactions is
// the newest: 10.11 and 11.8 print a domain's servers in no order that one could rely on (10 of
// them are enough to see it), and only gtid_binlog_pos knows.
class MariadbBinlogState {
 public:
  MariadbBinlogState() = default;

  // The server's form: as a position, but with several servers in a domain, in any order. The same
  // server twice in a domain is an error, which no server prints. Errors as those of
  // MariadbGtidPosition::parse.
  static Result<MariadbBinlogState> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return last_.empty(); }
  // Whether this transaction was written to the log, now purged or not: where numbers ascend for
  // each server in a domain, as they do unless somebody sets gtid_seq_no by hand.
  [[nodiscard]] bool has(const MariadbGtid& gtid) const;
  // Whether the transactions at all domains of the position are in the log, and so what leads
  // there.
  [[nodiscard]] bool has_everything_up_to(const MariadbGtidPosition& position) const;
  // (domain, server, seqno), by domain and server.
  [[nodiscard]] std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>> entries()
      const;
  // Of two logs; each beside the other's position and all that the other's servers wrote.
  [[nodiscard]] GtidStanding standing_beside(const MariadbBinlogState& other) const;

  // By domain, and there by number: where numbers ascend in a domain, the newest is its last, as
  // SET GLOBAL gtid_binlog_state expects it.
  [[nodiscard]] std::string text() const;

  bool operator==(const MariadbBinlogState&) const = default;

 private:
  [[nodiscard]] bool has_all_of(const MariadbBinlogState& other) const;

  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>
      last_;  // (domain, server): seqno
};

}  // namespace mha
