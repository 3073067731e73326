// Catching up, leaving, following.
#include "engine/steps_follow.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/host_name.h"
#include "engine/position.h"
#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

bool same_place(const SourcePosition& one, const SourcePosition& other) {
  return one.binlog == other.binlog && one.gtids == other.gtids;
}

class EnsureCaughtUp : public ServerStep {
 public:
  EnsureCaughtUp(Node& next, Node& orig, std::string occasion, GtidUse gtid_use, Handover& handover,
                 Log& log)
      : ServerStep(next, log),
        orig_(orig),
        occasion_(std::move(occasion)),
        gtid_use_(gtid_use),
        handover_(handover) {}

  std::string kind() const override { return "ensure_caught_up"; }
  std::string name() const override { return ServerStep::name() + " " + occasion_; }
  std::string description() const override {
    return fmt::format("wait until {} has applied everything of {} {}", node().title(),
                       orig_.title(), occasion_);
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> next = replication(deadline);
    if (!next.ok()) return next.error();
    Result<MysqlServer*> orig = orig_.mysql(deadline);
    if (!orig.ok()) return orig.error();
    for (;;) {
      Result<SourcePosition> end = orig.value()->replication().own_position(deadline);
      if (!end.ok()) return end.error();
      // Reached, and it has not moved meanwhile.
      if (same_place(end.value(), handover_.orig_end)) return {};
      const Status applied = next.value()->wait_until_applied(end.value(), gtid_use_, deadline);
      if (!applied.ok()) {
        return applied.error().with_context(fmt::format(
            "waiting until {} has applied everything of {}", node().title(), orig_.title()));
      }
      handover_.orig_end = std::move(end).value();
    }
  }

 private:
  Node& orig_;
  std::string occasion_;
  GtidUse gtid_use_;
  Handover& handover_;
};

Status stop_replication(Replication& server, const Node& node, Deadline deadline) {
  const Status stopped = server.stop_replica(deadline);
  if (stopped.ok()) return stopped;
  return stopped.error().with_context(fmt::format("stopping the replication of {}", node.title()));
}

// Afterwards no replication thread runs, and handover.next_begin is where the server's own binary
// log ends then.
Status leave_source(Replication& server, const Node& node, Handover& handover, Deadline deadline) {
  const Status stopped = stop_replication(server, node, deadline);
  if (!stopped.ok()) return stopped;
  Result<SourcePosition> begin = server.own_position(deadline);
  if (!begin.ok()) return begin.error();
  handover.next_begin = std::move(begin).value();
  return {};
}

class EnsureAtEnd : public ServerStep {
 public:
  EnsureAtEnd(Node& next, Node& orig, GtidUse gtid_use, Handover& handover, Log& log)
      : ServerStep(next, log),
        orig_(orig),
        handover_(handover),
        catch_up_(next, orig, "once more", gtid_use, handover, log) {}

  std::string kind() const override { return "ensure_at_end"; }
  std::string description() const override {
    return fmt::format("see that {} has written nothing more", orig_.title());
  }
  Status apply(const json& found, Deadline deadline) override {
    Result<MysqlServer*> orig = orig_.mysql(deadline);
    if (!orig.ok()) return orig.error();
    const Result<SourcePosition> end = orig.value()->replication().own_position(deadline);
    if (!end.ok()) return end.error();
    if (same_place(end.value(), handover_.orig_end)) return {};

    log().info("{} has written since: {} catches up once more", orig_.title(), node().title());
    Result<MysqlServer*> next = node().mysql(deadline);
    if (!next.ok()) return next.error();
    const Status started = next.value()->ensure_replica_threads({true, true}, deadline);
    if (!started.ok()) return started;
    if (const Status applied = catch_up_.apply(found, deadline); !applied.ok()) return applied;
    return leave_source(next.value()->replication(), node(), handover_, deadline);
  }

 private:
  Node& orig_;
  Handover& handover_;
  EnsureCaughtUp catch_up_;
};

class EnsureNotFollowing : public ServerStep {
 public:
  // `handover`: nullptr where this is not the new master.
  EnsureNotFollowing(Node& node, Handover* handover, Log& log)
      : ServerStep(node, log), handover_(handover) {}

  std::string kind() const override { return "ensure_not_following"; }
  std::string description() const override {
    return fmt::format("stop the replication of {}", node().title());
  }
  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    const Result<std::optional<ReplicaThreads>> threads = server.value()->replica_threads(deadline);
    if (!threads.ok()) return threads.error();
    const ReplicaThreads found = threads.value().value_or(ReplicaThreads{});
    return json{{"receiver", found.receiver}, {"applier", found.applier}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    if (handover_ != nullptr) {
      return leave_source(*server.value(), node(), *handover_, deadline);
    }
    return stop_replication(*server.value(), node(), deadline);
  }
  Status undo(const json& found, Deadline deadline) override {
    const ReplicaThreads wanted{found.value("receiver", false), found.value("applier", false)};
    if (wanted == ReplicaThreads{}) return {};
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    log().info("Starting the replication of {} again", node().title());
    return server.value()->ensure_replica_threads(wanted, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    if (!found.value("receiver", false) && !found.value("applier", false)) return "";
    return mysql_by_hand("START SLAVE");
  }

 private:
  Handover* handover_;
};

class EnsureFollows : public ServerStep {
 public:
  EnsureFollows(Node& node, FollowRequest request, const Handover& handover, Log& log)
      : ServerStep(node, log), request_(std::move(request)), handover_(handover) {}

