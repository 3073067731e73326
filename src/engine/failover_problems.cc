// The rules, one function for each subject.
#include "engine/failover_problems.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

#include "engine/dead_master.h"

namespace mha {
namespace {

class Rules {
 public:
  Rules(const FailoverFacts& facts, const FailoverRequest& request)
      : facts_(facts),
        request_(request),
        dead_(facts.views[facts.topology.master]),
        candidate_(facts.views[facts.candidate]) {}

  std::vector<Problem> all() {
    death();
    last_failover();
    of_candidate();
    for (std::size_t i = 0; i < facts_.views.size(); ++i) {
      if (i == facts_.topology.master) continue;
      const HostView& view = facts_.views[i];
      if (!reachable(view)) continue;
      privileges(view);
      locks(view);
      is_no_master(view, i);
      of_known_source(view, i);
      if (facts_.topology.source[i] == facts_.topology.master) of_replica(view);
    }
    return std::move(problems_);
  }

 private:
  void add(std::string host, std::string what, std::string remedy) {
    problems_.push_back({std::move(host), std::move(what), std::move(remedy)});
  }

  void death() {
    if (facts_.death.dead || request_.belief == Belief::kForced) return;
    add(dead_.host.title(), fmt::format("it is not dead: {}", facts_.death.why_not),
        "for a living master mysql_online_failover is the program; where it must end, stop its "
        "server, or say --force");
  }

  void last_failover() {
    if (request_.last_failover == LastFailover::kIgnored) return;
    const FailoverMarks& marks = facts_.marks;
    if (!marks.error_file.empty()) {
      add("", fmt::format("the last failover failed: {} is there", marks.error_file),
          "mend what it left, then remove the file or say --ignore_last_failover");
    }
    if (marks.since.has_value() && *marks.since < request_.between_failovers) {
      add("",
          fmt::format("the last failover was {} minutes ago, and {} are to lie between two",
                      marks.since->count(), request_.between_failovers.count()),
          fmt::format("see why masters die, then remove {} or say --ignore_last_failover",
                      marks.complete_file));
    }
  }

  // MHA's rule: a replica that does not answer ends the failover, unless ignore_fail is set for it.
  bool reachable(const HostView& view) {
    if (view.living()) return true;
    if (!view.host.ignore_fail) {
      add(view.host.title(), fmt::format("it is {}: {}", to_string(view.reach), view.why),
          "bring it back, set ignore_fail=1 for it, or take it out of the conf");
    }
    return false;
  }

  void privileges(const HostView& view) {
    if (view.missing_privileges.empty()) return;
    add(view.host.title(), view.lacking(), view.grants());
  }

  // Where another host is the master, a failover would make a second one: what is dead may be the
  // idle one of two masters, or have been replaced already. Without an address to tell by, a
  // replica that takes writes and has replicas may be one.
  void is_no_master(const HostView& view, std::size_t index) {
    if (request_.belief == Belief::kForced) return;
    const bool takes_writes = !view.state.read_only.blocks_writes();
    const bool moves_vip = view.host.node.settings.writer_vip.has_value();
    const bool leads = facts_.topology.source[index].has_value()
                           ? !moves_vip && !facts_.topology.replicas_of(index).empty()
                           : true;
    std::string what;
    if (view.vip == VipPresence::kPresent) {
      what = "it has the virtual IP";
    } else if (takes_writes && leads) {
      what = "it takes writes";
    } else {
      return;
    }
    add(view.host.title(),
        fmt::format("{}: it may be the master, and {} not", what, dead_.host.title()),
        fmt::format("where it is the master, end what is left of its replication from {} and point "
                    "the others to it; else take that away from it; or say --force",
                    dead_.host.title()));
  }

