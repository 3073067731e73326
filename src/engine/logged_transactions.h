// Transactions in the events of a log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "engine/binlog_events.h"
#include "engine/mariadb_gtid_set.h"

namespace mha {

struct LoggedTransaction {
  std::string gtid;                    // empty: it has none
  std::optional<MariadbGtid> mariadb;  // likewise
  bool loads_file = false;  // LOAD DATA as a statement: its data come in a file of their own
  std::uint64_t begin = 0;  // offset of its first event in the file that it begins in
  std::uint64_t end = 0;    // behind its last event, in the file that this is in
};

// Of events in order, through as many files as there are: a transaction of a relay log may go on in
// the next one.
class TransactionScanner {
 public:
  // The transaction that this event ends.
  std::optional<LoggedTransaction> take(const BinlogEvent& event);
  // Whether events of an unfinished one have come.
  [[nodiscard]] bool open() const { return open_.has_value(); }
  void drop() { open_.reset(); }
  // How many have begun so far: goes up with the event that begins one.
  [[nodiscard]] std::uint64_t begun() const { return begun_; }

 private:
  enum class Kind { kUnknown, kStandalone, kUntilCommit };
  struct Open {
    LoggedTransaction transaction;
    Kind kind = Kind::kUnknown;
  };

  void begin(const BinlogEvent& event);
  bool ends_with(const BinlogEvent& event);
  bool query_ends(const BinlogEvent& event);

  std::optional<Open> open_;
  std::uint64_t begun_ = 0;
};

}  // namespace mha
