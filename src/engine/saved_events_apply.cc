// Executing what was saved, so that a second attempt goes on where the first one ended.
#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/kept_file.h"
#include "engine/mariadb_binlog_state.h"
#include "engine/mariadb_gtid_set.h"
#include "engine/mysql_gtid_set.h"
#include "engine/saved_events.h"

namespace mha {
namespace {

// What FILE.SERVER.progress has, a line each: the number of the transaction that was begun last;
// the end of the server's own binary log then, or "-" where it writes none, or "done", "undone"
// where it is known; and of which events it speaks: how many, the first, the last.
struct Progress {
  std::uint64_t number = 0;
  std::string state;
};

constexpr std::string_view kDone = "done";
constexpr std::string_view kUndone = "undone";
constexpr std::string_view kNoLog = "-";

std::string progress_path(const SavedEvents& events, const MysqlServer& server) {
  std::string name = server.name();
  for (char& c : name) c = c == '/' || c == ':' ? '_' : c;
  return fmt::format("{}.{}.progress", events.file, name);
}

std::string subject_of(const SavedEvents& events) {
  return fmt::format("{}\n{}\n{}\n", events.transactions.size(), events.transactions.front(),
                     events.transactions.back());
}

Status write_progress(const std::string& path, const SavedEvents& events,
                      const Progress& progress) {
  Result<KeptFile> file = KeptFile::create(path);
  if (!file.ok()) return file.error();
  const Status written = file.value().append(
      fmt::format("{}\n{}\n{}", progress.number, progress.state, subject_of(events)));
  return written.ok() ? file.value().commit() : written;
}

// nullopt: nothing was begun.
Result<std::optional<Progress>> read_progress(const std::string& path, const SavedEvents& events) {
  if (access(path.c_str(), F_OK) != 0) return std::optional<Progress>{};
  const Result<std::string> text = pieces_of_file(path)();
  if (!text.ok()) return text.error();
  const std::string_view all = text.value();
  Progress progress;
  const auto [rest, error] = std::from_chars(all.data(), all.data() + all.size(), progress.number);
  const std::size_t first = all.find('\n');
  const std::size_t second = first == std::string_view::npos ? first : all.find('\n', first + 1);
  const bool fits = error == std::errc{} && second != std::string_view::npos &&
                    rest == all.data() + first && all.substr(second + 1) == subject_of(events) &&
                    progress.number < events.transactions.size();
  if (!fits) {
    return Error{Code::kRefused,
                 fmt::format("{} does not speak of these events, so it cannot be told how many of "
                             "them are there: look, and remove it where none is",
                             path)};
  }
  progress.state = all.substr(first + 1, second - first - 1);
  return std::optional{progress};
}

std::string text_of(const BinlogCoordinates& place) {
  return place.file.empty() ? std::string{kNoLog}
                            : fmt::format("{}:{}", place.file, place.position);
}

class Application {
 public:
  Application(MysqlServer& server, const SavedEvents& events, LogBin log_bin, Deadline deadline)
      : server_(server),
        events_(events),
        progress_path_(progress_path(events, server)),
        log_bin_(log_bin),
        deadline_(deadline) {}

  Status run() {
    const Result<ServerState> state = server_.replication().state(deadline_);
    if (!state.ok()) return state.error();
    if (const auto& replica = state.value().replica;
        replica.has_value() &&
        (replica->applier_running || replica->receiver != ReceiverState::kStopped)) {
      return refused("it replicates; stop that before");
    }
    if (state.value().read_only.super_read_only.value_or(false)) {
      return refused("super_read_only is on, which binds us as well: turn that off before");
    }
    logs_ = state.value().log_bin && log_bin_ == LogBin::kOn;
    const bool mariadb = server_.identity().family == ServerFamily::kMariadb;
    // With its log off, MariaDB notes a client's transactions nowhere.
    by_gtid_ = (mariadb ? logs_ : state.value().gtids) && all_have_gtids();
    Result<std::uint64_t> skip =
        by_gtid_ ? count_there(state.value()) : count_by_progress(state.value());
    if (!skip.ok()) return skip.error();
    if (skip.value() < events_.transactions.size()) {
      if (const Status done = execute(skip.value()); !done.ok()) return done;
    }
    if (by_gtid_) return check_there();
    return {};
  }

 private:
  [[nodiscard]] bool all_have_gtids() const {
    for (const std::string& name : events_.transactions) {
      if (!MysqlGtidSet::parse(name).ok() && !MariadbGtidPosition::parse(name).ok()) return false;
    }
    return true;
  }

