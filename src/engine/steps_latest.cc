// Bringing the new master up to what any replica has received.
#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "engine/position.h"
#include "engine/server_step.h"
#include "engine/steps_dead.h"

namespace mha {
namespace {

using nlohmann::json;

json found_source(const ReplicaState& replica) {
  json found = replica_to_json(replica);
  found["source_port"] = replica.source_port;
  found["applier"] = replica.applier_running;
  return found;
}

class EnsureHasLatest : public ServerStep {
 public:
  EnsureHasLatest(Difference difference, FailoverState& state, EventFiles& files,
                  Environment& environment)
      : ServerStep(*difference.next, environment.log),
        difference_(std::move(difference)),
        state_(state),
        files_(files),
        clock_(environment.clock) {}

  std::string kind() const override { return "ensure_has_latest"; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    return fmt::format("bring {} up to what the most advanced replica has received",
                       node().title());
  }
  Result<json> observe(Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<ServerState> state = server.value()->state(deadline);
    if (!state.ok()) return state.error();
    if (!state.value().replica.has_value()) return json::object();
    return found_source(*state.value().replica);
  }

  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Node*> latest = find_latest(deadline);
    if (!latest.ok()) return latest.error();
    // Both apply what they have at the same time.
    std::future<Result<ServerState>> there;
    if (latest.value() != &node()) {
      there =
          std::async(std::launch::async, [&] { return all_applied(*latest.value(), deadline); });
    }
    Result<ServerState> here = all_applied(node(), deadline);
    if (!there.valid()) {
      if (!here.ok()) return here.error();
      state_.handover.orig_end = end_of(here.value());
      return {};
    }
    Result<ServerState> ahead = there.get();
    if (!here.ok()) return here.error();
    if (!ahead.ok()) return ahead.error();
    if (here.value().gtids && ahead.value().gtids) {
      // A run before this one may have brought it further than its receiver tells.
      const Result<MysqlServer*> session = node().mysql(deadline);
      if (!session.ok()) return session.error();
      const Result<bool> has_all =
          has_everything_of(session.value()->identity().family, here.value().executed_gtids,
                            ahead.value().executed_gtids);
      if (has_all.ok() && has_all.value()) {
        state_.handover.orig_end = {ahead.value().replica->executed, here.value().executed_gtids};
        return {};
      }
    }
    log().info("{} has received more than {}, which gets the difference first",
               latest.value()->title(), node().title());
    const bool by_gtid = here.value().gtids && ahead.value().gtids;
    const Status fetched =
        by_gtid ? replicate_for_a_moment(*latest.value(), *here.value().replica, deadline)
                : apply_relay_log(*latest.value(), *here.value().replica, deadline);
    if (!fetched.ok()) {
      return fetched.error().with_context(fmt::format("{} does not get what {} has received more",
                                                      node().title(), latest.value()->title()));
    }
    orig_end_ = ahead.value().replica->executed;
    state_.handover.orig_end = {*orig_end_, ahead.value().executed_gtids};
    return {};
  }

