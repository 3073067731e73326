// The replication of a fake MySQL server.
#pragma once

#include <fmt/core.h>

#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "fakes/fake_history.h"
#include "fakes/fake_session.h"
#include "ports/replication.h"

namespace mha {

// Of a session, which outlives it. Its calls in the fault plan:
//   mysql db2:3306 state                    mysql db2:3306 wait_until_applied
//   mysql db2:3306 own_position             mysql db2:3306 wait_until_replicated
//                                           mysql db2:3306 wait_until_relay_log_applied
//   mysql db2:3306 missing_privileges       mysql db2:3306 stop_replica, start_replica
//   mysql db2:3306 long_writers             mysql db2:3306 stop_receiver, forget_source
//   mysql db2:3306 set_event_scheduler ON   mysql db2:3306 replicate_from db1:3306
//   mysql db2:3306 set_semi_sync source ON  mysql db2:3306 execute_binlog_script
//   mysql db2:3306 receiver_seen
//   mysql db2:3306 scheduled_events         mysql db2:3306 enable_event SCHEMA.NAME
class FakeReplication : public Replication {
 public:
  explicit FakeReplication(FakeSession& session) : session_(session) {}

  Result<ServerState> state(Deadline deadline) override {
    return session_.call("state", deadline, [this]() -> Result<ServerState> { return observe(); });
  }

  Result<SourcePosition> own_position(Deadline deadline) override {
    return session_.call("own_position", deadline, [this]() -> Result<SourcePosition> {
      return SourcePosition{
          end_of_binlog(),
          has_gtids() ? gtids(family() == ServerFamily::kMysql ? own().executed : own().binlog)
                      : ""};
    });
  }

  Result<std::optional<ReceiverSeen>> receiver_seen(Deadline deadline) override {
    return session_.call(
        "receiver_seen", deadline, [this]() -> Result<std::optional<ReceiverSeen>> {
          if (!state_.replica.has_value()) return std::optional<ReceiverSeen>{};
          const ReplicaState seen = observe_replica();
          return std::optional{ReceiverSeen{seen.receiver, seen.receiver_error, seen.received,
                                            seen.received_gtids, own().heartbeats}};
        });
  }

  Result<std::vector<std::string>> missing_privileges(Deadline deadline) override {
    return session_.call(
        "missing_privileges", deadline,
        [this]() -> Result<std::vector<std::string>> { return own().missing_privileges; });
  }

  Result<std::vector<LongWriter>> long_writers(std::chrono::seconds at_least,
                                               Deadline deadline) override {
    return session_.call("long_writers", deadline, [&]() -> Result<std::vector<LongWriter>> {
      std::vector<LongWriter> writers = own().long_writers;
      std::erase_if(writers, [&](const LongWriter& writer) { return writer.age < at_least; });
      return writers;
    });
  }

  Status wait_until_applied(const SourcePosition& position, GtidUse gtid_use,
                            Deadline deadline) override {
    return session_.wait("wait_until_applied", deadline, [&]() -> std::optional<Status> {
      if (has_applied(position, gtid_use)) return Status{};
      return unless_applying();
    });
  }

  // Without patience for a receiver that may come back.
  Status wait_until_replicated(const std::string& gtids, Deadline deadline) override {
    return session_.wait("wait_until_replicated", deadline, [&]() -> std::optional<Status> {
      if (has_applied({{}, gtids}, GtidUse::kAuto)) return Status{};
      if (std::optional<Status> ended = unless_applying()) return ended;
      const bool lost =
          !state_.replica->receiver || (!own().connected && own().receiver_error.number != 0);
      if (lost && own().relay_log.empty()) return runs();
      return std::nullopt;
    });
  }

  Status wait_until_relay_log_applied(Deadline deadline) override {
    return session_.wait("wait_until_relay_log_applied", deadline, [&]() -> std::optional<Status> {
      if (!state_.replica.has_value()) return refused("it replicates from nobody");
      if (state_.replica->receiver) {
        return refused("its receiver still runs, so its relay log has no end to wait for");
      }
      if (own().relay_log.empty()) return Status{};
      return unless_applying();
    });
  }

  Status stop_replica(Deadline deadline) override {
    return session_.call("stop_replica", deadline, [this]() -> Status {
      if (state_.replica.has_value()) state_.replica = ReplicaThreads{};
      return {};
    });
  }

  Status start_replica(Deadline deadline) override {
    return session_.call_and_check(
        "start_replica", deadline,
        [this]() -> Status {
          if (!state_.replica.has_value()) return refused("it replicates from nobody");
          own().receiver_error = {};
          own().applier_error = {};
          state_.replica = ReplicaThreads{true, true};
          return {};
        },
        [this] { return runs(); });
  }

