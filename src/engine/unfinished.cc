// A switch that its process has not finished: undone or carried on from its journal.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/steps_follow.h"
#include "engine/steps_server.h"
#include "engine/switch_plan.h"
#include "engine/switchover.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{10'000};
constexpr Milliseconds kForward{60'000};

Outcome refused(std::string why) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = Error{Code::kRefused, std::move(why)};
  return outcome;
}

bool waits_for_somebody(const JournalFile& journal) {
  const JournalSummary summary = summarize(journal);
  return !summary.closed && (!summary.ended || summary.ending == Ending::kNotUndone);
}

Status nobody_writes(const JournalFile& journal, Environment& environment) {
  const Status free = wait_for_journal(journal.path, environment.clock,
                                       environment.clock.deadline_after(Milliseconds{0}));
  if (free.ok()) return free;
  return Error{Code::kRefused, free.error().message + ": another switch is at work"};
}

// Its own kinds; the rest is the core's.
std::unique_ptr<Step> build_engine_step(const std::string& kind, Node& node, Handover& handover,
                                        Log& log) {
  if (kind == "ensure_events_off") return ensure_events_off(node, log);
  if (kind == "ensure_semi_sync_freed") return ensure_semi_sync_freed(node, log);
  if (kind == "ensure_not_following") return ensure_not_following(node, handover, log);
  return nullptr;
}

std::optional<std::size_t> index_of(const Discovery& discovery, const json& header,
                                    const char* master) {
  if (!header.contains(master) || !header[master].is_object()) return std::nullopt;
  const std::string host = header[master].value("host", "");
  const auto port = header[master].value("port", std::uint16_t{0});
  for (std::size_t i = 0; i < discovery.nodes.size(); ++i) {
    const NodeSpec& spec = discovery.nodes[i]->spec();
    if (spec.host == host && spec.port == port) return i;
  }
  return std::nullopt;
}

Result<Handover> handover_of(const JournalFile& journal) {
  for (const json& record : journal.records) {
    if (record.value("event", "") == "point_of_no_return" && record.contains("facts")) {
      return handover_from_json(record["facts"]);
    }
  }
  return Error{Code::kInternal, "the journal has no facts of its point of no return"};
}

}  // namespace

std::optional<JournalFile> find_unfinished_switch(const Cluster& cluster,
                                                  const Environment& environment) {
  std::optional<JournalFile> newest;
  for (const ClusterHost& host : cluster.hosts) {
    const std::vector<std::string> paths = find_journals(
        environment.state_dir, kSwitchOperation, journal_subject(host.node.host, host.node.port));
    if (paths.empty()) continue;
    // Only the newest of each master counts: what an older one began, it has found and changed.
    Result<JournalFile> journal = read_journal(paths.front());
    if (!journal.ok()) continue;
    const auto time = [](const JournalFile& file) {
      return file.records.front().value("time", "");
    };
    if (!newest.has_value() || time(*newest) < time(journal.value())) {
      newest = std::move(journal).value();
    }
  }
  if (newest.has_value() && !waits_for_somebody(*newest)) newest.reset();
  return newest;
}

Outcome roll_back_switch(const Cluster& cluster, const JournalFile& journal,
                         Environment& environment) {
  if (const Status free = nobody_writes(journal, environment); !free.ok()) {
    return refused(free.error().message);
  }
  std::vector<std::unique_ptr<Node>> nodes;
  Milliseconds budget{0};
  for (const ClusterHost& host : cluster.hosts) {
    nodes.push_back(std::make_unique<Node>(host.node, environment.ports));
    budget = std::max<Milliseconds>(budget, host.node.settings.operation_timeout);
  }
  const NodeByName by_name = [&nodes](const std::string& host, std::uint16_t port) -> Node* {
    for (const std::unique_ptr<Node>& node : nodes) {
      if (node->spec().host == host && node->spec().port == port) return node.get();
    }
    return nullptr;
  };
  Handover handover;
  const StepBuilder builder = [&](const std::string& kind, const json& /*parameters*/, Node& node) {
    return build_engine_step(kind, node, handover, environment.log);
  };
  return roll_back(journal, by_name, environment, budget, builder);
}

Outcome resume_switch(const SwitchRequest& request, const JournalFile& journal,
                      Environment& environment) {
  if (const Status free = nobody_writes(journal, environment); !free.ok()) {
    return refused(free.error().message);
  }
  if (!summarize(journal).past_point_of_no_return) {
    return refused(fmt::format("{} is not past its point of no return: it is to be rolled back",
                               journal.path));
  }
  Result<Handover> handover = handover_of(journal);
  if (!handover.ok()) return refused(handover.error().message);
  const Discovery discovery =
      discover(request.cluster, kLook, request.running_updates_limit, environment);
  const json& header = journal.records.front();
  const std::optional<std::size_t> orig = index_of(discovery, header, "orig_master");
  const std::optional<std::size_t> next = index_of(discovery, header, "new_master");
  if (!orig.has_value() || !next.has_value()) {
    return refused(fmt::format("{} names hosts that the conf does not", journal.path));
  }
  const ReplicaState like = replica_from_json(header.value("like", json::object()));
  SwitchRoles roles;
  roles.orig = discovery.nodes[*orig].get();
  roles.next = discovery.nodes[*next].get();
  roles.orig->set_role("original master");
  roles.next->set_role("new master");
  roles.orig->pair_with(roles.next->spec());
  roles.next->pair_with(roles.orig->spec());
  roles.gtid_use = like.gtid_use;
  roles.events = header.value("events", false);
  roles.master_events = events_from_json(header.value("master_events", json::object()));
  roles.semi_sync_source = header.value("semi_sync", false);
  roles.semi_sync_replica = roles.semi_sync_source;
  roles.forgets_source = !discovery.views[*next].host.skip_reset_slave;
  roles.vip_on_orig = discovery.views[*orig].vip.value_or(VipPresence::kPresent);
  roles.followers =
      find_followers(discovery, *orig, *next, like,
                     header.value("orig_master_is_new_slave", true) ? OrigMaster::kBecomesReplica
                                                                    : OrigMaster::kStaysAlone);
  for (const Follower& follower : roles.followers) {
    if (follower.node != roles.orig) follower.node->set_role("replica");
  }

  json new_header = header;
  new_header["resumes"] = journal.path;
  Result<std::unique_ptr<Journal>> own =
      create_file_journal(environment.state_dir, kSwitchOperation,
                          journal_subject(roles.orig->spec().host, roles.orig->spec().port),
                          std::move(new_header), environment.clock);
  if (!own.ok()) return refused(own.error().message);
  Plan plan(environment.clock, environment.log, environment.interrupt);
  add_steps_of_resume(plan, roles, handover.value(), environment);
  const PlanBudget budget{environment.clock.deadline_after(kForward),
                          roles.orig->settings().operation_timeout};
  Outcome outcome = plan.run(*own.value(), budget, [] {});
  close_journal(journal, "carried on", environment);
  return outcome;
}

}  // namespace mha
