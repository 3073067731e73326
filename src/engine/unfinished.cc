// Finding and undoing what a dead process began.
#include "engine/unfinished.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/steps_mysql.h"
#include "engine/mha_locks.h"
#include "engine/outdated_journal.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{10'000};

bool waits_for_somebody(const JournalFile& journal) {
  const JournalSummary summary = summarize(journal);
  return !summary.closed && (!summary.ended || summary.ending == Ending::kNotUndone);
}

// Whether the new master has begun to take writes since its own history began: a server that was
// restarted meanwhile may be read-only again, but its binary log has gone on.
Result<bool> has_taken_over(Node& next, const BinlogCoordinates& own_end, Deadline deadline) {
  Result<MysqlServer*> server = next.mysql(deadline);
  if (!server.ok()) return server.error();
  const Result<ReadOnlyState> found = server.value()->read_only_state(deadline);
  if (!found.ok()) return found.error();
  if (!found.value().blocks_writes()) return true;
  const Result<SourcePosition> now = server.value()->replication().own_position(deadline);
  if (!now.ok()) return now.error();
  return now.value().binlog != own_end;
}

// Before the handover the new master has not been made writable: that was observed ahead, so that
// the turn of it costs no time. It need not answer for the original master to be given back its
// clients.
JournalFile without_what_was_ahead(JournalFile journal) {
  if (handover_facts(journal).has_value()) return journal;
  std::erase_if(journal.records, [](const json& record) {
    return record.value("event", "") == "step_begin" &&
           record.value("kind", "") == "ensure_writable";
  });
  return journal;
}

// Before its point of no return.
Result<Remedy> remedy_before(const Cluster& cluster, const JournalFile& journal,
                             const std::function<BinlogCoordinates(const json&)>& own_end,
                             Environment& environment) {
  const std::optional<json> facts = handover_facts(journal);
  if (!facts.has_value()) return Remedy::kRollBack;
  const std::optional<std::size_t> index = index_of(cluster, journal.records.front(), "new_master");
  if (!index.has_value()) {
    return Error{Code::kRefused,
                 fmt::format("{} names a new master that the conf does not have", journal.path)};
  }
  Node next(cluster.hosts[*index].node, environment.ports);
  const Result<bool> taken =
      has_taken_over(next, own_end(*facts), environment.clock.deadline_after(kLook));
  if (!taken.ok()) {
    return taken.error().with_context(
        fmt::format("whether the new master {} has taken writes is not known", next.spec().host));
  }
  return taken.value() ? Remedy::kCarryOn : Remedy::kRollBack;
}

}  // namespace

std::optional<JournalFile> find_unfinished(const std::string& operation, const Cluster& cluster,
                                           const Environment& environment) {
  std::optional<JournalFile> newest;
  for (const ClusterHost& host : cluster.hosts) {
    // Only the newest of each master counts: what an older one began, it has found and changed.
    Result<std::optional<JournalFile>> read = read_newest_journal(find_journals(
        environment.state_dir, operation, journal_subject(host.node.host, host.node.port)));
    if (!read.ok()) environment.log.warning("{}", read.error().message);
    if (!read.ok() || !read.value().has_value()) continue;
    JournalFile& journal = *read.value();
    const auto time = [](const JournalFile& file) {
      return file.records.front().value("time", "");
    };
    if (!newest.has_value() || time(*newest) < time(journal)) newest = std::move(journal);
  }
  if (!newest.has_value() || !waits_for_somebody(*newest)) return std::nullopt;
  if (!is_superseded(*newest, cluster, environment)) return newest;
  environment.log.info("{} is left as it is: a later operation has made a new master",
                       newest->path);
  return std::nullopt;
}

Status nobody_writes(const JournalFile& journal, Environment& environment) {
  const Status free = wait_for_journal(journal.path, environment.clock,
                                       environment.clock.deadline_after(Milliseconds{0}));
  if (free.ok()) return free;
  return Error{Code::kRefused, free.error().message + ": another one is at work"};
}