  Status stop_receiver(Deadline deadline) override {
    return session_.call("stop_receiver", deadline, [this]() -> Status {
      if (state_.replica.has_value()) state_.replica->receiver = false;
      return {};
    });
  }

  Status forget_source(Deadline deadline) override {
    return session_.call("forget_source", deadline, [this]() -> Status {
      const bool running = state_.replica.has_value() && *state_.replica != ReplicaThreads{};
      if (running) return refused("a thread of its replication still runs (error 1198)");
      state_.replica.reset();
      own().source = {};
      forget_progress();
      return {};
    });
  }

  Status replicate_from(const NewSource& source, Deadline deadline) override {
    MysqlTarget target;
    target.host = source.host;
    target.port = source.port;
    return session_.call("replicate_from " + target.name(), deadline, [&]() -> Status {
      state_.replica = ReplicaThreads{};
      forget_progress();
      const NewSource before = own().source;
      own().source = source;
      if (source.user.empty()) {
        own().source.user = before.user;
        own().source.password = before.password;
      }
      if (source.gtid_use == GtidUse::kNone && !source.start.file.empty()) {
        own().received = fake_index(target.name(), source.start)
                             .value_or(std::numeric_limits<std::size_t>::max());
        own().applied = own().received;
      }
      if (source.gtid_use == GtidUse::kAuto && !own().executed.empty()) {
        own().slave_pos = own().executed.back();
      }
      return {};
    });
  }

  Status set_event_scheduler(Switch wanted, Deadline deadline) override {
    return session_.call("set_event_scheduler " + text_of(wanted), deadline, [&]() -> Status {
      own().event_scheduler = wanted == Switch::kOn;
      return {};
    });
  }

  Status set_semi_sync(SemiSyncRole role, Switch wanted, Deadline deadline) override {
    const bool source = role == SemiSyncRole::kSource;
    const std::string what = source ? "source" : "replica";
    return session_.call(
        fmt::format("set_semi_sync {} {}", what, text_of(wanted)), deadline, [&]() -> Status {
          const bool on = wanted == Switch::kOn;
          if (!own().semi_sync.available) return on ? Status{refused("no semi-sync")} : Status{};
          (source ? own().semi_sync.source_enabled : own().semi_sync.replica_enabled) = on;
          if (source && !on) own().semi_sync.waiting_sessions = 0;
          return {};
        });
  }

  Result<std::vector<ScheduledEvent>> scheduled_events(Deadline deadline) override {
    return session_.call("scheduled_events", deadline,
                         [this]() -> Result<std::vector<ScheduledEvent>> { return own().events; });
  }

  Status enable_event(const ScheduledEvent& event, Deadline deadline) override {
    const std::string name = event.schema + "." + event.name;
    return session_.call("enable_event " + name, deadline, [&]() -> Status {
      for (const ScheduledEvent& one : own().events) {
        if (one.schema != event.schema || one.name != event.name) continue;
        ScheduledEvent enabled = event;
        enabled.status = EventStatus::kEnabled;
        state_.put_event(std::move(enabled));
        return {};
      }
      return refused(fmt::format("Unknown event '{}' (error 1539)", event.name));
    });
  }

  Result<std::uint64_t> execute_binlog_script(const BinlogReplay& replay,
                                              Deadline deadline) override {
    return session_.call("execute_binlog_script", deadline, [&]() -> Result<std::uint64_t> {
      std::string& script = own().scripts.emplace_back();
      BinlogScript statements{[&]() -> Result<std::string> {
        Result<std::string> piece = replay.text();
        if (piece.ok()) script += piece.value();
        return piece;
      }};
      std::uint64_t number = 0;
      while (true) {
        const Result<std::optional<std::string_view>> statement = statements.next();
        if (!statement.ok()) return statement.error();
        if (!statement.value().has_value()) return number;
        std::istringstream words{std::string{*statement.value()}};
        std::string word;
        FakeTransaction transaction;
        if (!(words >> word >> transaction.server_id >> transaction.number)) continue;
        if (word != "TRANSACTION" || number++ < replay.skip) continue;
        if (replay.before) {
          if (const Status ready = replay.before(number - 1); !ready.ok()) return ready.error();
        }
        // As MySQL does by itself, and MariaDB's statements do not.
        const bool idempotent = family() == ServerFamily::kMysql && own().gtids;
        if (idempotent && contains(own().executed, transaction)) continue;
        own().executed.push_back(transaction);
        if (own().log_bin && replay.log_bin == Switch::kOn) own().binlog.push_back(transaction);
      }
    });
  }

 private:
  static std::string text_of(Switch wanted) { return wanted == Switch::kOn ? "ON" : "OFF"; }