  Status undo(const json& found, Deadline deadline) override {
    if (found.value("source_host", "").empty()) return {};
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<ServerState> state = server.value()->state(deadline);
    if (!state.ok()) return state.error();
    const ReplicaState now = state.value().replica.value_or(ReplicaState{});
    const bool is_there = now.source_host == found.value("source_host", "") &&
                          now.source_port == found.value("source_port", std::uint16_t{0});
    if (is_there) return start_applier(found, deadline);
    const ReplicaState was = replica_from_json(found);
    NewSource source;
    source.host = was.source_host;
    source.port = found.value("source_port", std::uint16_t{0});
    source.gtid_use = was.gtid_use;
    source.connect_retry = was.connect_retry;
    source.security = was.security;
    if (source.gtid_use == GtidUse::kNone) {
      // By the position that it was found at it would apply again what it has got since.
      if (orig_end_.has_value()) {
        source.start = *orig_end_;
      } else {
        source.gtid_use = GtidUse::kAuto;
        log().warning(
            "{} is pointed back to {}:{} by GTIDs: how far it has come by position is "
            "not known any more",
            node().title(), source.host, source.port);
      }
    }
    if (Status stopped = server.value()->stop_replica(deadline); !stopped.ok()) return stopped;
    if (Status back = server.value()->replicate_from(source, deadline); !back.ok()) return back;
    return start_applier(found, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    return fmt::format("point {} back to {}:{}", node().title(), found.value("source_host", "?"),
                       found.value("source_port", 0));
  }

 private:
  // Where it ran. The receiver is the business of the step that stopped it.
  Status start_applier(const json& found, Deadline deadline) {
    if (!found.value("applier", false)) return {};
    Result<MysqlServer*> session = node().mysql(deadline);
    if (!session.ok()) return session.error();
    return session.value()->ensure_replica_threads({false, true}, deadline);
  }

  // Of those that have received most, `next` itself where it is one.
  Result<Node*> find_latest(Deadline deadline) {
    Node* latest = &node();
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    Result<ServerState> own = server.value()->state(deadline);
    if (!own.ok()) return own.error();
    if (!own.value().replica.has_value()) return latest;
    BinlogCoordinates most = own.value().replica->received;
    for (Node* other : difference_.replicas) {
      if (other == &node()) continue;
      Result<MysqlServer*> session = other->mysql(deadline);
      const Result<ServerState> state = session.ok()
                                            ? session.value()->replication().state(deadline)
                                            : Result<ServerState>{session.error()};
      if (!state.ok() || !state.value().replica.has_value()) {
        log().warning("{} cannot be asked for what it has received: {}", other->title(),
                      state.ok() ? "it replicates from nobody" : state.error().message);
        continue;
      }
      const BinlogCoordinates& received = state.value().replica->received;
      if (received.file.empty()) continue;
      const Result<bool> more =
          most.file.empty() ? Result<bool>{true} : is_at_or_after(received, most);
      if (more.ok() && more.value() && received != most) {
        most = received;
        latest = other;
      }
    }
    return latest;
  }

  // What the server is once its relay log is applied. A stopped SQL thread is started: nobody will
  // start it later.
  Result<ServerState> all_applied(Node& of, Deadline deadline) {
    Result<MysqlServer*> session = of.mysql(deadline);
    if (!session.ok()) return session.error();
    Replication& server = session.value()->replication();
    Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    if (!state.value().replica.has_value()) return state;
    if (!state.value().replica->applier_running) {
      const Status started = session.value()->ensure_replica_threads({false, true}, deadline);
      if (!started.ok()) {
        return started.error().with_context(
            fmt::format("starting the SQL thread of {}", of.title()));
      }
    }
    const Status applied = server.wait_until_relay_log_applied(deadline);
    if (!applied.ok()) {
      return applied.error().with_context(
          fmt::format("{} does not apply what it has received", of.title()));
    }
    return server.state(deadline);
  }

  static SourcePosition end_of(const ServerState& state) {
    const BinlogCoordinates executed =
        state.replica.has_value() ? state.replica->executed : BinlogCoordinates{};
    return {executed, state.executed_gtids};
  }

  Status replicate_for_a_moment(Node& latest, const ReplicaState& like, Deadline deadline) {
    Result<MysqlServer*> there = latest.mysql(deadline);
    if (!there.ok()) return there.error();
    const Result<SourcePosition> end = there.value()->replication().own_position(deadline);
    if (!end.ok()) return end.error();
    Result<Replication*> here = replication(deadline);
    if (!here.ok()) return here.error();
    NewSource source;
    source.host = latest.spec().host;
    source.port = latest.spec().port;
    source.gtid_use = GtidUse::kAuto;
    source.connect_retry = 1;
    source.security = like.security;
    Status done = here.value()->stop_replica(deadline);
    if (done.ok()) done = here.value()->replicate_from(source, deadline);
    if (done.ok()) done = here.value()->start_replica(deadline);
    if (done.ok()) done = here.value()->wait_until_applied(end.value(), GtidUse::kAuto, deadline);
    if (done.ok()) done = here.value()->stop_receiver(deadline);
    return done;
  }

  Status apply_relay_log(Node& latest, const ReplicaState& here, Deadline deadline) {
    const Deadline at_most = clock_.deadline_after(kFetchAtMost).capped(deadline);
    Result<RemoteShell*> shell = latest.shell(at_most);
    if (!shell.ok()) return shell.error();
    Result<MysqlServer*> there = latest.mysql(deadline);
    if (!there.ok()) return there.error();
    Result<MysqlServer*> next = node().mysql(deadline);
    if (!next.ok()) return next.error();
    EventsWanted wanted;
    wanted.family = next.value()->identity().family;
    wanted.after = here.executed;
    wanted.keep_as = difference_.keep_as;
    wanted.client_bindir = difference_.places.client_bindir;
    wanted.remote_workdir = difference_.places.remote_workdir;
    const Result<SavedEvents> events =
        files_.fetch_relay_log(*shell.value(), there.value()->replication(), wanted, at_most);
    if (!events.ok()) return events.error();
    // Its SQL thread has nothing left to do, and must not stand in the way.
    const Status stopped = next.value()->replication().stop_replica(deadline);
    if (!stopped.ok()) return stopped;
    return files_.apply(*next.value(), events.value(), difference_.log_bin, deadline);
  }

  Difference difference_;
  FailoverState& state_;
  EventFiles& files_;
  Clock& clock_;
  std::optional<BinlogCoordinates> orig_end_;  // where the difference ends
};

}  // namespace

std::unique_ptr<Step> ensure_has_latest(Difference difference, FailoverState& state,
                                        EventFiles& files, Environment& environment) {
  return std::make_unique<EnsureHasLatest>(std::move(difference), state, files, environment);
}

}  // namespace mha
