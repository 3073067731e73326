// Bringing the new master up to what any replica has received.
#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "engine/mariadb_binlog_state.h"
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

// Whether `one` has all that `other` has executed, as far as GTIDs tell. On MariaDB its own last
// number, which may be higher, does not.
bool has_all_of(ServerFamily family, const ServerState& one, const ServerState& other) {
  if (!one.gtids || !other.gtids || other.executed_gtids.empty()) return false;
  if (family == ServerFamily::kMysql) {
    const Result<bool> has = has_everything_of(family, one.executed_gtids, other.executed_gtids);
    return has.ok() && has.value();
  }
  const auto here = MariadbGtidPosition::parse(one.executed_gtids);
  const auto log = MariadbBinlogState::parse(one.binlog_state);
  const auto there = MariadbGtidPosition::parse(other.executed_gtids);
  if (!here.ok() || !log.ok() || !there.ok()) return false;
  return std::ranges::all_of(there.value().domains(), [&](const auto& entry) {
    const auto& [domain, gtid] = entry;
    const std::optional<MariadbGtid> last = here.value().at(domain);
    const bool is_told =
        last.has_value() && last->server == gtid.server && last->seqno >= gtid.seqno;
    return is_told || log.value().has(gtid);
  });
}

// Whether MariaDB lets a replica that is at `position` connect: the log of each of its domains must
// have that place.
bool knows_place(const MariadbBinlogState& log, const MariadbGtidPosition& position) {
  const auto entries = log.entries();
  return std::ranges::all_of(position.domains(), [&](const auto& at) {
    const bool has_domain = std::ranges::any_of(
        entries, [&at](const auto& entry) { return std::get<0>(entry) == at.first; });
    return !has_domain || log.has(at.second);
  });
}

// Whether `next` can get what it lacks from the binary log of `latest`: all that this one has
// executed is in there. What filters left out at its end is not, and nobody needs it.
bool passes_on_all(ServerFamily family, const ServerState& latest, const ServerState& next) {
  const bool logs = latest.log_bin && latest.log_replica_updates && !latest.binlog_gtids.empty();
  if (!latest.gtids || !next.gtids || !logs) return false;
  if (family == ServerFamily::kMysql) return true;
  const auto log = MariadbBinlogState::parse(latest.binlog_state);
  const auto position = MariadbGtidPosition::parse(next.executed_gtids);
  const Result<bool> is_whole =
      has_everything_of(family, latest.binlog_gtids, latest.executed_gtids);
  if (!log.ok() || !position.ok() || !is_whole.ok()) return false;
  const bool filters = latest.replica.has_value() && !latest.replica->filters.empty();
  return (is_whole.value() || filters) && knows_place(log.value(), position.value());
}