  FakeReplicationState& own() { return state_.replication; }
  [[nodiscard]] ServerFamily family() const { return state_.identity.family; }
  [[nodiscard]] bool has_gtids() { return family() == ServerFamily::kMariadb || own().gtids; }
  std::string gtids(const FakeHistory& history) { return gtids_of(family(), history); }
  BinlogCoordinates end_of_binlog() {
    if (!own().log_bin) return {};
    return fake_coordinates(session_.name(), own().binlog.size());
  }
  std::string source_name() {
    MysqlTarget target;
    target.host = own().source.host;
    target.port = own().source.port;
    return target.name();
  }
  Error refused(const std::string& what) {
    return {Code::kRefused, fmt::format("MySQL on {}: {}", session_.name(), what)};
  }

  void forget_progress() {
    own().received = 0;
    own().applied = 0;
    own().relay_log.clear();
    own().retrieved.clear();
    own().connected = false;
    own().receiver_error = {};
    own().applier_error = {};
  }

  bool has_applied(const SourcePosition& position, GtidUse gtid_use) {
    if (gtid_use != GtidUse::kNone) return covers(family(), own().executed, position.gtids);
    const std::optional<std::size_t> wanted = fake_index(source_name(), position.binlog);
    return wanted.has_value() && state_.replica.has_value() && own().applied >= *wanted;
  }

  std::optional<Status> unless_applying() {
    if (!state_.replica.has_value()) return refused("it replicates from nobody");
    if (state_.replica->applier) return std::nullopt;
    return refused(fmt::format("its applier does not run: {} (error {})", own().applier_error.text,
                               own().applier_error.number));
  }

  Status runs() {
    const auto says = [this](const char* what, const ReplicationError& error) {
      return refused(fmt::format("{}: {} (error {})", what, error.text, error.number));
    };
    if (!state_.replica->receiver) return says("its receiver stopped", own().receiver_error);
    if (!state_.replica->applier) return says("its applier stopped", own().applier_error);
    const bool connects = own().source.host.empty() || own().connected;
    return connects ? Status{} : says("its receiver cannot connect", own().receiver_error);
  }

  ServerState observe() {
    ServerState seen;
    seen.read_only = state_.read_only;
    if (family() == ServerFamily::kMysql) seen.server_uuid = fake_uuid(state_.identity.server_id);
    seen.host_name = session_.name().substr(0, session_.name().rfind(':'));
    seen.gtids = has_gtids();
    seen.log_bin = own().log_bin;
    seen.log_replica_updates = own().log_replica_updates;
    seen.relay_log_basename = own().relay_log_basename;
    seen.binlog_format = own().binlog_format;
    seen.binlog_filters = own().binlog_filters;
    seen.binlog = end_of_binlog();
    if (seen.gtids) {
      seen.executed_gtids = gtids(own().executed);
      seen.binlog_gtids = gtids(family() == ServerFamily::kMysql ? own().executed : own().binlog);
    }
    if (family() == ServerFamily::kMariadb) seen.binlog_state = mariadb_binlog_state(own().binlog);
    seen.event_scheduler = own().event_scheduler;
    seen.semi_sync = own().semi_sync;
    if (session_.clock() != nullptr) seen.clock = session_.clock()->wall_now() + own().clock_skew;
    if (state_.replica.has_value()) seen.replica = observe_replica();
    seen.other_channels = own().other_channels;
    return seen;
  }

  ReplicaState observe_replica() {
    ReplicaState seen;
    seen.source_host = own().source.host;
    seen.source_port = own().source.port;
    seen.source_user = own().source.user;
    if (state_.replica->receiver) {
      const bool connects = own().source.host.empty() || own().connected;
      seen.receiver = connects ? ReceiverState::kRunning : ReceiverState::kConnecting;
    }
    seen.applier_running = state_.replica->applier;
    seen.receiver_error = own().receiver_error;
    seen.applier_error = own().applier_error;
    seen.received = fake_coordinates(source_name(), own().received);
    seen.executed = fake_coordinates(source_name(), own().applied);
    seen.relay_log_file = "relay-bin.000001";
    seen.relay_log_position = own().applied;
    if (has_gtids()) seen.received_gtids = gtids(own().retrieved);
    seen.gtid_use = own().source.gtid_use;
    if (state_.replica->receiver && state_.replica->applier) {
      seen.behind = own().relay_log.empty() ? std::chrono::seconds{0} : own().lag;
    }
    seen.delay = own().delay;
    seen.filters = own().filters;
    seen.connect_retry = own().source.connect_retry;
    seen.security = own().source.security;
    return seen;
  }

  FakeSession& session_;
  FakeMysqlState& state_ = session_.state();
};

}  // namespace mha
