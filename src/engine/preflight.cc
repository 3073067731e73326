// The rules, one function for each subject.
#include "engine/preflight.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "engine/candidate.h"
#include "engine/dead_master.h"
#include "engine/position.h"

namespace mha {
namespace {

class Rules {
 public:
  Rules(const PreflightFacts& facts, const PreflightLimits& limits)
      : facts_(facts),
        limits_(limits),
        master_(facts.views[facts.topology.master]),
        candidate_(facts.views[facts.candidate]) {}

  std::vector<Problem> all() {
    last_failover();
    server_ids();
    address();
    for (std::size_t i = 0; i < facts_.views.size(); ++i) {
      const HostView& view = facts_.views[i];
      if (!reachable(view)) continue;
      privileges(view);
      clocks(view);
      host_tools(view);
      locks(view);
      channels(view);
      if (i == facts_.topology.master) {
        of_master(view);
      } else {
        of_replica(view, i);
      }
    }
    of_candidate();
    return std::move(problems_);
  }

 private:
  void add(const std::string& host, std::string what, std::string remedy) {
    problems_.push_back({host, std::move(what), std::move(remedy)});
  }
  void add(const HostView& view, std::string what, std::string remedy) {
    add(view.host.title(), std::move(what), std::move(remedy));
  }

  void last_failover() {
    if (limits_.last_failover_counts == LastFailover::kIgnored) return;
    const FailoverMarks& marks = facts_.marks;
    if (!marks.error_file.empty()) {
      add("", fmt::format("the last failover failed: {} is there", marks.error_file),
          "mend what it left, then remove the file, or say --ignore_last_failover");
    }
    if (marks.since.has_value() && *marks.since < limits_.last_failover) {
      add("",
          fmt::format("the last failover was {} minutes ago, and {} are to lie between two",
                      marks.since->count(), limits_.last_failover.count()),
          fmt::format("see that the cluster is well, then remove {}, or say "
                      "--ignore_last_failover",
                      marks.complete_file));
    }
  }

  void server_ids() {
    std::map<std::uint32_t, std::vector<std::string>> hosts;
    for (const HostView& view : facts_.views) {
      if (view.living()) hosts[view.identity.server_id].push_back(view.host.title());
    }
    for (const auto& [id, titles] : hosts) {
      if (titles.size() < 2) continue;
      add(fmt::format("{}", fmt::join(titles, ", ")), fmt::format("all have server_id {}", id),
          "give each its own");
    }
  }

  void address() {
    if (!candidate_.host.node.settings.writer_vip.has_value()) return;
    const std::string vip = candidate_.host.node.settings.writer_vip->address;
    for (const HostView& view : facts_.views) {
      const bool may_have_it = &view == &master_ || &view == &candidate_;
      if (may_have_it || view.vip != VipPresence::kPresent) continue;
      add(view, fmt::format("it has the virtual IP {}", vip),
          view_command(view, "take it off there"));
    }
    for (const std::string& holder : facts_.vip_holders) {
      const bool is_ours =
          std::any_of(facts_.views.begin(), facts_.views.end(), [&holder](const HostView& view) {
            return std::find(view.vip_identities.begin(), view.vip_identities.end(), holder) !=
                   view.vip_identities.end();
          });
      if (is_ours) continue;
      add("",
          fmt::format("{}, which is no host of the conf, answers for the virtual IP {}", holder,
                      vip),
          "take it off there");
    }
  }
  static std::string view_command(const HostView& view, const std::string& what) {
    const std::optional<Cidr>& vip = view.host.node.settings.writer_vip;
    if (!vip.has_value()) return what;
    return fmt::format("{}: ip addr del {} dev {}", what, vip->text(),
                       view.host.node.settings.cluster_interface);
  }

  bool reachable(const HostView& view) {
    if (view.living()) return true;
    if (view.host.ignore_fail) return false;
    add(view, fmt::format("it is {}: {}", to_string(view.reach), view.why),
        "bring it back, or take it out of the conf");
    return false;
  }

  void privileges(const HostView& view) {
    if (view.missing_privileges.empty()) return;
    add(view, view.lacking(), view.grants());
  }

