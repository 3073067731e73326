// Port for one MySQL or MariaDB server: what the core asks of it, without any client library's
// words.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"

namespace mha {

enum class MysqlTlsMode { kDisabled, kPreferred, kRequired, kVerifyCa, kVerifyIdentity };

struct MysqlTarget {
  std::string host;  // a name, or a v4 or v6 address without brackets
  std::uint16_t port = 3306;
  std::string user;
  Secret password;
  MysqlTlsMode tls_mode = MysqlTlsMode::kPreferred;
  std::string tls_ca;  // path; empty: the system's
  // A server that leaves a statement without an answer for so long hangs, however much time there
  // is for the work as a whole. What waits on purpose (for the applier, for a lock) asks again and
  // again, or is given more.
  Milliseconds answers_within = std::chrono::hours{24};
  // Where `host` is known to be, numeric: connected to without looking the name up. "" is to look.
  std::string address;

  // "host:port", "[v6]:port"; for messages.
  [[nodiscard]] std::string name() const;
};

enum class ServerFamily { kMysql, kMariadb };

struct ServerIdentity {
  ServerFamily family = ServerFamily::kMysql;
  std::string version;          // as the server says it, "10.11.14-MariaDB-0+deb12u2"
  unsigned version_number = 0;  // 101114, 90704
  std::uint64_t connection_id = 0;
  std::uint32_t server_id = 0;
};

// MariaDB 12's read_only has the two last values as well; every other server only the first two.
enum class ReadOnly { kOff, kOn, kNoLock, kNoLockNoAdmin };

std::string_view to_string(ReadOnly value);
// The inverse; nullopt for a text that is none of them.
std::optional<ReadOnly> read_only_from_string(std::string_view text);

struct ReadOnlyState {
  ReadOnly read_only = ReadOnly::kOff;
  std::optional<bool> super_read_only;  // nullopt: the server has no such variable

  // No client without special privileges can write.
  [[nodiscard]] bool blocks_writes() const { return read_only != ReadOnly::kOff; }
  bool operator==(const ReadOnlyState&) const = default;
};

// A row of the process list.
struct ServerThread {
  std::uint64_t id = 0;
  std::string user;
  std::string host;     // "10.0.0.5:51234", "" for internal threads
  std::string command;  // "Sleep", "Query", "Binlog Dump GTID", "Daemon"...
  std::int64_t seconds = 0;
  std::string state;
  std::string info;  // the statement, cut to 200 bytes; valid UTF-8; may be empty
};

// A thread that holds or waits for what keeps read_only from being set.
struct WriteBlocker {
  std::optional<std::uint64_t> thread_id;  // nullopt where the server does not tell who it is
  std::string
      text;  // one line for people: "thread 42 (app@10.0.0.5): LOCK TABLES on `shop`.`orders`"
};

enum class KillResult { kKilled, kAlreadyGone, kRefused };

struct KillOutcome {
  std::uint64_t thread_id = 0;
  KillResult result = KillResult::kKilled;
  std::string message;  // the server's, where refused
};

// The two halves of replication on a replica. A receiver that is trying to connect counts as
// running.
struct ReplicaThreads {
  bool receiver = false;  // the I/O thread
  bool applier = false;   // the SQL thread
  bool operator==(const ReplicaThreads&) const = default;
};

class Replication;

// One open, authenticated session. Not thread-safe. After kTimeout or kUnreachable the session is
// dead: each further call answers kUnreachable at once, and the caller opens a new one. Closing
// never blocks.
class MysqlServer {
 public:
  virtual ~MysqlServer() = default;

  [[nodiscard]] virtual const ServerIdentity& identity() const = 0;
  // MysqlTarget::name(), for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;

  virtual Result<ReadOnlyState> read_only_state(Deadline deadline) = 0;

  // Reaches `wanted` and reads it back; does nothing where it is so already.
  // `wanted.super_read_only` is ignored where the server has none; nullopt leaves it as SET GLOBAL
  // read_only leaves it (read_only=0 clears it). Under SET SESSION lock_wait_timeout=`lock_wait`,
  // at least one second: a statement or table lock that blocks longer gives kRefused with read_only
  // unchanged (server error 1205; facts: "Ending writes"). Such a SET goes on waiting where its
  // connection was lost or its program killed, and would still take writes away once the lock is
  // gone: giving them back ends what sessions of our account wait for that, and sees that it ended.
  virtual Status set_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait,
                               Deadline deadline) = 0;

  // All threads but this session's own.
  virtual Result<std::vector<ServerThread>> threads(Deadline deadline) = 0;

  // Ends the threads in one round trip; an outcome for each id, in order. A thread that is gone
  // already counts as kAlreadyGone. Fails as a whole only where the session does.
  virtual Result<std::vector<KillOutcome>> kill(const std::vector<std::uint64_t>& thread_ids,
                                                Deadline deadline) = 0;

  // Ends all sessions of this user, of whatever host, ours too where it is ours: whoever they are
  // by then, in one pass of the server through its threads. It looks for each of kill()'s ids among
  // all of them, which takes seconds where there are thousands and more come meanwhile. kRefused
  // where the server cannot (MySQL).
  virtual Status end_sessions_of(const std::string& user, Deadline deadline) = 0;

  // Who keeps SET GLOBAL read_only waiting, as far as this server can tell (performance_schema's
  // metadata locks, InnoDB's transactions, tables in use, running statements). Never empty-handed
  // by error: what cannot be asked is left out.
  virtual Result<std::vector<WriteBlocker>> write_blockers(Deadline deadline) = 0;

  // Names of users, of whatever host, who can write while read_only is on (not super_read_only):
  // those with SUPER, READ_ONLY ADMIN or CONNECTION_ADMIN. Only what our own account may see; users
  // who have it through a role are not told.
  virtual Result<std::vector<std::string>> users_exempt_from_read_only(Deadline deadline) = 0;

  // Of the default channel; nullopt where the server is no replica.
  virtual Result<std::optional<ReplicaThreads>> replica_threads(Deadline deadline) = 0;

  // Starts those of `wanted` that do not run, and reads back; stops none. kRefused where the server
  // is no replica, or a thread does not stay running.
  virtual Status ensure_replica_threads(ReplicaThreads wanted, Deadline deadline) = 0;

  // Threads that hold one of these GET_LOCK names (MHA's advisory locks).
  virtual Result<std::vector<std::uint64_t>> lock_holders(
      const std::vector<std::string>& lock_names, Deadline deadline) = 0;

  // Takes this GET_LOCK for as long as the session lives; one that it holds already stays. kRefused
  // where another session has it. One a session: MySQL 5.6 lets go of an earlier one.
  virtual Status take_lock(const std::string& lock_name, Deadline deadline) = 0;

  // What our own engine asks of it, over this session: ports/replication.h. Owned by the session.
  [[nodiscard]] virtual Replication& replication() = 0;
};

class MysqlConnector {
 public:
  virtual ~MysqlConnector() = default;

  // TCP, TLS, authentication and the identity query, all under `deadline`. Thread-safe. Errors:
  // kUnreachable, kDenied (1045, and TLS asked for but not had), kRefused (the server answers, and
  // takes no connection now: too many, shutting down), kTimeout.
  virtual Result<std::unique_ptr<MysqlServer>> connect(const MysqlTarget& target,
                                                       Deadline deadline) = 0;
};

}  // namespace mha
