// Moves transactions between fake servers that replicate from each other.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "fakes/fake_history.h"
#include "fakes/fake_mysql_state.h"

namespace mha {

// Servers by "host:port". Takes one server's lock at a time, so it is not to be called with one
// held. What a real replica would refuse, a fake one refuses with the same error: 1236 where the
// source does not have the place to begin at, 1062 where a transaction comes a second time.
class FakeFlow {
 public:
  explicit FakeFlow(std::map<std::string, FakeMysqlState>& servers) : servers_(servers) {}

  // Until nothing moves any more.
  void run() {
    move();
    count_semi_sync_replicas();
  }

 private:
  void move() {
    for (std::size_t round = 0; round < servers_.size(); ++round) {
      bool moved = false;
      for (auto& [name, state] : servers_) moved = step(state) || moved;
      if (!moved) return;
    }
  }

  void count_semi_sync_replicas() {
    std::map<std::string, std::uint64_t> replicas;
    for (auto& [name, state] : servers_) {
      const std::lock_guard lock{state.mutex};
      const FakeReplicationState& own = state.replication;
      const bool counts = state.health == FakeHealth::kUp && state.replica.has_value() &&
                          own.connected && own.asked_for_semi_sync;
      if (counts) ++replicas[source_name(state)];
    }
    for (auto& [name, state] : servers_) {
      const std::lock_guard lock{state.mutex};
      state.replication.semi_sync.replicas = replicas[name];
    }
  }

  struct Source {
    std::string name;
    FakeHealth health = FakeHealth::kDown;
    bool log_bin = false;
    std::uint32_t server_id = 0;
    FakeHistory binlog;
    std::optional<FakeTransaction> slave_pos;
    FakeEventChanges event_changes;
    bool has_semi_sync = false;
  };

  static std::string source_name(const FakeMysqlState& state) {
    MysqlTarget target;
    target.host = state.replication.source.host;
    target.port = state.replication.source.port;
    return target.name();
  }

  // A copy: nobody holds two locks.
  Source look_at(const std::string& name) {
    const auto found = servers_.find(name);
    if (found == servers_.end()) return {name, FakeHealth::kDown, false, 0, {}, {}, {}};
    FakeMysqlState& state = found->second;
    const std::lock_guard lock{state.mutex};
    return {name,
            state.health,
            state.replication.log_bin,
            state.identity.server_id,
            state.replication.binlog,
            state.replication.slave_pos,
            state.replication.event_changes,
            state.replication.semi_sync.available};
  }

  // Whether anything has moved.
  bool step(FakeMysqlState& state) {
    std::string name;
    {
      const std::lock_guard lock{state.mutex};
      if (!state.replica.has_value() || state.replication.source.host.empty()) return false;
      name = source_name(state);
    }
    const Source source = look_at(name);
    const std::lock_guard lock{state.mutex};
    const bool still = state.replica.has_value() && source_name(state) == name;
    if (!still || state.health != FakeHealth::kUp) return false;
    const std::size_t before = state.replication.relay_log.size();
    receive(state, source);
    const bool received = state.replication.relay_log.size() != before;
    return apply(state) || received;
  }

  static void stop_receiver(FakeMysqlState& state, ReplicationError error) {
    state.replica->receiver = false;
    state.replication.connected = false;
    state.replication.receiver_error = std::move(error);
  }

  static void receive(FakeMysqlState& state, const Source& source) {
    FakeReplicationState& own = state.replication;
    if (!state.replica->receiver) {
      own.connected = false;
      return;
    }
    // A silent source keeps its connections.
    if (source.health == FakeHealth::kSilent) return;
    const bool was_connected = own.connected;
    own.connected = source.health == FakeHealth::kUp;
    if (!was_connected) {
      own.asked_for_semi_sync = own.semi_sync.replica_enabled && source.has_semi_sync;
    }
    if (!own.connected) {
      own.receiver_error = {
          2003, fmt::format("error connecting to master '{}@{}'", own.source.user, source.name)};
      return;
    }
    own.receiver_error = {};
    if (own.receiver_fault.number != 0) return stop_receiver(state, own.receiver_fault);
    if (!source.log_bin) return stop_receiver(state, {1236, "Binary log is not open"});
    const std::optional<std::size_t> begin = place_to_begin(state, source);
    if (!begin.has_value()) {
      return stop_receiver(state, {1236,
                                   "Could not find GTID state or log file requested by slave "
                                   "in any binlog files"});
    }
    for (std::size_t i = *begin; i < source.binlog.size(); ++i) {
      // Of its own, come back in a ring: passed over (replicate_same_server_id=0).
      if (source.binlog[i].server_id == state.identity.server_id) continue;
      if (own.source.gtid_use != GtidUse::kNone && has(own, source.binlog[i])) continue;
      const auto event = source.event_changes.find(source.binlog[i]);
      own.relay_log.push_back(
          {source.binlog[i], i + 1,
           event == source.event_changes.end() ? std::nullopt : std::optional{event->second}});
      own.retrieved.push_back(source.binlog[i]);
    }
    own.received = source.binlog.size();
    if (own.relay_log.empty()) own.applied = own.received;
  }

