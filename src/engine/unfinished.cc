// Finding and undoing what a dead process began.
#include "engine/unfinished.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace mha {
namespace {

using nlohmann::json;

bool waits_for_somebody(const JournalFile& journal) {
  const JournalSummary summary = summarize(journal);
  return !summary.closed && (!summary.ended || summary.ending == Ending::kNotUndone);
}

}  // namespace

std::optional<JournalFile> find_unfinished(const std::string& operation, const Cluster& cluster,
                                           const Environment& environment) {
  std::optional<JournalFile> newest;
  for (const ClusterHost& host : cluster.hosts) {
    const std::vector<std::string> paths = find_journals(
        environment.state_dir, operation, journal_subject(host.node.host, host.node.port));
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
  return roll_back(journal, by_name, environment, budget, builder);
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

std::optional<json> facts_of_point_of_no_return(const JournalFile& journal) {
  for (const json& record : journal.records) {
    if (record.value("event", "") != "point_of_no_return") continue;
    return record.value("facts", json::object());
  }
  return std::nullopt;
}

}  // namespace mha