  void clocks(const HostView& view) {
    const auto apart = view.clock_ahead - master_.clock_ahead;
    if (std::chrono::abs(apart) < limits_.clocks) return;
    add(view,
        fmt::format("its clock is {:.1f} s {} the master's",
                    std::abs(static_cast<double>(apart.count())) / 1000.0,
                    apart.count() > 0 ? "ahead of" : "behind"),
        "set the clocks by NTP");
  }

  void host_tools(const HostView& view) {
    if (view.vip_error.empty()) return;
    add(view, view.vip_error, view.vip_remedy());
  }

  void locks(const HostView& view) {
    if (!view.held_by_mha) return;
    add(view,
        "one of MHA's advisory locks is held: masterha_manager or another switch runs, or ran "
        "until its connection was lost a moment ago",
        "stop it: masterha_stop --conf=CONF");
  }

  void channels(const HostView& view) {
    if (view.state.other_channels.empty()) return;
    add(view,
        fmt::format("it replicates from several sources (channels {}), which a switch does not "
                    "bring over",
                    fmt::join(view.state.other_channels, ", ")),
        "remove those channels for the switch");
  }

  void of_master(const HostView& view) {
    if (!view.state.log_bin) {
      add(view, "the master writes no binary log", "set log_bin and restart it");
    }
    if (view.state.replica.has_value() && !facts_.topology.source[facts_.topology.master]) {
      add(view,
          fmt::format("the master itself replicates from {}:{}, which the conf does not have",
                      view.state.replica->source_host, view.state.replica->source_port),
          "add that server to the conf, or end that replication");
    }
    // Of two masters that replicate from each other: it will need this replication.
    if (view.state.replica.has_value()) runs(view, *view.state.replica);
    if (limits_.long_writers == LongWriters::kRefuse) {
      for (const LongWriter& writer : view.long_writers) {
        add(view, fmt::format("{} has been at work for {} s", writer.text, writer.age.count()),
            "wait for it, end it, or say --kill_blockers");
      }
    }
    const SemiSync& semi_sync = view.state.semi_sync;
    // With replicas there each commit waits for a moment, and a busy master always has some that
    // do. What waits for one that does not answer is freed by the switch's first step.
    if (semi_sync.waiting_sessions > 0 && semi_sync.replicas == 0) {
      add(view,
          fmt::format("{} sessions wait for a semi-sync replica's word, and none is there",
                      semi_sync.waiting_sessions),
          "see that a semi-sync replica runs");
    }
    if (limits_.orig_master == OrigMaster::kBecomesReplica &&
        (view.host.repl_user.empty() || view.host.repl_password.empty())) {
      add(view, "there is no repl_user and repl_password, with which it is to replicate",
          "add them to the conf (or repl_password_file or repl_login_path to ours), or say "
          "--orig_master_is_new_slave=0");
    }
  }

  void of_replica(const HostView& view, std::size_t index) {
    if (!view.state.replica.has_value()) {
      add(view, "it replicates from nobody", "point it to the master, or take it out of the conf");
      return;
    }
    const ReplicaState& replica = *view.state.replica;
    runs(view, replica);
    if (!facts_.topology.source[index].has_value()) {
      add(view,
          fmt::format("it replicates from {}:{}, which the conf does not have", replica.source_host,
                      replica.source_port),
          "add that server to the conf, or take this one out");
    }
    if (view.host.check_repl_delay && replica.behind.value_or(limits_.behind) > limits_.behind) {
      add(view,
          fmt::format("it is {} s behind, and {} are allowed", replica.behind->count(),
                      limits_.behind.count()),
          "wait until it has caught up");
    }
    errant(view);
    // What replicates from another replica goes on doing so.
    if (facts_.topology.source[index] != facts_.topology.master) return;
    filters(view);
    const bool newer_source = index != facts_.candidate &&
                              major_version(candidate_.identity) > major_version(view.identity);
    if (newer_source) {
      add(view,
          fmt::format("it is of version {} and would replicate from {} of version {}",
                      view.identity.version, candidate_.host.title(), candidate_.identity.version),
          "choose a new master that is no newer than its replicas");
    }
  }

