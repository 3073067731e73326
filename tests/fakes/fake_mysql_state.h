// What one fake MySQL server is and holds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_history.h"
#include "ports/mysql_server.h"
#include "ports/replication.h"

namespace mha {

enum class FakeHealth {
  kUp,
  kSilent,  // accepts, and answers nothing: each call costs its deadline (where there is a clock)
  kDown,    // refuses connections; open sessions are broken
};

// What a transaction does to an event: it is there afterwards, with this status on its own server.
using FakeEventChanges = std::map<FakeTransaction, ScheduledEvent>;

// A transaction in a relay log, and how many of its source's binary log end with it.
struct FakeRelayed {
  FakeTransaction transaction;
  std::size_t end = 0;
  std::optional<ScheduledEvent> event;
};

// A server as a source and as a replica; whether its threads run is in FakeMysqlState::replica.
struct FakeReplicationState {
  // Of the server itself.
  bool gtids = true;  // MySQL's gtid_mode; MariaDB has them always
  bool log_bin = true;
  bool log_replica_updates = true;
  std::string relay_log_basename = "/var/lib/mysql/relay-bin";
  std::string binlog_format = "ROW";
  std::map<std::string, std::string> binlog_filters;
  bool event_scheduler = false;
  std::vector<ScheduledEvent> events;
  FakeEventChanges event_changes;  // by transactions of `executed`
  SemiSync semi_sync;
  std::chrono::milliseconds clock_skew{0};
  std::vector<std::string> missing_privileges;
  std::vector<LongWriter> long_writers;
  FakeHistory executed;              // all that it has
  FakeHistory binlog;                // what its replicas can get
  std::vector<std::string> scripts;  // given to execute_binlog_script

  // Of its replication; as FakeMysqlConnector::follow() or replicate_from() set it.
  NewSource source;                          // an empty host: none that we know
  std::size_t received = 0;                  // transactions of the source's binary log
  std::size_t applied = 0;                   // likewise
  std::vector<FakeRelayed> relay_log;        // received and not yet applied
  FakeHistory retrieved;                     // MySQL's Retrieved_Gtid_Set
  std::optional<FakeTransaction> slave_pos;  // MariaDB's gtid_slave_pos
  std::uint64_t heartbeats = 0;              // from the source, as often as a test says
  bool connected = false;                    // to the source, when last looked
  bool asked_for_semi_sync = false;          // when it connected
  ReplicationError receiver_error;
  ReplicationError applier_error;
  std::chrono::seconds lag{0};  // shown while transactions wait
  std::chrono::seconds delay{0};
  std::map<std::string, std::string> filters;
  std::vector<std::string> other_channels;

  // What goes wrong, for tests to set.
  bool applier_held = false;        // it runs and applies nothing
  ReplicationError receiver_fault;  // where its number is not 0: what ends the thread at once
  ReplicationError applier_fault;   // likewise, with the next transaction
};

// Tests read and write the members between calls; sessions go through the locked functions.
struct FakeMysqlState {
  ServerIdentity identity{ServerFamily::kMysql, "8.0.36", 80036, 0, 1};
  FakeHealth health = FakeHealth::kUp;
  std::optional<Error> connect_error;  // what connect answers instead, while set

  // nullopt in super_read_only: the server has no such variable (as MariaDB).
  ReadOnlyState read_only{ReadOnly::kOff, false};
  // Clients and the server's own threads. Our own sessions are not among them: they are added when
  // another session lists.
  std::vector<ServerThread> threads;
  // How often the client behind a thread comes back, under a new id, when it is killed.
  std::map<std::uint64_t, unsigned> reconnects;
  // Threads that KILL answers with error 1094 for.
  std::set<std::uint64_t> unkillable;
  std::set<std::uint64_t> not_by_user;  // end_sessions_of() leaves them
  // Threads that are listed for ever, as killed, once they are.
  std::set<std::uint64_t> undying;
  // While there is any, writes cannot be blocked; killing a blocker's thread ends it.
  std::vector<WriteBlocker> blockers;
  std::vector<std::string> exempt_users;       // whom read_only does not bind
  std::optional<ReplicaThreads> replica;       // nullopt: no replica
  std::map<std::string, std::uint64_t> locks;  // name of a GET_LOCK to the thread that holds it
  FakeReplicationState replication;

  // Runs at the start of each call that reaches the server (text as in FaultPlan), and again and
  // again, the text ending in " (waiting)", while a call waits: the world moves on between calls.
  std::function<void(FakeMysqlState&, const std::string& call)> on_call;

  // Adds a client; gives its id.
  std::uint64_t add_thread(const std::string& user, const std::string& command = "Sleep",
                           const std::string& host = "10.0.0.9:40000") {
    const std::uint64_t id = next_id++;
    threads.push_back({id, user, host, command, 0, "", ""});
    return id;
  }

  // Ends a thread as if its client had left.
  void remove_thread(std::uint64_t id) {
    std::erase_if(threads, [id](const ServerThread& thread) { return thread.id == id; });
    std::erase_if(blockers, [id](const WriteBlocker& blocker) { return blocker.thread_id == id; });
    std::erase_if(locks, [id](const auto& entry) { return entry.second == id; });
    std::erase_if(replication.long_writers,
                  [id](const LongWriter& writer) { return writer.thread_id == id; });
    reconnects.erase(id);
    sessions.erase(id);
  }

  // A client commits `count` transactions; false where read_only forbids it.
  bool write(std::size_t count = 1) {
    const std::lock_guard lock{mutex};
    if (read_only.blocks_writes()) return false;
    write_as_super(count);
    return true;
  }
  // The same by somebody whom read_only does not bind.
  void write_as_super(std::size_t count = 1) {
    const std::lock_guard lock{mutex};
    for (; count > 0; --count) {
      std::uint64_t last = 0;
      for (const FakeTransaction& each : replication.executed) {
        const bool counts =
            identity.family == ServerFamily::kMariadb || each.server_id == identity.server_id;
        if (counts) last = std::max(last, each.number);
      }
      const FakeTransaction transaction{identity.server_id, last + 1};
      replication.executed.push_back(transaction);
      if (replication.log_bin) replication.binlog.push_back(transaction);
    }
  }

  // CREATE or ALTER EVENT here: goes to the binary log like any other transaction.
  void put_event(ScheduledEvent event) {
    const std::lock_guard lock{mutex};
    event.originator = identity.server_id;
    write_as_super();
    replication.event_changes[replication.executed.back()] = event;
    set_event(std::move(event));
  }
  // As it is when a transaction has brought it.
  void set_event(ScheduledEvent event) {
    for (ScheduledEvent& one : replication.events) {
      if (one.schema != event.schema || one.name != event.name) continue;
      one = std::move(event);
      return;
    }
    replication.events.push_back(std::move(event));
  }

  std::uint64_t next_id = 100;
  std::map<std::uint64_t, ServerThread> sessions;  // ours that are open
  std::recursive_mutex mutex;
};

// MariaDB: no super_read_only.
inline void make_mariadb(FakeMysqlState& state) {
  state.identity = {ServerFamily::kMariadb, "10.11.14-MariaDB", 101114, 0,
                    state.identity.server_id};
  state.read_only.super_read_only.reset();
}

}  // namespace mha
