// What a server's binary log has behind a place, fetched from its host.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/binlog_events.h"
#include "engine/binlog_position.h"
#include "engine/event_filter.h"
#include "engine/kept_events.h"
#include "engine/log_copies.h"
#include "engine/logged_transactions.h"
#include "engine/remote_logs.h"
#include "engine/saved_events.h"

namespace mha {
namespace {

class BinlogFetch {
 public:
  BinlogFetch(RemoteShell& host, const EventsWanted& wanted, EventFilter filter, RemoteLogs logs,
              std::uint32_t first, LogCopies copies, Deadline deadline)
      : host_(host),
        wanted_(wanted),
        filter_(std::move(filter)),
        logs_(std::move(logs)),
        first_(first),
        copies_(std::move(copies)),
        deadline_(deadline) {}

  Result<SavedEvents> run(ScriptRunner* manager) {
    Status read = read_all();
    if (!read.ok()) return read.error();
    Result<SavedEvents> events = kept_.keep(host_, manager, wanted_, copies_, deadline_);
    if (!events.ok()) return events;
    events.value().end = end_;
    events.value().torn = torn_;
    events.value().left_out = left_out_;
    events.value().more_behind = more_behind_;
    return events;
  }

 private:
  // File by file, up to the last or to what is torn.
  Status read_all() {
    end_ = wanted_.after;
    if (const Status whole = check_first(); !whole.ok()) return whole;
    for (const RemoteLogFile& file : logs_.files) {
      if (file.number < first_) continue;
      if (torn_) {
        more_behind_ = true;
        left_out_ += file.size;
        continue;
      }
      const std::uint64_t from = file.number == first_ ? wanted_.after.position : 0;
      if (file.size <= from) continue;
      const Result<LogCopy> copy = copies_.add(host_, logs_, file, from, deadline_);
      if (!copy.ok()) return copy.error();
      if (const Status read = read_one(copy.value()); !read.ok()) return read;
    }
    return {};
  }

  // The file of the place is there, and so are all that follow it, without a gap.
  Status check_first() const {
    std::uint32_t expected = first_;
    for (const RemoteLogFile& file : logs_.files) {
      if (file.number < first_) continue;
      if (file.number != expected) break;
      ++expected;
      const bool too_short = file.number == first_ && file.size < wanted_.after.position;
      // Where it is the last, a crash of the host has taken its end, which the replica has.
      if (too_short && file.number != logs_.files.back().number) {
        return refused(
            fmt::format("{} ends at {}, before {}, and the log goes on in other files: "
                        "it is not the history that the replica has",
                        file.name, file.size, wanted_.after.position));
      }
    }
    const std::uint32_t last = logs_.files.back().number;
    if (expected > first_ && expected > last) return {};
    const bool purged = expected == first_ && logs_.files.front().number > first_;
    return refused(fmt::format(
        "{} is not in {} (there: {} to {}){}",
        expected == first_ ? wanted_.after.file : fmt::format("file number {}", expected),
        logs_.folder, logs_.files.front().name, logs_.files.back().name,
        purged ? "; it has been purged, and with it what the replica lacks: set that replica up "
                 "anew, or choose one that has more"
               : ""));
  }

  Status read_one(const LogCopy& copy) {
    Result<BinlogFile> opened = BinlogFile::open(copy.path, copy.remote_path);
    if (!opened.ok()) return opened.error();
    BinlogFile& file = opened.value();
    if (copy.first != 0) file.seek(std::max(copy.first, file.first_offset()));
    file.expect_log_pos(copy.shift);
    // One that a crash has left open in the file before goes on nowhere.
    scanner_.drop();
    std::uint64_t whole = file.offset();
    const std::uint64_t begin = whole;
    while (true) {
      const Result<std::optional<BinlogEvent>> event = file.next();
      if (!event.ok()) return event.error();
      if (!event.value().has_value()) break;
      if (event.value()->type == BinlogEventType::kIncident) {
        return refused(
            fmt::format("{} has an incident event at {}: the server has lost events of "
                        "its own, so what follows does not fit",
                        copy.name, event.value()->offset + copy.shift));
      }
      if (const auto transaction = scanner_.take(*event.value())) {
        if (const Status noted = note(copy, *transaction); !noted.ok()) return noted;
      }
      if (!scanner_.open()) whole = event.value()->end();
    }
    if (file.end() == LogEnd::kDamaged && file.offset() == begin && copy.first != 0) {
      return refused(
          fmt::format("no event begins at {} of {}: it is not the log that the replica "
                      "has followed, or damaged there",
                      copy.first + copy.shift, copy.name));
    }
    end_ = {copy.name, whole + copy.shift};
    torn_ = file.end() != LogEnd::kClean || scanner_.open();
    more_behind_ = file.end() == LogEnd::kDamaged;
    left_out_ = torn_ ? file.size() - whole : 0;
    if (torn_) kept_.mark_torn(copy);
    return {};
  }

  Status note(const LogCopy& copy, const LoggedTransaction& transaction) {
    if (!filter_.wants(transaction)) return {};
    std::string name = transaction.gtid;
    if (name.empty()) name = fmt::format("{}:{}", copy.name, transaction.begin + copy.shift);
    if (transaction.loads_file) return refused(loads_a_file(name, copies_));
    kept_.add(copy, transaction.begin, transaction.end, std::move(name));
    return {};
  }

  [[nodiscard]] Error refused(const std::string& what) const {
    return {Code::kRefused, fmt::format("binary log on {}: {}", host_.host(), what)};
  }

  RemoteShell& host_;
  const EventsWanted& wanted_;
  EventFilter filter_;
  RemoteLogs logs_;
  std::uint32_t first_;
  LogCopies copies_;
  Deadline deadline_;
  TransactionScanner scanner_;
  KeptEvents kept_;
  BinlogCoordinates end_;
  bool torn_ = false;
  std::uint64_t left_out_ = 0;
  bool more_behind_ = false;
};

}  // namespace

Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                 const EventsWanted& wanted, ScriptRunner* manager,
                                 Deadline deadline) {
  const Result<BinlogPosition> after =
      BinlogPosition::make(wanted.after.file, wanted.after.position);
  if (!after.ok()) return after.error();
  Result<EventFilter> filter = EventFilter::make(wanted);
  if (!filter.ok()) return filter.error();
  Result<RemoteLogs> logs = list_logs(host, dirs, std::string{after.value().base()}, deadline);
  if (!logs.ok()) return logs.error();
  Result<LogCopies> copies = LogCopies::make(wanted.keep_as + ".raw");
  if (!copies.ok()) return copies.error();
  return BinlogFetch{host,
                     wanted,
                     std::move(filter).value(),
                     std::move(logs).value(),
                     after.value().number(),
                     std::move(copies).value(),
                     deadline}
      .run(manager);
}

}  // namespace mha