  // It may follow the dead master by another address: then it has to be asked what it has received.
  void of_known_source(const HostView& view, std::size_t index) {
    if (!follows_a_stranger(facts_.views, facts_.topology, index)) return;
    if (request_.belief == Belief::kForced || view.host.ignore_fail) return;
    const ReplicaState& replica = *view.state.replica;
    add(view.host.title(),
        fmt::format("it replicates from {}:{}, which the conf does not have", replica.source_host,
                    replica.source_port),
        fmt::format("where that is {}, stop its replication and name its source as the conf does; "
                    "else take it out of the conf, or set ignore_fail=1 for it",
                    dead_.host.title()));
  }

  void locks(const HostView& view) {
    if (!view.held_by_mha) return;
    add(view.host.title(),
        "one of MHA's advisory locks is held: masterha_manager or another failover runs, or ran "
        "until its connection was lost a moment ago",
        "let it end, or stop it: masterha_stop --conf=CONF");
  }

  void of_replica(const HostView& view) {
    if (!view.state.other_channels.empty()) {
      add(view.host.title(),
          fmt::format("it replicates from several sources (channels {}), which a failover does "
                      "not bring over",
                      fmt::join(view.state.other_channels, ", ")),
          "remove those channels");
    }
    if (&view == &candidate_) return;
    const ReplicaState& replica = *view.state.replica;
    if (view.host.check_repl_filter && replica.filters != candidate_.state.replica->filters) {
      add(view.host.title(),
          fmt::format("its replication filters differ from those of {}", candidate_.host.title()),
          "make them equal, or set check_repl_filter=0 for it");
    }
    if (replica.applier_error.number != 0 && !view.host.ignore_fail) {
      add(view.host.title(),
          fmt::format("its SQL thread has stopped: {} (error {})", replica.applier_error.text,
                      replica.applier_error.number),
          "mend that and START SLAVE SQL_THREAD, or set ignore_fail=1 for it");
    }
    if (major_version(candidate_.identity) > major_version(view.identity)) {
      add(view.host.title(),
          fmt::format("it is of version {} and would replicate from {} of version {}",
                      view.identity.version, candidate_.host.title(), candidate_.identity.version),
          "choose a new master that is no newer than its replicas");
    }
  }

  void of_candidate() {
    // Where the operator chose it, nobody has asked yet.
    if (auto why = unfit_to_succeed(facts_.views, facts_.topology, facts_.candidate)) {
      add(candidate_.host.title(), fmt::format("it cannot be the new master: {}", *why),
          "choose another one, or mend that");
    }
    if (!candidate_.vip_error.empty() && !goes_on_without_address(candidate_, request_)) {
      add(candidate_.host.title(), candidate_.vip_error, candidate_.vip_remedy());
    }
  }

  const FailoverFacts& facts_;
  const FailoverRequest& request_;
  const HostView& dead_;
  const HostView& candidate_;
  std::vector<Problem> problems_;
};

}  // namespace

bool follows_a_stranger(const std::vector<HostView>& views, const Topology& topology,
                        std::size_t host) {
  return host != topology.master && views[host].replicates() && !topology.source[host].has_value();
}

std::vector<std::string> left_with_strangers(const std::vector<HostView>& views,
                                             const Topology& topology,
                                             const std::string& new_master) {
  std::vector<std::string> left;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!follows_a_stranger(views, topology, i)) continue;
    const ReplicaState& replica = *views[i].state.replica;
    left.push_back(fmt::format(
        "{} replicates from {}:{}, which the conf does not have, and was left so: where that was "
        "{}, see that it has nothing that {} has not, and point it there",
        views[i].host.title(), replica.source_host, replica.source_port,
        views[topology.master].host.title(), new_master));
  }
  return left;
}

bool goes_on_without_address(const HostView& candidate, const FailoverRequest& request) {
  return request.cloud_trouble == AddressTrouble::kIsTold && candidate.has_a_cloud() &&
         !candidate.vip_error.empty();
}

std::vector<Problem> failover_problems(const FailoverFacts& facts, const FailoverRequest& request) {
  return Rules(facts, request).all();
}

}  // namespace mha