  void runs(const HostView& view, const ReplicaState& replica) {
    const auto because = [](const ReplicationError& error) {
      return error.number == 0 ? "" : fmt::format(": {} (error {})", error.text, error.number);
    };
    if (replica.receiver != ReceiverState::kRunning) {
      add(view,
          fmt::format(
              "its I/O thread {}{}",
              replica.receiver == ReceiverState::kStopped ? "does not run" : "is connecting",
              because(replica.receiver_error)),
          "mend what its error says, then START SLAVE there");
    }
    if (!replica.applier_running) {
      add(view, fmt::format("its SQL thread does not run{}", because(replica.applier_error)),
          "mend what its error says, then START SLAVE there");
    }
  }

  void errant(const HostView& view) {
    if (!master_.state.gtids || !view.state.gtids) return;
    Result<std::string> found =
        errant_transactions(view.identity.family, view.state.executed_gtids, facts_.master_gtids);
    // A position of MariaDB's is its newest transaction alone: what the master wrote later, and
    // this replica has as well, hides one of its own, which its log still tells.
    const bool may_hide = view.identity.family == ServerFamily::kMariadb;
    if (found.ok() && found.value().empty() && may_hide) {
      found = own_transactions(view, facts_.views);
    }
    if (!found.ok()) {
      add(view, found.error().message, "compare its GTIDs with the master's by hand");
    } else if (!found.value().empty()) {
      add(view, fmt::format("it has transactions that the master has not: {}", found.value()),
          "bring them to the master (empty ones, where their rows are there), or rebuild it");
    }
  }

  void filters(const HostView& view) {
    if (!view.host.check_repl_filter || &view == &candidate_) return;
    if (view.state.replica->filters == candidate_filters()) return;
    add(view,
        fmt::format("its replication filters differ from those of {}", candidate_.host.title()),
        "make them equal, or set check_repl_filter=0 for it");
  }
  [[nodiscard]] std::map<std::string, std::string> candidate_filters() const {
    return candidate_.replicates() ? candidate_.state.replica->filters
                                   : std::map<std::string, std::string>{};
  }

  void of_candidate() {
    if (!candidate_.living()) return;
    const HostView& view = candidate_;
    if (view.host.no_master) {
      add(view, "the conf says no_master for it", "choose another one, or change the conf");
    }
    if (!view.state.log_bin) add(view, "it writes no binary log", "set log_bin and restart it");
    if (view.state.log_bin && !view.state.log_replica_updates) {
      add(view, "it does not log what it replicates", "set log_slave_updates and restart it");
    }
    if (view.state.binlog_filters != master_.state.binlog_filters && view.host.check_repl_filter) {
      add(view, "its binary log's filters differ from the master's", "make them equal");
    }
    if (view.identity.family != master_.identity.family) {
      add(view, "it is of another server family than the master", "choose another one");
    } else if (limits_.orig_master == OrigMaster::kBecomesReplica &&
               major_version(view.identity) > major_version(master_.identity)) {
      add(view,
          fmt::format("it is of version {}, from which the master's {} cannot replicate",
                      view.identity.version, master_.identity.version),
          "say --orig_master_is_new_slave=0, and upgrade the old master then");
    }
    if (view.state.gtids != master_.state.gtids) {
      add(view, "it and the master are not of the same gtid_mode", "make them equal");
    }
    if (view.replicates() && view.state.replica->delay.count() > 0) {
      add(view, fmt::format("it is delayed on purpose, by {} s", view.state.replica->delay.count()),
          "set its delay to 0 for the switch");
    }
  }

  const PreflightFacts& facts_;
  const PreflightLimits& limits_;
  const HostView& master_;
  const HostView& candidate_;
  std::vector<Problem> problems_;
};

}  // namespace

std::string Problem::text() const {
  const std::string subject = host.empty() ? "" : host + ": ";
  return fmt::format("{}{}; {}", subject, what, remedy);
}

std::vector<Problem> switch_problems(const PreflightFacts& facts, const PreflightLimits& limits) {
  return Rules(facts, limits).all();
}

}  // namespace mha
