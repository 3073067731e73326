// The log files of fake servers: what lies in them, and applying it.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/event_files.h"
#include "fakes/fake_history.h"
#include "fakes/fake_mysql.h"
#include "fakes/fault_plan.h"

namespace mha {

// Readable as long as the host's shell is, whether its server lives or not. Servers are found at
// port 3306 of the shell's host. Calls: "files db1 fetch_binlog", "files db2 fetch_relay_log",
// "files apply". Thread-safe.
class FakeEventFiles : public EventFiles {
 public:
  FakeEventFiles(FakeMysqlConnector& servers, FaultPlan& faults)
      : servers_(servers), faults_(faults) {}

  // `host`, a binlog server, has the first `count` transactions of the binary log of `source`.
  void copy_binlog(const std::string& host, const std::string& source, std::size_t count) {
    const std::lock_guard lock{mutex_};
    copies_[host] = {source + ":3306", count};
  }

  // What is behind the first `count` transactions of the binary log on `host` cannot be read.
  void damage_binlog(const std::string& host, std::size_t count) {
    const std::lock_guard lock{mutex_};
    damaged_[host] = count;
  }

  Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                   const EventsWanted& wanted, Deadline /*deadline*/) override {
    return faults_.around(fmt::format("files {} fetch_binlog", host.host()),
                          [&]() -> Result<SavedEvents> {
                            if (dirs.empty())
                              return Error{Code::kRefused, "no folder to look into"};
                            const Copy copy = copy_on(host.host());
                            FakeMysqlState& state = servers_.server(copy.source);
                            const std::lock_guard lock{state.mutex};
                            const FakeHistory& binlog = state.replication.binlog;
                            const std::size_t end = std::min(copy.count, binlog.size());
                            const std::size_t readable = std::min(end, readable_on(host.host()));
                            Result<SavedEvents> saved = save(copy.source, binlog, readable, wanted);
                            if (!saved.ok() || readable == end) return saved;
                            saved.value().torn = true;
                            saved.value().left_out = 100 * (end - readable);
                            saved.value().more_behind = true;
                            return saved;
                          });
  }

  Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& /*server*/,
                                      const EventsWanted& wanted, Deadline /*deadline*/) override {
    return faults_.around(fmt::format("files {} fetch_relay_log", host.host()),
                          [&]() -> Result<SavedEvents> {
                            FakeMysqlState& state = servers_.server(host.host() + ":3306");
                            std::string source;
                            std::size_t received = 0;
                            {
                              const std::lock_guard lock{state.mutex};
                              if (!state.replica.has_value())
                                return Error{Code::kRefused, "it has no relay log"};
                              source = state.replication.source.host + ":3306";
                              received = state.replication.received;
                            }
                            FakeMysqlState& origin = servers_.server(source);
                            const std::lock_guard lock{origin.mutex};
                            return save(source, origin.replication.binlog, received, wanted);
                          });
  }

  // What is there is not executed again, as the real one sees by GTIDs or by its own notes.
  Status apply(MysqlServer& server, const SavedEvents& events, LogBin /*log_bin*/,
               Deadline deadline) override {
    return faults_.around("files apply", [&]() -> Status {
      BinlogReplay replay;
      replay.skip = count_there(server.name(), events);
      replay.text = [text = text_of(events.file)]() mutable -> Result<std::string> {
        return std::exchange(text, std::string{});
      };
      return server.replication().execute_binlog_script(replay, deadline).status();
    });
  }

  Status rename(SavedEvents& events, const std::string& path) override {
    return faults_.around("files rename", [&]() -> Status {
      const std::lock_guard lock{mutex_};
      files_[path] = files_[events.file];
      files_.erase(events.file);
      events.file = path;
      return {};
    });
  }

 private:
  struct Copy {
    std::string source;
    std::size_t count;
  };

  Copy copy_on(const std::string& host) {
    const std::lock_guard lock{mutex_};
    const auto found = copies_.find(host);
    return found != copies_.end() ? found->second
                                  : Copy{host + ":3306", std::numeric_limits<std::size_t>::max()};
  }
  std::size_t readable_on(const std::string& host) {
    const std::lock_guard lock{mutex_};
    const auto found = damaged_.find(host);
    return found != damaged_.end() ? found->second : std::numeric_limits<std::size_t>::max();
  }
  std::string text_of(const std::string& file) {
    const std::lock_guard lock{mutex_};
    return files_[file];
  }
  std::uint64_t count_there(const std::string& server, const SavedEvents& events) {
    FakeMysqlState& state = servers_.server(server);
    const std::lock_guard lock{state.mutex};
    std::uint64_t count = 0;
    for (const std::string& name : events.transactions) {
      const bool is_there = std::ranges::any_of(
          state.replication.executed,
          [&name](const FakeTransaction& each) { return name == name_of(each); });
      if (!is_there) break;
      ++count;
    }
    return count;
  }
  static std::string name_of(const FakeTransaction& transaction) {
    return fmt::format("{}-{}", transaction.server_id, transaction.number);
  }

  Result<SavedEvents> save(const std::string& source, const FakeHistory& binlog, std::size_t end,
                           const EventsWanted& wanted) {
    const std::optional<std::size_t> begin = fake_index(source, wanted.after);
    if (!begin.has_value()) {
      return Error{Code::kRefused, fmt::format("there is no {}:{} in the log of {}",
                                               wanted.after.file, wanted.after.position, source)};
    }
    SavedEvents saved;
    FakeHistory beyond;
    for (std::size_t i = *begin; i < end; ++i) {
      beyond.push_back(binlog[i]);
      saved.transactions.push_back(name_of(binlog[i]));
    }
    saved.end = fake_coordinates(source, end);
    if (beyond.empty()) return saved;
    saved.file = wanted.keep_as;
    const std::string script = fake_binlog_script(beyond);
    saved.bytes = script.size();
    const std::lock_guard lock{mutex_};
    files_[saved.file] = script;
    return saved;
  }

  FakeMysqlConnector& servers_;
  FaultPlan& faults_;
  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::map<std::string, Copy> copies_;  // by host
  std::map<std::string, std::size_t> damaged_;
};

}  // namespace mha