  std::string kind() const override { return "ensure_follows"; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    return fmt::format("let {} replicate from {}:{}, by {}", node().title(), request_.source.host,
                       request_.source.port,
                       request_.source.gtid_use == GtidUse::kNone ? "position" : "GTIDs");
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    const Status done = server.ok() ? point(*server.value(), deadline) : server.status();
    if (done.ok()) {
      log().info("{} replicates from {}:{}", node().title(), request_.source.host,
                 request_.source.port);
      return done;
    }
    Error error = done.error().with_context(
        fmt::format("{} does not replicate from the new master", node().title()));
    error.message += "; by hand: " + by_hand();
    return error;
  }

 private:
  [[nodiscard]] bool follows_already(const ServerState& state) const {
    if (!state.replica.has_value() || state.replica->source_port != request_.source.port) {
      return false;
    }
    const std::vector<std::string>& known = request_.source_addresses;
    return std::find(known.begin(), known.end(), host_key(state.replica->source_host)) !=
           known.end();
  }

  Status point(Replication& server, Deadline deadline) {
    const Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    // Pointing it by position a second time would apply again what it has applied since.
    if (follows_already(state.value())) return server.start_replica(deadline);
    NewSource source = request_.source;
    if (source.gtid_use == GtidUse::kNone) {
      source.start = handover_.next_begin.binlog;
      const bool waits = request_.old_source == FollowRequest::OldSource::kMustBeDone &&
                         state.value().replica.has_value();
      if (waits) {
        const Status there = come_to_the_end(server, *state.value().replica, deadline);
        if (!there.ok()) return there;
      }
    }
    if (Status stopped = server.stop_replica(deadline); !stopped.ok()) return stopped;
    if (Status pointed = server.replicate_from(source, deadline); !pointed.ok()) return pointed;
    return server.start_replica(deadline);
  }

  // Afterwards it has applied all of the old master's log up to the handover, and nothing that
  // comes later: the old master logs what it gets as a replica of the new one, and from whoever
  // gets that there the new one's log would come a second time.
  Status come_to_the_end(Replication& server, const ReplicaState& replica, Deadline deadline) {
    const BinlogCoordinates& end = handover_.orig_end.binlog;
    const Result<bool> has_received = is_at_or_after(replica.received, end);
    if (!has_received.ok()) return has_received.error();
    if (has_received.value()) {
      if (Status stopped = server.stop_receiver(deadline); !stopped.ok()) return stopped;
    }
    const Status applied = server.wait_until_applied(handover_.orig_end, GtidUse::kNone, deadline);
    if (!applied.ok()) return applied;
    if (Status stopped = server.stop_replica(deadline); !stopped.ok()) return stopped;
    const Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    const BinlogCoordinates has = state.value().replica.value_or(ReplicaState{}).executed;
    // Events that are no transactions may follow.
    const bool same_gtids = !handover_.orig_end.gtids.empty() &&
                            state.value().executed_gtids == handover_.orig_end.gtids;
    const Result<bool> is_not_past = is_at_or_after(end, has);
    if (!is_not_past.ok()) return is_not_past.error();
    if (is_not_past.value() || same_gtids) return {};
    return Error{Code::kRefused,
                 fmt::format("it has applied {}:{} of the original master's log, which was to end "
                             "at {}:{}: what it has got since would come twice",
                             has.file, has.position, end.file, end.position)};
  }

  [[nodiscard]] std::string by_hand() const {
    const NewSource& source = request_.source;
    if (source.gtid_use != GtidUse::kNone) {
      return fmt::format("point it to {}:{} by GTIDs", source.host, source.port);
    }
    return fmt::format(
        "once it has applied {}:{} of the original master, point it to {}:{} at {}:{}",
        handover_.orig_end.binlog.file, handover_.orig_end.binlog.position, source.host,
        source.port, handover_.next_begin.binlog.file, handover_.next_begin.binlog.position);
  }

  FollowRequest request_;
  const Handover& handover_;
};

class EnsureSourceForgotten : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_source_forgotten"; }
  std::string description() const override {
    return fmt::format("let {} forget its source", node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    Status done = server.value()->stop_replica(deadline);
    if (done.ok()) done = server.value()->forget_source(deadline);
    if (done.ok()) return done;
    Error error = done.error().with_context(
        fmt::format("{} still has its old source configured", node().title()));
    error.message += "; by hand: " + mysql_by_hand("RESET SLAVE ALL");
    return error;
  }
};

}  // namespace

std::unique_ptr<Step> ensure_caught_up(Node& next, Node& orig, std::string occasion,
                                       GtidUse gtid_use, Handover& handover, Log& log) {
  return std::make_unique<EnsureCaughtUp>(next, orig, std::move(occasion), gtid_use, handover, log);
}
std::unique_ptr<Step> ensure_at_end(Node& next, Node& orig, GtidUse gtid_use, Handover& handover,
                                    Log& log) {
  return std::make_unique<EnsureAtEnd>(next, orig, gtid_use, handover, log);
}
std::unique_ptr<Step> ensure_not_following(Node& node, Handover& handover, Log& log) {
  return std::make_unique<EnsureNotFollowing>(node, &handover, log);
}
std::unique_ptr<Step> ensure_replication_stopped(Node& node, Log& log) {
  return std::make_unique<EnsureNotFollowing>(node, nullptr, log);
}
std::unique_ptr<Step> ensure_follows(Node& node, FollowRequest request, const Handover& handover,
                                     Log& log) {
  return std::make_unique<EnsureFollows>(node, std::move(request), handover, log);
}
std::unique_ptr<Step> ensure_source_forgotten(Node& node, Log& log) {
  return std::make_unique<EnsureSourceForgotten>(node, log);
}

}  // namespace mha
