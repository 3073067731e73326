// What begins and ends a transaction in a binary log, in both families.
#include "engine/logged_transactions.h"

namespace mha {
namespace {

// Flags of MariaDB's GTID event.
constexpr std::uint64_t kStandalone = 1;

bool is_gtid(BinlogEventType type) {
  return type == BinlogEventType::kGtid || type == BinlogEventType::kAnonymousGtid ||
         type == BinlogEventType::kTaggedGtid || type == BinlogEventType::kMariadbGtid;
}

// Of the log, not of a transaction.
bool is_of_the_log(BinlogEventType type) {
  switch (type) {
    case BinlogEventType::kStop:
    case BinlogEventType::kRotate:
    case BinlogEventType::kFormatDescription:
    case BinlogEventType::kHeartbeat:
    case BinlogEventType::kHeartbeat2:
    case BinlogEventType::kIgnorable:
    case BinlogEventType::kPreviousGtids:
    case BinlogEventType::kMariadbBinlogCheckpoint:
    case BinlogEventType::kMariadbGtidList:
      return true;
    default:
      return false;
  }
}

// The server that wrote the log was started then: what it had not finished before is rolled back.
bool is_restart(const BinlogEvent& event) {
  constexpr std::size_t kCreatedAt = 52;
  return event.type == BinlogEventType::kFormatDescription && (event.flags & kRelayLogEvent) == 0 &&
         little_endian(event.body, kCreatedAt, 4) != 0;
}

}  // namespace

std::optional<LoggedTransaction> TransactionScanner::take(const BinlogEvent& event) {
  if (is_of_the_log(event.type)) {
    if (is_restart(event)) open_.reset();
    return std::nullopt;
  }
  // A receiver that lost its connection may get a transaction once more from its beginning.
  if (is_gtid(event.type)) {
    begin(event);
    return std::nullopt;
  }
  if (!open_.has_value()) begin(event);
  if (event.type == BinlogEventType::kExecuteLoadQuery) open_->transaction.loads_file = true;
  if (!ends_with(event)) return std::nullopt;
  LoggedTransaction transaction = open_->transaction;
  transaction.end = event.end();
  open_.reset();
  return transaction;
}

void TransactionScanner::begin(const BinlogEvent& event) {
  open_ = Open{};
  ++begun_;
  LoggedTransaction& transaction = open_->transaction;
  transaction.begin = event.offset;
  if (event.type == BinlogEventType::kMariadbGtid) {
    // Number, domain, flags.
    transaction.mariadb = MariadbGtid{static_cast<std::uint32_t>(little_endian(event.body, 8, 4)),
                                      event.server_id, little_endian(event.body, 0, 8)};
    transaction.gtid = transaction.mariadb->text();
    const bool standalone = (little_endian(event.body, 12, 1) & kStandalone) != 0;
    open_->kind = standalone ? Kind::kStandalone : Kind::kUntilCommit;
  } else if (event.type == BinlogEventType::kGtid || event.type == BinlogEventType::kTaggedGtid) {
    transaction.gtid = mysql_gtid_text(event);
  }
}

bool TransactionScanner::ends_with(const BinlogEvent& event) {
  switch (event.type) {
    case BinlogEventType::kXid:
    case BinlogEventType::kXaPrepare:
    case BinlogEventType::kTransactionPayload:
      return true;
    case BinlogEventType::kQuery:
      return query_ends(event);
    case BinlogEventType::kMariadbQueryCompressed:
    case BinlogEventType::kExecuteLoadQuery:
      return open_->kind != Kind::kUntilCommit;
    default:
      return false;
  }
}

bool TransactionScanner::query_ends(const BinlogEvent& event) {
  const QueryText query = query_text(event);
  if (open_->kind == Kind::kUntilCommit) return query.is("COMMIT") || query.is("ROLLBACK");
  if (open_->kind == Kind::kStandalone) return true;
  const bool begins = query.is("BEGIN") || query.text.starts_with("XA START");
  if (begins) open_->kind = Kind::kUntilCommit;
  return !begins;
}

}  // namespace mha
