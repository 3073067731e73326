// By GTIDs, or by position with the difference first.
#include "engine/steps_rejoin.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/host_name.h"
#include "engine/position.h"
#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// Nobody waits for clients any more, but a delay on purpose may be of hours.
constexpr Milliseconds kDelayAtMost{60'000};

class EnsureRejoined : public ServerStep {
 public:
  EnsureRejoined(Node& node, RejoinRequest request, const FailoverState& state, EventFiles& files,
                 Environment& environment)
      : ServerStep(node, environment.log),
        request_(std::move(request)),
        state_(state),
        files_(files),
        clock_(environment.clock),
        ports_(environment.ports) {}

  // As the switch's step, for it is the same to who reads a journal.
  std::string kind() const override { return "ensure_follows"; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    const NewSource& source = request_.follow.source;
    return fmt::format("let {} replicate from {}:{}, by {}", node().title(), source.host,
                       source.port, source.gtid_use == GtidUse::kNone ? "position" : "GTIDs");
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<MysqlServer*> server = node().mysql(deadline);
    const Status done = server.ok() ? rejoin(*server.value(), deadline) : server.status();
    const NewSource& source = request_.follow.source;
    if (done.ok()) {
      log().info("{} replicates from {}:{}", node().title(), source.host, source.port);
      return done;
    }
    Error error = done.error().with_context(
        fmt::format("{} does not replicate from the new master", node().title()));
    error.message += fmt::format(
        "; by hand: mend that and point it to {}:{}{}, or rebuild it", source.host, source.port,
        source.gtid_use != GtidUse::kNone
            ? " by GTIDs"
            : fmt::format(" at {}:{}, once it has applied the dead master's log up to {}:{}",
                          state_.handover.next_begin.binlog.file,
                          state_.handover.next_begin.binlog.position,
                          state_.handover.orig_end.binlog.file,
                          state_.handover.orig_end.binlog.position));
    return error;
  }

 private:
  [[nodiscard]] bool follows_already(const ServerState& state) const {
    const std::vector<std::string>& known = request_.follow.source_addresses;
    return state.replica.has_value() && state.replica->source_port == request_.follow.source.port &&
           std::find(known.begin(), known.end(), host_key(state.replica->source_host)) !=
               known.end();
  }

  Status rejoin(MysqlServer& session, Deadline deadline) {
    Replication& server = session.replication();
    Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    if (follows_already(state.value())) return server.start_replica(deadline);
    if (request_.follow.source.gtid_use != GtidUse::kNone) return point(server, {}, deadline);
    if (!state.value().replica.has_value()) {
      return Error{Code::kRefused, "it replicates from nobody any more"};
    }
    if (!state.value().replica->applier_running) {
      if (Status on = session.ensure_replica_threads({false, true}, deadline); !on.ok()) return on;
    }
    if (Status all = apply_relay_log(server, state.value().replica->delay, deadline); !all.ok()) {
      return all;
    }
    state = server.state(deadline);
    if (!state.ok()) return state.error();
    const BinlogCoordinates has = state.value().replica->executed;
    const BinlogCoordinates& wanted = state_.handover.orig_end.binlog;
    if (has == wanted) return point(server, state_.handover.next_begin.binlog, deadline);
    const Result<bool> more = is_at_or_after(has, wanted);
    if (!more.ok()) return more.error();
    if (more.value()) {
      return Error{Code::kRefused,
                   fmt::format("it has the dead master's log up to {}:{}, and the new master had "
                               "it up to {}:{} only",
                               has.file, has.position, wanted.file, wanted.position)};
    }
    const bool by_gtid = session.identity().family == ServerFamily::kMariadb &&
                         request_.follow.source_logs == FollowRequest::SourceLogs::kAll &&
                         !state_.handover.next_begin.gtids.empty();
    return by_gtid ? catch_up_by_gtid(server, deadline)
                   : catch_up_by_relay_log(session, has, deadline);
  }

  Status apply_relay_log(Replication& server, std::chrono::seconds delay, Deadline deadline) {
    if (delay.count() == 0) return server.wait_until_relay_log_applied(deadline);
    const Status applied =
        server.wait_until_relay_log_applied(clock_.deadline_after(kDelayAtMost).capped(deadline));
    if (applied.ok()) return applied;
    return applied.error().with_context(
        fmt::format("it is delayed on purpose, by {} s", delay.count()));
  }

  Status point(Replication& server, const BinlogCoordinates& start, Deadline deadline) const {
    NewSource source = request_.follow.source;
    source.start = start;
    if (Status stopped = server.stop_replica(deadline); !stopped.ok()) return stopped;
    if (Status pointed = server.replicate_from(source, deadline); !pointed.ok()) return pointed;
    return server.start_replica(deadline);
  }

  // MariaDB has GTIDs with replication by position as well. Then by position again, from where it
  // has come to in the new master's log.
  Status catch_up_by_gtid(Replication& server, Deadline deadline) {
    log().info("{} gets what it lacks by GTIDs, then goes on by position", node().title());
    NewSource source = request_.follow.source;
    source.gtid_use = GtidUse::kAuto;
    if (Status stopped = server.stop_replica(deadline); !stopped.ok()) return stopped;
    if (Status pointed = server.replicate_from(source, deadline); !pointed.ok()) return pointed;
    if (Status started = server.start_replica(deadline); !started.ok()) return started;
    const Status there = server.wait_until_replicated(state_.handover.next_begin.gtids, deadline);
    if (!there.ok()) return there;
    if (Status stopped = server.stop_receiver(deadline); !stopped.ok()) return stopped;
    if (Status all = server.wait_until_relay_log_applied(deadline); !all.ok()) return all;
    const Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    if (!state.value().replica.has_value()) {
      return Error{Code::kRefused, "somebody has taken its source away"};
    }
    return point(server, state.value().replica->executed, deadline);
  }

  Status catch_up_by_relay_log(MysqlServer& session, const BinlogCoordinates& has,
                               Deadline deadline) {
    Error last{Code::kRefused, "no other replica has what it lacks"};
    for (const NodeSpec& spec : request_.helpers) {
      // Sessions of our own: the helper's may be at work in another step.
      Node helper(spec, ports_);
      const Result<SavedEvents> events = from_relay_log(helper, session, has, deadline);
      if (!events.ok()) {
        last = events.error();
        continue;
      }
      if (Status off = session.replication().stop_replica(deadline); !off.ok()) return off;
      const Status applied = files_.apply(session, events.value(), request_.log_bin, deadline);
      if (!applied.ok()) return applied;
      log().info("{} got {} transactions from the relay log of {}", node().title(),
                 events.value().transactions.size(), helper.title());
      return point(session.replication(), state_.handover.next_begin.binlog, deadline);
    }
    return last.with_context(
        fmt::format("it has the dead master's log up to {}:{} only", has.file, has.position));
  }

  // All that it lacks, or an error.
  Result<SavedEvents> from_relay_log(Node& helper, const MysqlServer& session,
                                     const BinlogCoordinates& has, Deadline deadline) {
    const Deadline at_most = clock_.deadline_after(kFetchAtMost).capped(deadline);
    Result<RemoteShell*> shell = helper.shell(at_most);
    if (!shell.ok()) return shell.error();
    Result<MysqlServer*> there = helper.mysql(deadline);
    if (!there.ok()) return there.error();
    EventsWanted wanted;
    wanted.family = session.identity().family;
    wanted.after = has;
    wanted.keep_as = request_.keep_as;
    wanted.client_bindir = request_.places.client_bindir;
    wanted.remote_workdir = request_.places.remote_workdir;
    Result<SavedEvents> events =
        files_.fetch_relay_log(*shell.value(), there.value()->replication(), wanted, at_most);
    const BinlogCoordinates& whole = state_.handover.orig_end.binlog;
    if (events.ok() && events.value().end != whole) {
      return Error{Code::kRefused,
                   fmt::format("the relay log of {} ends at {}:{} of the dead master's log, not at "
                               "{}:{}",
                               helper.title(), events.value().end.file, events.value().end.position,
                               whole.file, whole.position)};
    }
    return events;
  }

  RejoinRequest request_;
  const FailoverState& state_;
  EventFiles& files_;
  Clock& clock_;
  NodePorts ports_;
};

}  // namespace

std::unique_ptr<Step> ensure_rejoined(Node& node, RejoinRequest request, const FailoverState& state,
                                      EventFiles& files, Environment& environment) {
  return std::make_unique<EnsureRejoined>(node, std::move(request), state, files, environment);
}

}  // namespace mha