Outcome roll_back_unfinished(const Cluster& cluster, const JournalFile& journal,
                             Environment& environment, const StepBuilder& builder,
                             Milliseconds more_time) {
  if (const Status free = nobody_writes(journal, environment); !free.ok()) {
    return refuse(free.error().message);
  }
  const auto locked =
      keep_failovers_away(cluster, index_of(cluster, journal.records.front(), "orig_master"),
                          kOthersLocks, environment);
  if (!locked.ok()) return refuse(locked.error().message);
  if (environment.observer != nullptr) environment.observer->operation_began(journal.path);
  std::vector<std::unique_ptr<Node>> nodes;
  Milliseconds budget{0};
  for (const ClusterHost& host : cluster.hosts) {
    nodes.push_back(std::make_unique<Node>(host.node, environment.ports));
    budget = std::max<Milliseconds>(budget, host.node.settings.operation_timeout);
  }
  budget += more_time;
  const NodeByName by_name = [&nodes](const std::string& host, std::uint16_t port) -> Node* {
    for (const std::unique_ptr<Node>& node : nodes) {
      if (node->spec().host == host && node->spec().port == port) return node.get();
    }
    return nullptr;
  };
  return roll_back(without_what_was_ahead(journal), by_name, environment, budget, builder);
}

Outcome refuse(std::string why) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = Error{Code::kRefused, std::move(why)};
  return outcome;
}

std::optional<std::size_t> index_of(const Cluster& cluster, const json& header, const char* role) {
  if (!header.contains(role) || !header[role].is_object()) return std::nullopt;
  const std::string host = header[role].value("host", "");
  const auto port = header[role].value("port", std::uint16_t{0});
  for (std::size_t i = 0; i < cluster.hosts.size(); ++i) {
    const NodeSpec& spec = cluster.hosts[i].node;
    if (spec.host == host && spec.port == port) return i;
  }
  return std::nullopt;
}

std::optional<json> handover_facts(const JournalFile& journal) {
  std::optional<json> facts;
  for (const json& record : journal.records) {
    const std::string event = record.value("event", "");
    if (event != "handover" && event != "point_of_no_return") continue;
    if (record.contains("facts")) facts = record["facts"];
  }
  return facts;
}

Result<Remedy> find_remedy(const Cluster& cluster, const JournalFile& journal,
                           const std::function<BinlogCoordinates(const json&)>& own_end,
                           Environment& environment) {
  if (const Status free = nobody_writes(journal, environment); !free.ok()) return free.error();
  const Result<Remedy> remedy = summarize(journal).past_point_of_no_return
                                    ? Result<Remedy>{Remedy::kCarryOn}
                                    : remedy_before(cluster, journal, own_end, environment);
  if (!remedy.ok()) return remedy;
  const Status still_so = remedy.value() == Remedy::kCarryOn
                              ? may_be_carried_on(journal, cluster, kLook, environment)
                              : may_be_put_back(journal, cluster, kLook, environment);
  if (!still_so.ok()) return still_so.error();
  return remedy;
}

Status take_writes_at_last(Node& next, Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(next.settings().operation_timeout);
  const std::unique_ptr<Step> step = ensure_writable(next, environment.log);
  const Result<json> found = step->observe(deadline);
  const Status writable = found.ok() ? step->apply(found.value(), deadline) : found.status();
  if (writable.ok()) return {};
  return writable.error().with_context(
      fmt::format("{} has passed the point of no return, and does not take writes; this stays "
                  "unfinished: bring it back, then --resume",
                  next.title()));
}

void tell_who_was_not_asked(const Discovery& discovery, const std::vector<std::size_t>& masters,
                            Outcome& outcome) {
  for (std::size_t i = 0; i < discovery.views.size(); ++i) {
    const HostView& view = discovery.views[i];
    const bool is_master = std::find(masters.begin(), masters.end(), i) != masters.end();
    if (is_master || view.living() || view.host.ignore_fail) continue;
    if (outcome.ending == Ending::kDone) outcome.ending = Ending::kIncomplete;
    Error error{Code::kRefused,
                fmt::format("{} is {} ({}) and was not pointed to the new master: rebuild it from "
                            "there, or point it there as the others, before it replicates again",
                            view.host.title(), to_string(view.reach), view.why)};
    outcome.leftovers.push_back(error.message);
    if (!outcome.headline.has_value()) outcome.headline = std::move(error);
  }
}

Outcome not_to_be_rolled_back(const JournalFile& journal) {
  Outcome outcome = refuse(
      fmt::format("{}: the new master has taken over, and what clients wrote there would be lost; "
                  "carry it on: --resume",
                  journal.path));
  outcome.ending = Ending::kNotUndone;
  outcome.leftovers.push_back(outcome.headline->message);
  return outcome;
}

}  // namespace mha