  static bool has(const FakeReplicationState& own, const FakeTransaction& transaction) {
    return contains(own.executed, transaction) ||
           std::ranges::any_of(own.relay_log, [&](const FakeRelayed& relayed) {
             return relayed.transaction == transaction;
           });
  }

  // Which transaction of the source's is the next; nullopt where the source cannot tell.
  static std::optional<std::size_t> place_to_begin(const FakeMysqlState& state,
                                                   const Source& source) {
    const FakeReplicationState& own = state.replication;
    if (own.source.gtid_use == GtidUse::kNone) {
      // By place: the file must be the source's, as it was when we were pointed to it.
      const bool known =
          own.source.start.file.empty() || own.source.start.file == fake_binlog_file(source.name);
      if (!known || own.received > source.binlog.size()) return std::nullopt;
      return own.received;
    }
    if (state.identity.family == ServerFamily::kMysql) return 0;
    std::optional<FakeTransaction> last = own.slave_pos;
    if (own.source.gtid_use == GtidUse::kCurrentPos && !own.executed.empty()) {
      last = own.executed.back();
    }
    if (!own.relay_log.empty()) last = own.relay_log.back().transaction;
    // A source that has nothing in the domain takes whatever it is asked for.
    if (!last.has_value() || source.binlog.empty()) return 0;
    return behind(source, *last);
  }

  // MariaDB's: of the server that wrote `last` the first that is not older, which may leave a hole
  // where not all is logged. A source that was a replica up to `last` itself and did not log it
  // begins with its own (sql_repl.cc, check_slave_start_position()).
  static std::optional<std::size_t> behind(const Source& source, const FakeTransaction& last) {
    const auto index = [&source](auto found) {
      return static_cast<std::size_t>(found - source.binlog.begin());
    };
    const auto found = std::ranges::find_if(source.binlog, [&last](const FakeTransaction& each) {
      return each.server_id == last.server_id && each.number >= last.number;
    });
    if (found != source.binlog.end()) return index(found) + (*found == last ? 1 : 0);
    if (source.slave_pos != last) return std::nullopt;
    return index(std::ranges::find_if(source.binlog, [&](const FakeTransaction& each) {
      return each.server_id == source.server_id && each.number > last.number;
    }));
  }

  static bool apply(FakeMysqlState& state) {
    FakeReplicationState& own = state.replication;
    bool moved = false;
    while (state.replica->applier && !own.applier_held && !own.relay_log.empty()) {
      const FakeRelayed next = own.relay_log.front();
      const bool twice = contains(own.executed, next.transaction);
      const bool skips = state.identity.family == ServerFamily::kMysql && own.gtids;
      ReplicationError error = own.applier_fault;
      if (error.number == 0 && twice && !skips) error = {1062, "Duplicate entry for key 'PRIMARY'"};
      if (error.number != 0) {
        state.replica->applier = false;
        own.applier_error = std::move(error);
        return moved;
      }
      if (!twice) {
        own.executed.push_back(next.transaction);
        if (next.event.has_value()) apply_event(state, next.transaction, *next.event);
        if (own.log_bin && own.log_replica_updates) own.binlog.push_back(next.transaction);
      }
      own.slave_pos = next.transaction;
      own.applied = next.end;
      own.relay_log.erase(own.relay_log.begin());
      moved = true;
    }
    return moved;
  }

  // Whether it is enabled at its source or not (observed, MariaDB 10.11).
  static void apply_event(FakeMysqlState& state, const FakeTransaction& transaction,
                          ScheduledEvent event) {
    state.replication.event_changes[transaction] = event;
    event.status = EventStatus::kDisabledOnReplica;
    state.set_event(std::move(event));
  }

  std::map<std::string, FakeMysqlState>& servers_;
};

}  // namespace mha
