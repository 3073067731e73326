// Transactions that are in one server's log files and not on another server: fetched over SSH, kept
// in a file on the manager, and applied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/mysql_server.h"
#include "ports/remote_shell.h"
#include "ports/replication.h"

namespace mha {

struct SavedEvents {
  std::string file;         // on the manager, mode 0600; empty where there was nothing to save
  std::uint64_t bytes = 0;  // of that file
  // One for each transaction, in order: its GTID, or "binlog.000003:456" where it has none.
  std::vector<std::string> transactions;
  BinlogCoordinates end;  // in the source's binary log, after the last whole transaction
  bool torn = false;      // the log ends in the middle of a transaction, which is left out
};

struct EventsWanted {
  ServerFamily family = ServerFamily::kMysql;
  // Where the one that lacks them has come to, in the source's binary log: a transaction's border.
  BinlogCoordinates after;
  // MySQL, by GTIDs: what it has executed; these transactions are left out.
  std::string executed_gtids;
  // MariaDB: likewise (gtid_current_pos); empty: `after` alone counts.
  std::string current_pos;
  std::string keep_as;  // path of the file on the manager; an existing one is replaced atomically
};

// The part of a binary log from `wanted.after` to its end, from the files in one of `dirs`
// (master_binlog_dir: MHA's comma-separated list). The server need not run. Uses the host's own
// mysqlbinlog (mariadb-binlog), else copies the files and uses the manager's, of the same family.
// Errors: kUnreachable, kTimeout, kRefused (no such file, cannot be read, no mysqlbinlog; says
// where it looked and the remedy).
Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                 const EventsWanted& wanted, Deadline deadline);

// The same from a replica's relay log, where that replica has received more than another one:
// `relay_log` is a file of it (ReplicaState::relay_log_file), whose folder is looked up on the
// server. kRefused where the relay log no longer reaches back to `wanted.after`.
Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& server,
                                    const EventsWanted& wanted, Deadline deadline);

// Executes the file's transactions on a server that does not replicate meanwhile. With
// `disable_log_bin` of MHA's conf it is not written to that server's own binary log. Idempotent
// where they have GTIDs. Reads back, where there are GTIDs, that they are there.
enum class LogBin { kOn, kOff };
Status apply_saved_events(MysqlServer& server, const SavedEvents& events, LogBin log_bin,
                          Deadline deadline);

}  // namespace mha
