// Port for what our own engine asks of a server beyond mysql_server.h: where it stands in its own
// history and in its source's, and to follow, forget or catch up with a source.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/binlog_script.h"
#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"
#include "ports/mysql_server.h"

namespace mha {

// A place in a server's binary log; an empty file is none.
struct BinlogCoordinates {
  std::string file;
  std::uint64_t position = 0;
  bool operator==(const BinlogCoordinates&) const = default;
};

enum class ReceiverState { kStopped, kConnecting, kRunning };

// How a replica asks its source for what is missing.
enum class GtidUse {
  kNone,        // by file and position
  kAuto,        // MySQL: SOURCE_AUTO_POSITION=1; MariaDB: Using_Gtid=Slave_Pos
  kCurrentPos,  // MariaDB only: Using_Gtid=Current_Pos
};

// How a replica's connection to its source is secured, as the server shows it; kept when it is
// pointed to another one.
struct SourceSecurity {
  bool tls = false;
  bool verify_server = false;
  std::string ca, ca_path, certificate, key, cipher, crl, crl_path;
  bool get_public_key = false;  // MySQL 8.0 and newer
  std::string public_key_path;
};

struct ReplicationError {
  int number = 0;  // 0: none
  std::string text;
};

// Of the default channel.
struct ReplicaState {
  std::string source_host;
  std::uint16_t source_port = 3306;
  std::string source_user;
  ReceiverState receiver = ReceiverState::kStopped;
  bool applier_running = false;
  ReplicationError receiver_error;
  ReplicationError applier_error;
  BinlogCoordinates received;  // in the source's binary log: what is in the relay log
  BinlogCoordinates executed;  // in the source's binary log: what has been applied
  std::string relay_log_file;  // of our own, where the applier is
  std::uint64_t relay_log_position = 0;
  std::string received_gtids;  // MySQL: Retrieved_Gtid_Set; MariaDB: Gtid_IO_Pos
  GtidUse gtid_use = GtidUse::kNone;
  std::optional<std::chrono::seconds> behind;
  std::chrono::seconds delay{0};               // set on purpose (SOURCE_DELAY)
  std::map<std::string, std::string> filters;  // "Replicate_Do_DB"...: those that are not empty
  unsigned connect_retry = 60;
  SourceSecurity security;
};

struct SemiSync {
  bool available = false;  // the plugin, or built in
  bool source_enabled = false;
  bool replica_enabled = false;
  std::uint64_t waiting_sessions = 0;  // committed, and waiting for a replica's word
  // Those that receive from this server and asked for semi-sync when their receivers began, whether
  // source_enabled or not.
  std::uint64_t replicas = 0;
  std::uint64_t wanted_replicas = 1;  // so many must have a transaction before its COMMIT is done
};

// A server at one moment; all of it from one round trip or few.
struct ServerState {
  ReadOnlyState read_only;
  std::string server_uuid;  // MySQL; empty on MariaDB
  std::string host_name;    // @@hostname
  bool gtids = false;       // MySQL: gtid_mode=ON; MariaDB: always
  bool log_bin = false;
  bool log_replica_updates = false;
  std::string relay_log_basename;  // path, without the number; empty where it is not told
  std::string binlog_format;
  std::map<std::string, std::string> binlog_filters;  // "Binlog_Do_DB"...: those not empty
  BinlogCoordinates binlog;                           // the end of its own binary log
  std::string executed_gtids;  // MySQL: gtid_executed; MariaDB: gtid_current_pos
  std::string binlog_gtids;    // MySQL: gtid_executed; MariaDB: gtid_binlog_pos
  std::string purged_gtids;    // MySQL: gtid_purged; MariaDB: empty
  std::string binlog_state;    // MariaDB: gtid_binlog_state; MySQL: empty
  bool event_scheduler = false;
  SemiSync semi_sync;
  std::chrono::system_clock::time_point clock;  // the server's own, UTC
  std::optional<ReplicaState> replica;          // nullopt: it has no source configured
  std::vector<std::string> other_channels;      // names of further sources: multi-source
};

// What a replica's receiver has had from its source so far: two of these that differ show a source
// that lives.
struct ReceiverSeen {
  ReceiverState receiver = ReceiverState::kStopped;
  ReplicationError error;      // the receiver's last one
  BinlogCoordinates received;  // in the source's binary log
  std::string received_gtids;
  std::uint64_t heartbeats = 0;  // 0 where the server does not tell them
};

// What a replica must have applied to have everything of its source.
struct SourcePosition {
  BinlogCoordinates binlog;
  std::string gtids;  // MySQL: gtid_executed; MariaDB: gtid_binlog_pos; empty where there are none
};

struct NewSource {
  std::string host;
  std::uint16_t port = 3306;
  std::string user;  // empty: the account that it has, where it has a source
  Secret password;
  GtidUse gtid_use = GtidUse::kNone;
  BinlogCoordinates start;  // for kNone
  unsigned connect_retry = 60;
  SourceSecurity security;
};

enum class Switch { kOff, kOn };

// What execute_binlog_script() executes. The text is read as it is needed, so it may be larger than
// our memory; one statement of it may not.
struct BinlogReplay {
  TextPieces text;
  // So many transactions from the start are on the server already: of these only what they set for
  // the session is executed.
  std::uint64_t skip = 0;
  // kOff: nothing of it in the server's own binary log.
  Switch log_bin = Switch::kOn;
  // Before each transaction that is executed, with its number from 0 on; may ask the same session.
  // An error ends the execution, and is given back. May be empty.
  std::function<Status(std::uint64_t number)> before;
};

enum class SemiSyncRole { kSource, kReplica };

enum class EventStatus {
  kEnabled,
  kDisabled,
  kDisabledOnReplica,  // SLAVESIDE_DISABLED: replication brought it; its own status there is not
                       // told
};

// An event of the scheduler.
struct ScheduledEvent {
  std::string schema;
  std::string name;
  EventStatus status = EventStatus::kEnabled;
  std::uint32_t originator = 0;  // server_id of the server on which it was last altered
  // What it runs with, and keeps when it is enabled.
  std::string definer;  // "app@10.%"
  std::string character_set;
  std::string collation;
};

// A long transaction, running statement or table lock that would hold up a switch.
struct LongWriter {
  std::uint64_t thread_id = 0;
  std::chrono::seconds age{0};
  std::string text;  // one line for people, as WriteBlocker::text
};

// Of one session of a MysqlServer, which owns it: not thread-safe, and dead with the session. Each
// call that changes something is idempotent and reads back what it did.
class Replication {
 public:
  virtual ~Replication() = default;

