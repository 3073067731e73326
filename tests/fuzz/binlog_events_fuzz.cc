// Binary and relay log files: events, and the transactions in them.
#include "engine/binlog_events.h"
#include "engine/event_filter.h"
#include "engine/logged_transactions.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

void check_event(const BinlogEvent& event, const BinlogFile& file) {
  must(event.size >= 19, "an event has a header");
  must(event.end() <= file.size(), "an event ends in its file");
  must(event.body.size() <= event.body_size, "the body's beginning is not longer than all of it");
  must(event.body_size < event.size, "a body is a part of its event");
  const QueryText text = query_text(event);
  must(text.text.size() <= text.size, "the statement's beginning is not longer than all of it");
  must(text.size <= event.body_size, "a statement is a part of its event");
  const std::string gtid = mysql_gtid_text(event);
  must(gtid.empty() || gtid.size() >= 38, "a GTID has a UUID and a number");
  must_be_one_line(gtid);
}

// `expects` as of BinlogFile::expect_log_pos; nullopt: a relay log.
std::uint64_t read_all(const std::string& path, std::optional<std::uint64_t> expects) {
  Result<BinlogFile> file = BinlogFile::open(path, "the input");
  if (!file.ok()) {
    must_be_one_line(file.error().message);
    return 0;
  }
  if (expects.has_value()) file.value().expect_log_pos(*expects);
  file.value().seek(file.value().first_offset());
  TransactionScanner scanner;
  const auto filter = EventFilter::make({});
  std::uint64_t transactions = 0;
  std::uint64_t before = file.value().first_offset();
  for (;;) {
    const auto event = file.value().next();
    if (!event.ok()) must_be_one_line(event.error().message);
    if (!event.ok() || !event.value().has_value()) break;
    must(event.value()->offset == before, "events follow each other without a gap");
    before = event.value()->end();
    check_event(*event.value(), file.value());
    const auto transaction = scanner.take(*event.value());
    if (!transaction.has_value()) continue;
    ++transactions;
    must(transaction->begin < transaction->end, "a transaction has events");
    if (filter.ok()) static_cast<void>(filter.value().wants(*transaction));
  }
  must(file.value().offset() <= file.value().size(), "reading ends in the file");
  must(transactions <= scanner.begun(), "what ends has begun");
  return transactions;
}

}  // namespace

void try_input(std::string_view input) {
  static const Folder folder;
  const std::string path = folder.write("log", input);
  const std::uint64_t in_relay_log = read_all(path, std::nullopt);
  must(read_all(path, 0) <= in_relay_log, "who minds log_pos does not see more");
}

}  // namespace mha::fuzz
