// What a replica's relay log has behind a place in its source's binary log, fetched from its host.
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "engine/binlog_events.h"
#include "engine/binlog_position.h"
#include "engine/event_filter.h"
#include "engine/kept_events.h"
#include "engine/kept_file.h"
#include "engine/log_copies.h"
#include "engine/logged_transactions.h"
#include "engine/remote_logs.h"
#include "engine/saved_events.h"
#include "engine/source_place.h"

namespace mha {
namespace {

class RelayFetch {
 public:
  RelayFetch(RemoteShell& host, const EventsWanted& wanted, EventFilter filter, RemoteLogs logs,
             BinlogPosition after, LogCopies copies, Deadline deadline)
      : host_(host),
        wanted_(wanted),
        filter_(std::move(filter)),
        logs_(std::move(logs)),
        after_(std::move(after)),
        copies_(std::move(copies)),
        deadline_(deadline) {}

  Result<SavedEvents> run(ScriptRunner* manager) {
    end_ = wanted_.after;
    if (const Status got = copy_back_to_place(); !got.ok()) return got.error();
    SourcePlace place;
    for (const LogCopy& copy : copied_) {
      const bool last = &copy == &copied_.back();
      const Status read = read_one(copy, place);
      if (!read.ok()) return read.error();
      if (torn_ && !last) {
        return refused(fmt::format("{} is damaged at {}", copy.remote_path, torn_at_));
      }
    }
    torn_ = torn_ || scanner_.open();
    Result<SavedEvents> events = kept_.keep(host_, manager, wanted_, copies_, deadline_);
    if (!events.ok()) return events;
    events.value().end = end_;
    events.value().torn = torn_;
    events.value().left_out = left_out_;
    return events;
  }

 private:
  // The newest first, until one begins at or before the place.
  Status copy_back_to_place() {
    for (auto file = logs_.files.rbegin(); file != logs_.files.rend(); ++file) {
      Result<LogCopy> copy = copies_.add(host_, logs_, *file, 0, deadline_);
      if (!copy.ok()) return copy.error();
      copied_.push_front(copy.value());
      const Result<bool> reaches = reaches_back(copy.value());
      if (!reaches.ok()) return reaches.error();
      if (reaches.value()) return {};
    }
    return refused(
        fmt::format("the relay log in {}, from {} on, does not reach back to {}: take "
                    "the difference from another replica, or set this one up anew",
                    logs_.folder, logs_.files.front().name, after_.text()));
  }

  Result<bool> reaches_back(const LogCopy& copy) const {
    Result<BinlogFile> file = BinlogFile::open(copy.path, copy.remote_path);
    if (!file.ok()) return file.error();
    SourcePlace place;
    while (true) {
      const Result<std::optional<BinlogEvent>> event = file.value().next();
      if (!event.ok()) return event.error();
      if (!event.value().has_value()) return false;
      place.take(*event.value());
      const std::optional<BinlogPosition> now = place.now();
      if (now.has_value()) return *now <= after_;
    }
  }

  Status read_one(const LogCopy& copy, SourcePlace& place) {
    Result<BinlogFile> opened = BinlogFile::open(copy.path, copy.remote_path);
    if (!opened.ok()) return opened.error();
    BinlogFile& file = opened.value();
    begun_in_earlier_file_ = scanner_.open();
    std::uint64_t whole = file.offset();
    while (true) {
      const Result<std::optional<BinlogEvent>> event = file.next();
      if (!event.ok()) return event.error();
      if (!event.value().has_value()) break;
      const std::optional<BinlogPosition> before = place.now();
      const std::uint64_t begun = scanner_.begun();
      place.take(*event.value());
      const auto transaction = scanner_.take(*event.value());
      if (scanner_.begun() != begun) {
        begun_in_earlier_file_ = false;
        begun_at_ = before;
      }
      if (transaction.has_value()) {
        if (const Status noted = note(copy, *transaction, place); !noted.ok()) return noted;
      }
      if (!scanner_.open()) whole = event.value()->end();
    }
    torn_ = file.end() != LogEnd::kClean;
    torn_at_ = file.offset();
    left_out_ = torn_ || scanner_.open() ? file.size() - whole : 0;
    return {};
  }

  Status note(const LogCopy& copy, const LoggedTransaction& transaction, const SourcePlace& place) {
    const std::optional<BinlogPosition> end = place.now();
    if (!end.has_value() || !(*end > after_)) return {};
    end_ = {end->file(), end->offset()};
    if (!filter_.wants(transaction)) return {};
    if (begun_in_earlier_file_) {
      // mysqlbinlog would print it in two parts that do not know of each other.
      return refused(
          fmt::format("the transaction that ends at {} of the source goes from one file "
                      "to the next (up to {}); it cannot be taken from here",
                      end->text(), copy.name));
    }
    std::string name = transaction.gtid;
    if (name.empty()) name = begun_at_.has_value() ? begun_at_->text() : end->text();
    if (transaction.loads_file) return refused(loads_a_file(name, copies_));
    kept_.add(copy, transaction.begin, transaction.end, std::move(name));
    return {};
  }

  [[nodiscard]] Error refused(const std::string& what) const {
    return {Code::kRefused, fmt::format("relay log on {}: {}", host_.host(), what)};
  }

  RemoteShell& host_;
  const EventsWanted& wanted_;
  EventFilter filter_;
  RemoteLogs logs_;
  BinlogPosition after_;
  LogCopies copies_;
  Deadline deadline_;
  std::deque<LogCopy> copied_;
  TransactionScanner scanner_;
  bool begun_in_earlier_file_ = false;
  std::optional<BinlogPosition> begun_at_;
  KeptEvents kept_;
  BinlogCoordinates end_;
  bool torn_ = false;
  std::uint64_t torn_at_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace

Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& server,
                                    const EventsWanted& wanted, ScriptRunner* manager,
                                    Deadline deadline) {
  Result<BinlogPosition> after = BinlogPosition::make(wanted.after.file, wanted.after.position);
  if (!after.ok()) return after.error();
  Result<EventFilter> filter = EventFilter::make(wanted);
  if (!filter.ok()) return filter.error();
  const Result<ServerState> state = server.state(deadline);
  if (!state.ok()) return state.error();
  const std::string& base = state.value().relay_log_basename;
  if (base.find('/') == std::string::npos || base.ends_with('/')) {
    return Error{Code::kRefused,
                 fmt::format("the server on {} does not tell where its relay log is "
                             "(relay_log_basename)",
                             host.host())};
  }
  Result<RemoteLogs> logs =
      list_logs(host, {folder_of(base)}, base.substr(base.rfind('/') + 1), deadline);
  if (!logs.ok()) return logs.error();
  Result<LogCopies> copies = LogCopies::make(wanted.keep_as + ".raw");
  if (!copies.ok()) return copies.error();
  return RelayFetch{host,
                    wanted,
                    std::move(filter).value(),
                    std::move(logs).value(),
                    std::move(after).value(),
                    std::move(copies).value(),
                    deadline}
      .run(manager);
}

}  // namespace mha