  virtual Result<ServerState> state(Deadline deadline) = 0;
  // The end of its own binary log and its GTIDs: one round trip, for the downtime.
  virtual Result<SourcePosition> own_position(Deadline deadline) = 0;
  // One round trip, to be asked again and again; nullopt where the server has no source.
  virtual Result<std::optional<ReceiverSeen>> receiver_seen(Deadline deadline) = 0;

  // What our account lacks for a switch, by the family's names ("REPLICATION SLAVE ADMIN"); roles
  // that are not active do not count.
  virtual Result<std::vector<std::string>> missing_privileges(Deadline deadline) = 0;
  // Open transactions that have written, running writing statements and LOCK TABLES, at least this
  // old, oldest first. As far as the server can tell. Not to be asked more often than every tenth
  // of a second: InnoDB repeats what it said before.
  virtual Result<std::vector<LongWriter>> long_writers(std::chrono::seconds at_least,
                                                       Deadline deadline) = 0;

  // Waits in the server until the applier has executed `position`: by GTIDs where `gtid_use` says
  // so, else by coordinates. What is applied already is a success, whether the applier runs or not.
  // kTimeout where the deadline passes first (the session lives on then: the server's own wait is
  // told to end before), kRefused where the applier stops or does not run.
  virtual Status wait_until_applied(const SourcePosition& position, GtidUse gtid_use,
                                    Deadline deadline) = 0;
  // The same by GTIDs, of what is still to be received: kRefused, with the receiver's words, also
  // where that has stopped, or has not connected for some seconds, and these are not there.
  virtual Status wait_until_replicated(const std::string& gtids, Deadline deadline) = 0;
  // Waits until the applier has executed all that the relay log has; the receiver must be stopped.
  virtual Status wait_until_relay_log_applied(Deadline deadline) = 0;

  // Afterwards both threads are stopped, or run, the receiver connected; kRefused with the server's
  // words where one does not. A receiver that cannot connect is left trying.
  virtual Status stop_replica(Deadline deadline) = 0;
  virtual Status start_replica(Deadline deadline) = 0;
  virtual Status stop_receiver(Deadline deadline) = 0;
  // Afterwards the server has no source and no relay log (RESET SLAVE ALL); both threads must be
  // stopped.
  virtual Status forget_source(Deadline deadline) = 0;
  // Afterwards the server follows `source`, both threads stopped. A server that has been a source
  // itself is pointed by its executed GTIDs too (MariaDB: gtid_slave_pos is set from
  // gtid_current_pos first).
  virtual Status replicate_from(const NewSource& source, Deadline deadline) = 0;

  virtual Status set_event_scheduler(Switch wanted, Deadline deadline) = 0;
  // A receiver that runs goes on as it began (MySQL's manual, "Installing Semisynchronous
  // Replication"; MariaDB's does likewise).
  virtual Status set_semi_sync(SemiSyncRole role, Switch wanted, Deadline deadline) = 0;

  // All that our account may see (those of schemas on which it has EVENT).
  virtual Result<std::vector<ScheduledEvent>> scheduled_events(Deadline deadline) = 0;
  // Afterwards the event of this schema and name is enabled here, and this server is its
  // originator; the definer, character set and collation of `event` are kept. It goes to the binary
  // log, and replicas disable theirs by it. kRefused where the server has no such event.
  virtual Status enable_event(const ScheduledEvent& event, Deadline deadline) = 0;

  // Executes statements as mysqlbinlog prints them (with its DELIMITER lines), one after the other;
  // stops at the first error, and rolls back what is open then: the error says which statement it
  // was. Gives how many transactions the text has, those that were skipped among them. Not
  // idempotent where they carry no GTIDs. MariaDB: what was executed under another server's GTIDs
  // is in gtid_binlog_pos alone until the server has written something of its own.
  virtual Result<std::uint64_t> execute_binlog_script(const BinlogReplay& replay,
                                                      Deadline deadline) = 0;
};

}  // namespace mha
