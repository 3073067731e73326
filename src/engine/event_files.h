// The log files of servers as the failover's steps reach them: engine/saved_events.h behind an
// interface, so that a failover can be tried without files.
#pragma once

#include <string>
#include <vector>

#include "engine/saved_events.h"
#include "ports/script.h"

namespace mha {

// A host that answers and then says nothing costs no more than this of the downtime.
inline constexpr Milliseconds kFetchAtMost{120'000};

// The contracts are those of the functions of the same names in saved_events.h. Thread-safe.
class EventFiles {
 public:
  virtual ~EventFiles() = default;

  virtual Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                           const EventsWanted& wanted, Deadline deadline) = 0;
  virtual Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& server,
                                              const EventsWanted& wanted, Deadline deadline) = 0;
  virtual Status apply(MysqlServer& server, const SavedEvents& events, LogBin log_bin,
                       Deadline deadline) = 0;
  // Gives the file of events that were fetched another name; a file of that name is replaced.
  virtual Status rename(SavedEvents& events, const std::string& path) = 0;
};

// The real files.
class RemoteEventFiles : public EventFiles {
 public:
  // `manager` runs the manager's own mysqlbinlog; nullptr: not to be had. Outlives this.
  explicit RemoteEventFiles(ScriptRunner* manager) : manager_(manager) {}

  Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                   const EventsWanted& wanted, Deadline deadline) override {
    return mha::fetch_binlog(host, dirs, wanted, manager_, deadline);
  }
  Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& server,
                                      const EventsWanted& wanted, Deadline deadline) override {
    return mha::fetch_relay_log(host, server, wanted, manager_, deadline);
  }
  Status apply(MysqlServer& server, const SavedEvents& events, LogBin log_bin,
               Deadline deadline) override {
    return apply_saved_events(server, events, log_bin, deadline);
  }
  Status rename(SavedEvents& events, const std::string& path) override {
    return rename_saved_events(events, path);
  }

 private:
  ScriptRunner* manager_;
};

}  // namespace mha