  // How many from the start the server has. MySQL passes over what it has by itself; MariaDB does
  // not.
  Result<std::uint64_t> count_there(const ServerState& state) const {
    if (server_.identity().family == ServerFamily::kMysql) return std::uint64_t{0};
    const Result<MariadbBinlogState> log = MariadbBinlogState::parse(state.binlog_state);
    if (!log.ok()) return log.error();
    std::uint64_t count = 0;
    for (const std::string& name : events_.transactions) {
      const Result<MariadbGtidPosition> wanted = MariadbGtidPosition::parse(name);
      if (!wanted.ok() || !log.value().has_everything_up_to(wanted.value())) break;
      ++count;
    }
    return count;
  }

  Result<std::uint64_t> count_by_progress(const ServerState& state) const {
    const Result<std::optional<Progress>> noted = read_progress(progress_path_, events_);
    if (!noted.ok()) return noted.error();
    if (!noted.value().has_value()) return std::uint64_t{0};
    const Progress& progress = *noted.value();
    if (progress.state == kDone) return progress.number + 1;
    if (progress.state == kUndone) return progress.number;
    if (logs_ && progress.state != kNoLog) {
      return progress.number + (text_of(state.binlog) == progress.state ? 0 : 1);
    }
    return refused(fmt::format(
        "transaction {} of {} ({}) may or may not be there, and no binary log of its own tells: "
        "look, and change the second line of {} to \"{}\" or \"{}\"",
        progress.number + 1, events_.transactions.size(), events_.transactions[progress.number],
        progress_path_, kDone, kUndone));
  }

  Status execute(std::uint64_t skip) {
    BinlogReplay replay;
    replay.text = pieces_of_file(events_.file);
    replay.skip = skip;
    replay.log_bin = log_bin_ == LogBin::kOn ? Switch::kOn : Switch::kOff;
    if (!by_gtid_) {
      replay.before = [this](std::uint64_t number) { return note(number); };
    }
    const Result<std::uint64_t> count =
        server_.replication().execute_binlog_script(replay, deadline_);
    if (!count.ok()) return count.error().with_context("applying " + events_.file);
    if (count.value() == events_.transactions.size()) {
      if (by_gtid_) return {};
      return write_progress(progress_path_, events_,
                            {events_.transactions.size() - 1, std::string{kDone}});
    }
    return refused(fmt::format("{} has {} transactions, and {} were saved: it was changed since",
                               events_.file, count.value(), events_.transactions.size()));
  }

  Status note(std::uint64_t number) {
    Progress progress{number, std::string{kNoLog}};
    if (logs_) {
      const Result<SourcePosition> position = server_.replication().own_position(deadline_);
      if (!position.ok()) return position.error();
      progress.state = text_of(position.value().binlog);
    }
    return write_progress(progress_path_, events_, progress);
  }

  // By what tells each server's own on MariaDB: its newest number may be of another one's.
  Status check_there() const {
    const Result<ServerState> now = server_.replication().state(deadline_);
    if (!now.ok()) return now.error();
    const bool mariadb = server_.identity().family == ServerFamily::kMariadb;
    const std::string& gtids = mariadb ? now.value().binlog_state : now.value().executed_gtids;
    const auto missing = mariadb ? first_missing<MariadbBinlogState, MariadbGtidPosition>(gtids)
                                 : first_missing<MysqlGtidSet, MysqlGtidSet>(gtids);
    if (!missing.ok()) return missing.error();
    if (!missing.value().has_value()) return {};
    return refused(fmt::format("it was executed, and yet its GTIDs ({}) do not have {}", gtids,
                               *missing.value()));
  }

  static bool covers(const MysqlGtidSet& all, const MysqlGtidSet& one) { return all.contains(one); }
  static bool covers(const MariadbBinlogState& all, const MariadbGtidPosition& one) {
    return all.has_everything_up_to(one);
  }
  template <typename All, typename One>
  [[nodiscard]] Result<std::optional<std::string>> first_missing(const std::string& text) const {
    const Result<All> all = All::parse(text);
    if (!all.ok()) return all.error();
    for (const std::string& name : events_.transactions) {
      const Result<One> one = One::parse(name);
      if (!one.ok()) return one.error();
      if (!covers(all.value(), one.value())) return std::optional{name};
    }
    return std::optional<std::string>{};
  }

  [[nodiscard]] Error refused(const std::string& what) const {
    return {Code::kRefused,
            fmt::format("MySQL on {}: applying {}: {}", server_.name(), events_.file, what)};
  }

  MysqlServer& server_;
  const SavedEvents& events_;
  const std::string progress_path_;
  LogBin log_bin_;
  Deadline deadline_;
  bool logs_ = false;
  bool by_gtid_ = false;
};

}  // namespace

Status apply_saved_events(MysqlServer& server, const SavedEvents& events, LogBin log_bin,
                          Deadline deadline) {
  if (events.transactions.empty()) return {};
  return Application{server, events, log_bin, deadline}.run();
}

}  // namespace mha
