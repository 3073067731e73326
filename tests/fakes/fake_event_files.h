// The log files of fake servers: what lies in them, and applying it.
#pragma once

#include <fmt/core.h>

#include <algorithm>
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

  Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                   const EventsWanted& wanted, Deadline /*deadline*/) override {
    return faults_.around(
        fmt::format("files {} fetch_binlog", host.host()), [&]() -> Result<SavedEvents> {
          if (dirs.empty()) return Error{Code::kRefused, "no folder to look into"};
          const std::string name = host.host() + ":3306";
          FakeMysqlState& state = servers_.server(name);
          const std::lock_guard lock{state.mutex};
          return save(name, state.replication.binlog, state.replication.binlog.size(), wanted);
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

 private:
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
};

}  // namespace mha