class EnsureHasLatest : public ServerStep {
 public:
  EnsureHasLatest(Difference difference, FailoverState& state, EventFiles& files, Journal& journal,
                  Environment& environment)
      : ServerStep(*difference.next, environment.log),
        difference_(std::move(difference)),
        state_(state),
        files_(files),
        journal_(journal),
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
    Result<Latest> latest = find_latest(deadline);
    if (!latest.ok()) return latest.error();
    if (latest.value().node != &node()) return get_from(latest.value(), deadline);
    const Result<ServerState> here = all_applied(node(), deadline);
    if (!here.ok()) return here.error();
    const BinlogCoordinates executed =
        here.value().replica.has_value() ? here.value().replica->executed : BinlogCoordinates{};
    state_.handover.orig_end = {executed, here.value().executed_gtids};
    return {};
  }

  Status undo(const json& found, Deadline deadline) override {
    if (found.value("source_host", "").empty()) return {};
    Result<MysqlServer*> session = node().mysql(deadline);
    if (!session.ok()) return session.error();
    Replication& server = session.value()->replication();
    const Result<ServerState> state = server.state(deadline);
    if (!state.ok()) return state.error();
    const ReplicaState now = state.value().replica.value_or(ReplicaState{});
    const bool is_there = now.source_host == found.value("source_host", "") &&
                          now.source_port == found.value("source_port", std::uint16_t{0});
    const ReplicaState was = replica_from_json(found);
    // What was applied as a client does it only MySQL's GTIDs tell its source.
    const bool is_told = is_told_of_applied(session.value()->identity().family, was.gtid_use);
    const bool is_unknown = state_.applied.has_value() && !is_told;
    const bool gets_it_again = is_unknown && state_.applied->whole;
    if (is_unknown && !state_.applied->whole) {
      log().warning("{}", applied_in_part_text(node().spec(), was.source_host));
    }
    if (is_there && !gets_it_again) return start_applier(found, deadline);
    NewSource source;
    source.host = was.source_host;
    source.port = found.value("source_port", std::uint16_t{0});
    source.gtid_use = gets_it_again ? GtidUse::kNone : was.gtid_use;
    if (source.gtid_use != was.gtid_use) {
      log().warning(
          "{} is pointed back to {}:{} by position: its gtid_slave_pos does not have what was "
          "applied "
          "on it from logs",
          node().title(), source.host, source.port);
    }
    source.connect_retry = was.connect_retry;
    source.security = was.security;
    if (source.gtid_use == GtidUse::kNone) {
      // By the position that it was found at it would apply again what it has got since.
      if (gets_it_again) {
        source.start = state_.applied->end;
      } else if (orig_end_.has_value()) {
        source.start = *orig_end_;
      } else {
        source.gtid_use = GtidUse::kAuto;
        log().warning(
            "{} is pointed back to {}:{} by GTIDs: how far it has come by position is "
            "not known any more",
            node().title(), source.host, source.port);
      }
    }
    if (Status stopped = server.stop_replica(deadline); !stopped.ok()) return stopped;
    if (Status back = server.replicate_from(source, deadline); !back.ok()) return back;
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

  struct Latest {
    Node* node;
    ServerState state;  // when it was asked
  };

  // Of those that have received most, `next` itself where it is one.
  Result<Latest> find_latest(Deadline deadline) {
    Result<ServerState> asked = ask(node(), deadline);
    if (!asked.ok()) return asked.error();
    const ServerState own = std::move(asked).value();
    Latest latest{&node(), own};
    if (!own.replica.has_value()) return latest;
    BinlogCoordinates most = own.replica->received;
    for (Node* other : difference_.replicas) {
      if (other == &node()) continue;
      Result<ServerState> state = ask(*other, deadline);
      if (state.ok() && !state.value().replica.has_value()) {
        state = Error{Code::kRefused, "it replicates from nobody any more"};
      }
      if (!state.ok()) {
        if (const Status passed = pass_over(*other, state.error()); !passed.ok()) {
          return passed.error();
        }
        continue;
      }
      if (const Status led = can_lead(*other, own, state.value()); !led.ok()) return led.error();
      const BinlogCoordinates& received = state.value().replica->received;
      if (received.file.empty()) continue;
      const Result<bool> more =
          most.file.empty() ? Result<bool>{true} : is_at_or_after(received, most);
      if (more.ok() && more.value() && received != most) {
        most = received;
        latest = {other, std::move(state).value()};
      }
    }
    return latest;
  }

  // A session that was lost meanwhile is opened once more.
  static Result<ServerState> ask(Node& of, Deadline deadline) {
    for (bool again = true;; again = false) {
      const Result<MysqlServer*> session = of.mysql(deadline);
      Result<ServerState> state = session.ok() ? session.value()->replication().state(deadline)
                                               : Result<ServerState>{session.error()};
      if (state.ok() || !again) return state;
      of.forget_mysql();
    }
  }

  // What it has received may be what nobody else has.
  Status pass_over(const Node& other, const Error& why) {
    const std::string what =
        fmt::format("{} cannot be asked for what it has received: {}", other.title(), why.message);
    const std::vector<const Node*>& may_fail = difference_.may_fail;
    if (std::ranges::find(may_fail, &other) == may_fail.end()) {
      return Error{why.code,
                   what + "; bring it back, set ignore_fail=1 for it, or take it out of the conf"};
    }
    log().warning("{}; ignore_fail is set for it", what);
    return {};
  }

  // What `next` does not log it passes on to nobody. Who follows by position gets it elsewhere.
  Status can_lead(const Node& other, const ServerState& own, const ServerState& its) {
    if (own.log_replica_updates || its.replica->gtid_use == GtidUse::kNone) return {};
    const Result<bool> has_all = is_at_or_after(its.replica->received, own.replica->received);
    if (!has_all.ok() || has_all.value()) return {};
    return Error{Code::kRefused,
                 fmt::format("{} has received less than {}, which does not log what it replicates "
                             "and so cannot pass it on; say --new_master_host={}",
                             other.title(), node().title(), other.spec().host)};
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
    if (const auto delay = state.value().replica->delay; delay.count() > 0) {
      log().warning("{} is delayed on purpose, by {} s, which is waited for", of.title(),
                    delay.count());
    }
    const Status applied = server.wait_until_relay_log_applied(deadline);
    if (!applied.ok()) {
      return applied.error().with_context(
          fmt::format("{} does not apply what it has received", of.title()));
    }
    return server.state(deadline);
  }

  Status get_from(Latest& latest, Deadline deadline) {
    const std::chrono::seconds delay = latest.state.replica->delay;
    if (delay.count() > 0) return get_from_delayed(latest, delay, deadline);
    // Both apply what they have at the same time.
    std::future<Result<ServerState>> there =
        std::async(std::launch::async, [&] { return all_applied(*latest.node, deadline); });
    const Result<ServerState> here = all_applied(node(), deadline);
    Result<ServerState> ahead = there.get();
    if (!here.ok()) return here.error();
    if (!ahead.ok()) return ahead.error();
    latest.state = std::move(ahead).value();
    return get_applied(latest, here.value(), deadline);
  }

  // Nobody waits until it applies what it has.
  Status get_from_delayed(const Latest& latest, std::chrono::seconds delay, Deadline deadline) {
    const Result<ServerState> here = all_applied(node(), deadline);
    if (!here.ok()) return here.error();
    log().info(
        "{} has received more than {}, which gets the difference from its relay log: it is delayed "
        "on purpose, by {} s",
        latest.node->title(), node().title(), delay.count());
    const Result<SavedEvents> events = apply_relay_log(*latest.node, here.value(), deadline);
    if (!events.ok()) return does_not_get(*latest.node, events.error());
    // What comes behind the last transaction, if that is whole, is none.
    return note_end(events.value().torn ? events.value().end : latest.state.replica->received,
                    deadline);
  }

  // Both have applied all that they had.
  Status get_applied(const Latest& latest, const ServerState& here, Deadline deadline) {
    const Result<MysqlServer*> session = node().mysql(deadline);
    if (!session.ok()) return session.error();
    const ServerFamily family = session.value()->identity().family;
    const BinlogCoordinates& end = latest.state.replica->executed;
    // A run before this one may have brought it further than its receiver tells.
    if (has_all_of(family, here, latest.state)) {
      state_.handover.orig_end = {end, here.executed_gtids};
      return {};
    }
    log().info("{} has received more than {}, which gets the difference first",
               latest.node->title(), node().title());
    if (passes_on_all(family, latest.state, here)) {
      const Status got = replicate_for_a_moment(latest, *here.replica, deadline);
      if (!got.ok()) return does_not_get(*latest.node, got.error());
      orig_end_ = end;
      state_.handover.orig_end = {end, latest.state.executed_gtids};
      return {};
    }
    const Result<SavedEvents> events = apply_relay_log(*latest.node, here, deadline);
    if (!events.ok()) return does_not_get(*latest.node, events.error());
    return note_end(end, deadline);
  }

  [[nodiscard]] Error does_not_get(const Node& latest, const Error& why) const {
    return why.with_context(
        fmt::format("{} does not get what {} has received more", node().title(), latest.title()));
  }

  // Of what came from a relay log.
  Status note_end(const BinlogCoordinates& end, Deadline deadline) {
    orig_end_ = end;
    note_applied({end, true}, state_, journal_, log());
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<ServerState> state = server.value()->state(deadline);
    if (!state.ok()) return state.error();
    state_.handover.orig_end = {end, state.value().executed_gtids};
    return {};
  }

  Status replicate_for_a_moment(const Latest& latest, const ReplicaState& like, Deadline deadline) {
    Result<Replication*> here = replication(deadline);
    if (!here.ok()) return here.error();
    NewSource source;
    source.host = latest.node->spec().host;
    source.port = latest.node->spec().port;
    source.gtid_use = GtidUse::kAuto;
    source.connect_retry = 1;
    source.security = like.security;
    Status done = here.value()->stop_replica(deadline);
    if (done.ok()) done = here.value()->replicate_from(source, deadline);
    if (done.ok()) done = here.value()->start_replica(deadline);
    if (done.ok()) done = here.value()->wait_until_replicated(latest.state.binlog_gtids, deadline);
    if (done.ok()) done = here.value()->stop_receiver(deadline);
    return done;
  }

  Result<SavedEvents> apply_relay_log(Node& latest, const ServerState& here, Deadline deadline) {
    const Deadline at_most = clock_.deadline_after(kFetchAtMost).capped(deadline);
    Result<RemoteShell*> shell = latest.shell(at_most);
    if (!shell.ok()) return shell.error();
    Result<MysqlServer*> there = latest.mysql(deadline);
    if (!there.ok()) return there.error();
    Result<MysqlServer*> next = node().mysql(deadline);
    if (!next.ok()) return next.error();
    EventsWanted wanted;
    wanted.family = next.value()->identity().family;
    wanted.after = here.replica->executed;
    if (wanted.family == ServerFamily::kMysql) wanted.executed_gtids = here.executed_gtids;
    wanted.keep_as = difference_.keep_as;
    wanted.client_bindir = difference_.places.client_bindir;
    wanted.remote_workdir = difference_.places.remote_workdir;
    Result<SavedEvents> events =
        files_.fetch_relay_log(*shell.value(), there.value()->replication(), wanted, at_most);
    if (!events.ok()) return events.error();
    // Its SQL thread has nothing left to do, and must not stand in the way.
    const Status stopped = next.value()->replication().stop_replica(deadline);
    if (!stopped.ok()) return stopped.error();
    note_applied({events.value().end, false}, state_, journal_, log());
    const Status applied =
        files_.apply(*next.value(), events.value(), difference_.log_bin, deadline);
    if (!applied.ok()) return applied.error();
    return events;
  }

  Difference difference_;
  FailoverState& state_;
  EventFiles& files_;
  Journal& journal_;
  Clock& clock_;
  std::optional<BinlogCoordinates> orig_end_;  // where the difference ends
};

}  // namespace

std::unique_ptr<Step> ensure_has_latest(Difference difference, FailoverState& state,
                                        EventFiles& files, Journal& journal,
                                        Environment& environment) {
  return std::make_unique<EnsureHasLatest>(std::move(difference), state, files, journal,
                                           environment);
}

}  // namespace mha
