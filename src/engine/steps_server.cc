// Events, semi-sync, and read_only against those who hold it up.
#include "engine/steps_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "core/steps_mysql.h"
#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// How long SET read_only may wait by itself before its blockers are looked for, and how often.
constexpr Milliseconds kBlockerPoll{20};
// How often a new source is asked for its semi-sync replicas.
constexpr Milliseconds kReplicaPoll{20};

class EnsureEvents : public ServerStep {
 public:
  EnsureEvents(Node& node, Switch wanted, Log& log) : ServerStep(node, log), wanted_(wanted) {}

  std::string kind() const override {
    return wanted_ == Switch::kOff ? "ensure_events_off" : "ensure_events_on";
  }
  std::string description() const override {
    return fmt::format("turn the event scheduler of {} {}", node().title(),
                       wanted_ == Switch::kOff ? "off" : "on");
  }
  Result<json> observe(Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<ServerState> state = server.value()->state(deadline);
    if (!state.ok()) return state.error();
    return json{{"events", state.value().event_scheduler}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    return reach(wanted_, deadline);
  }
  Status undo(const json& found, Deadline deadline) override {
    return reach(found.value("events", false) ? Switch::kOn : Switch::kOff, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    return mysql_by_hand(
        fmt::format("SET GLOBAL event_scheduler={}", found.value("events", false) ? "ON" : "OFF"));
  }

 private:
  Status reach(Switch wanted, Deadline deadline) {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Status set = server.value()->set_event_scheduler(wanted, deadline);
    if (set.ok()) return set;
    return set.error().with_context(fmt::format("the event scheduler of {}", node().title()));
  }

  Switch wanted_;
};

class EnsureSemiSyncFreed : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_semi_sync_freed"; }
  std::string description() const override {
    return fmt::format("let no COMMIT on {} wait for a semi-sync replica", node().title());
  }
  Result<json> observe(Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<ServerState> state = server.value()->state(deadline);
    if (!state.ok()) return state.error();
    return json{{"source_enabled", state.value().semi_sync.source_enabled}};
  }
  Status apply(const json& found, Deadline deadline) override {
    return found.value("source_enabled", false) ? reach(Switch::kOff, deadline) : Status{};
  }
  Status undo(const json& found, Deadline deadline) override {
    return found.value("source_enabled", false) ? reach(Switch::kOn, deadline) : Status{};
  }
  std::string undo_by_hand(const json& found) const override {
    if (!found.value("source_enabled", false)) return "";
    return mysql_by_hand("SET GLOBAL rpl_semi_sync_master_enabled=ON") +
           " (rpl_semi_sync_source_enabled on MySQL 8.0.26 and newer)";
  }

 private:
  Status reach(Switch wanted, Deadline deadline) {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    return server.value()->set_semi_sync(SemiSyncRole::kSource, wanted, deadline);
  }
};

class EnsureSemiSyncOffForNow : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_semi_sync_off_for_now"; }
  std::string description() const override {
    return fmt::format("let no COMMIT on {} wait for semi-sync replicas that are still to come",
                       node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    return server.value()->set_semi_sync(SemiSyncRole::kSource, Switch::kOff, deadline);
  }
};

class EnsureSemiSyncReplica : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_semi_sync_replica"; }
  std::string description() const override {
    return fmt::format("make {} a semi-sync replica", node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    const Status done = server.ok() ? reach(*server.value(), deadline) : server.status();
    if (done.ok()) return done;
    Error error =
        done.error().with_context(fmt::format("{} is no semi-sync replica", node().title()));
    error.message += "; by hand: " + mysql_by_hand("SET GLOBAL rpl_semi_sync_slave_enabled=ON") +
                     " (rpl_semi_sync_replica_enabled on MySQL 8.0.26 and newer), then stop and "
                     "start its replication";
    return error;
  }

 private:
  static Status reach(Replication& server, Deadline deadline) {
    const Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    const Status off = server.set_semi_sync(SemiSyncRole::kSource, Switch::kOff, deadline);
    if (!off.ok()) return off;
    const bool began_without = !state.value().semi_sync.replica_enabled &&
                               state.value().replica.has_value() &&
                               state.value().replica->receiver != ReceiverState::kStopped;
    if (began_without) {
      if (Status stopped = server.stop_receiver(deadline); !stopped.ok()) return stopped;
    }
    return server.set_semi_sync(SemiSyncRole::kReplica, Switch::kOn, deadline);
  }
};

class EnsureSemiSyncSource : public ServerStep {
 public:
  EnsureSemiSyncSource(Node& node, Milliseconds patience, Clock& clock, Log& log)
      : ServerStep(node, log), patience_(patience), clock_(clock) {}

