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
#include "ports/script.h"

namespace mha {

struct SavedEvents {
  std::string file;         // on the manager, mode 0600; empty where there was nothing to save
  std::uint64_t bytes = 0;  // of that file
  // One for each transaction, in order: its GTID, or "binlog.000003:456" where it has none.
  std::vector<std::string> transactions;
  BinlogCoordinates end;  // in the source's binary log, after the last whole transaction
  bool torn = false;      // the log ends in the middle of a transaction, which is left out
  // Bytes behind `end` in the logs that are not saved; of a torn log.
  std::uint64_t left_out = 0;
  // Among them there may be whole transactions: the log is damaged there, or goes on in further
  // files. A crash alone leaves the beginning of one at the very end, whose COMMIT nobody was told.
  bool more_behind = false;
};

struct EventsWanted {
  ServerFamily family = ServerFamily::kMysql;
  // Where the one that lacks them has come to, in the source's binary log: a transaction's border.
  BinlogCoordinates after;
  // MySQL, by GTIDs: what it has executed; these transactions are left out.
  std::string executed_gtids;
  // MariaDB: likewise (gtid_current_pos), as far as that tells: of transactions of the same server
  // as its last one. Of others, and where it is empty, `after` alone counts.
  std::string current_pos;
  // Path of the file on the manager; an existing one is replaced atomically. Beside it, while the
  // work goes on and after it has failed, KEEP_AS.raw/ has the raw parts of the logs.
  std::string keep_as;
  std::string client_bindir;   // of MHA's conf: where mysqlbinlog is looked for first
  std::string remote_workdir;  // likewise: for files on the host that are too large for one answer
};

// The part of a binary log from `wanted.after` to its end, from the files in one of `dirs`
// (master_binlog_dir: MHA's comma-separated list). The server need not run. Uses the host's own
// mysqlbinlog (mariadb-binlog), else copies the files and uses the manager's, of the same family,
// through `manager` (nullptr: not to be had). Errors: kUnreachable, kTimeout, kRefused (no such
// file, cannot be read, encrypted, no mysqlbinlog; says where it looked, the remedy, and where the
// raw part is kept, if it has come that far).
Result<SavedEvents> fetch_binlog(RemoteShell& host, const std::vector<std::string>& dirs,
                                 const EventsWanted& wanted, ScriptRunner* manager,
                                 Deadline deadline);

// The same from a replica's relay log, where that replica has received more than another one; the
// server tells where its relay log is. kRefused where that no longer reaches back to
// `wanted.after`.
Result<SavedEvents> fetch_relay_log(RemoteShell& host, Replication& server,
                                    const EventsWanted& wanted, ScriptRunner* manager,
                                    Deadline deadline);

// Gives their file another name, in the same folder; a file of that name is replaced. kInternal
// where that fails.
Status rename_saved_events(SavedEvents& events, const std::string& path);

// Executes the file's transactions on a server that does not replicate and that nobody else writes
// to meanwhile; kRefused while it replicates, or super_read_only is on (read_only may be). With
// `disable_log_bin` of MHA's conf (kOff) it is not written to that server's own binary log. Reads
// back, where there are GTIDs, that they are there.
//
// May be called again after it has failed, or we were killed, half way: what is there already is
// not executed again. MySQL sees that by the GTIDs, and we by MariaDB's gtid_binlog_state. Where
// there are none of these, FILE.SERVER.progress has for each transaction, before it is begun, its
// number and the end of the server's own binary log: where that stands still, it was not committed.
// It stays, as the word that all is done. Where the server writes no binary log either (kOff), a
// second call after a broken one is kRefused, since the last transaction that was begun may or may
// not be there; it says how to tell.
enum class LogBin { kOn, kOff };
Status apply_saved_events(MysqlServer& server, const SavedEvents& events, LogBin log_bin,
                          Deadline deadline);

}  // namespace mha
