// What a MariaDB server's binary log holds: of each domain, the last transaction of every server.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "engine/mariadb_gtid_set.h"

namespace mha {

// gtid_binlog_state. It tells what a position cannot: whether the transaction at another server's
// position is in this log, or this log went another way. The server itself decides by it whether a
// replica may connect (error 1236 otherwise).
class MariadbBinlogState {
 public:
  MariadbBinlogState() = default;

  // The server's form: as a position, but with several servers in a domain; the last named of each
  // domain is the newest in the log. The same server twice in a domain is an error, which no server
  // prints. Errors as those of MariadbGtidPosition::parse.
  static Result<MariadbBinlogState> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return last_.empty(); }
  // gtid_binlog_pos: the newest of each domain.
  [[nodiscard]] MariadbGtidPosition position() const;
  // Whether this transaction was written to the log, now purged or not: where numbers ascend for
  // each server in a domain, as they do unless somebody sets gtid_seq_no by hand.
  [[nodiscard]] bool has(const MariadbGtid& gtid) const;
  // Whether the transactions at all domains of the position are in the log, and so what leads
  // there.
  [[nodiscard]] bool has_everything_up_to(const MariadbGtidPosition& position) const;
  // Of two logs; each beside the other's position and all that the other's servers wrote.
  [[nodiscard]] GtidStanding standing_beside(const MariadbBinlogState& other) const;

  // Ascending by domain and server, the newest of each domain last. The server prints the servers
  // in an order of its own, the newest last as well, and takes any order.
  [[nodiscard]] std::string text() const;

  bool operator==(const MariadbBinlogState&) const = default;

 private:
  [[nodiscard]] bool has_all_of(const MariadbBinlogState& other) const;

  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>
      last_;                                       // (domain, server): seqno
  std::map<std::uint32_t, std::uint32_t> newest_;  // domain: server
};

}  // namespace mha