  std::string kind() const override { return "ensure_semi_sync_source"; }
  std::string description() const override {
    return fmt::format("make {} a semi-sync source, once its replicas are there", node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    const Status done = server.ok() ? reach(*server.value(), deadline) : server.status();
    if (done.ok()) return done;
    Error error =
        done.error().with_context(fmt::format("{} is no semi-sync source", node().title()));
    error.message += "; by hand, once its replicas are there: " +
                     mysql_by_hand("SET GLOBAL rpl_semi_sync_master_enabled=ON") +
                     " (rpl_semi_sync_source_enabled on MySQL 8.0.26 and newer)";
    return error;
  }

 private:
  Status reach(Replication& server, Deadline deadline) {
    Status off = server.set_semi_sync(SemiSyncRole::kReplica, Switch::kOff, deadline);
    if (!off.ok()) return off;
    const Deadline come_by = clock_.deadline_after(patience_).capped(deadline);
    for (;;) {
      const Result<ServerState> state = server.state(deadline);
      if (!state.ok()) return state.error();
      const SemiSync& seen = state.value().semi_sync;
      const std::uint64_t wanted = std::max<std::uint64_t>(seen.wanted_replicas, 1);
      if (seen.replicas >= wanted) {
        return server.set_semi_sync(SemiSyncRole::kSource, Switch::kOn, deadline);
      }
      if (seen.source_enabled) {
        off = server.set_semi_sync(SemiSyncRole::kSource, Switch::kOff, deadline);
        if (!off.ok()) return off;
      }
      if (clock_.passed(come_by)) {
        return Error{Code::kRefused,
                     fmt::format("each COMMIT there would wait for its time-out: {} semi-sync "
                                 "replicas receive from it, and it waits for {}",
                                 seen.replicas, wanted)};
      }
      clock_.sleep_until(std::min(clock_.now() + kReplicaPoll, come_by.at()));
    }
  }

  Milliseconds patience_;
  Clock& clock_;
};

class EnsureFrozen : public Step {
 public:
  EnsureFrozen(Node& node, LongWriters blockers, MysqlConnector& connector, Log& log)
      : node_(node),
        blockers_(blockers),
        connector_(connector),
        log_(log),
        read_only_(ensure_read_only(node, log)) {}

  std::string kind() const override { return read_only_->kind(); }
  json parameters() const override { return read_only_->parameters(); }
  std::string name() const override { return read_only_->name(); }
  std::string description() const override {
    return read_only_->description() +
           (blockers_ == LongWriters::kKill ? ", ending what holds it up" : "");
  }
  Result<json> observe(Deadline deadline) override {
    if (blockers_ == LongWriters::kKill && killer_ == nullptr) {
      Result<std::unique_ptr<MysqlServer>> opened =
          connector_.connect(node_.spec().mysql, deadline);
      if (!opened.ok()) return opened.error().with_context(node_.title());
      killer_ = std::move(opened).value();
    }
    return read_only_->observe(deadline);
  }
  Status apply(const json& found, Deadline deadline) override {
    if (killer_ == nullptr) return read_only_->apply(found, deadline);
    std::future<Status> frozen =
        std::async(std::launch::async, [&] { return read_only_->apply(found, deadline); });
    while (frozen.wait_for(kBlockerPoll) != std::future_status::ready) end_blockers(deadline);
    Status first = frozen.get();
    if (first.ok() || first.error().code != Code::kRefused) return first;
    // What held it up until its time-out is known now, if it was not before.
    end_blockers(deadline);
    return read_only_->apply(found, deadline);
  }
  Status undo(const json& found, Deadline deadline) override {
    return read_only_->undo(found, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    return read_only_->undo_by_hand(found);
  }

 private:
  void end_blockers(Deadline deadline) {
    const Result<std::vector<WriteBlocker>> blockers = killer_->write_blockers(deadline);
    if (!blockers.ok()) return;
    std::vector<std::uint64_t> ids;
    for (const WriteBlocker& blocker : blockers.value()) {
      if (!blocker.thread_id.has_value()) continue;
      log_.warning("ending what holds up read_only on {}: {}", node_.title(), blocker.text);
      ids.push_back(*blocker.thread_id);
    }
    if (ids.empty()) return;
    const Result<std::vector<KillOutcome>> killed = killer_->kill(ids, deadline);
    if (!killed.ok()) log_.warning("{}", killed.error().message);
  }

  Node& node_;
  LongWriters blockers_;
  MysqlConnector& connector_;
  Log& log_;
  std::unique_ptr<Step> read_only_;
  std::unique_ptr<MysqlServer> killer_;
};

}  // namespace

std::unique_ptr<Step> ensure_events_off(Node& node, Log& log) {
  return std::make_unique<EnsureEvents>(node, Switch::kOff, log);
}
std::unique_ptr<Step> ensure_events_on(Node& node, Log& log) {
  return std::make_unique<EnsureEvents>(node, Switch::kOn, log);
}
std::unique_ptr<Step> ensure_semi_sync_freed(Node& node, Log& log) {
  return std::make_unique<EnsureSemiSyncFreed>(node, log);
}
std::unique_ptr<Step> ensure_semi_sync_off_for_now(Node& node, Log& log) {
  return std::make_unique<EnsureSemiSyncOffForNow>(node, log);
}
std::unique_ptr<Step> ensure_semi_sync_replica(Node& node, Log& log) {
  return std::make_unique<EnsureSemiSyncReplica>(node, log);
}
std::unique_ptr<Step> ensure_semi_sync_source(Node& node, Milliseconds patience, Clock& clock,
                                              Log& log) {
  return std::make_unique<EnsureSemiSyncSource>(node, patience, clock, log);
}
std::unique_ptr<Step> ensure_frozen(Node& node, LongWriters blockers, MysqlConnector& connector,
                                    Log& log) {
  return std::make_unique<EnsureFrozen>(node, blockers, connector, log);
}

}  // namespace mha
