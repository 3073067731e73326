// Later journals, and what the two masters say.
#include "engine/outdated_journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/node.h"
#include "core/rollback.h"
#include "engine/unfinished.h"

namespace mha {
namespace {

using nlohmann::json;

// Of journals: our engine's, and those of the hooks that give a new master its clients.
constexpr std::array kMakeAMaster{"switchover", "failover", "online_start", "hard_start"};

std::string time_of(const JournalFile& journal) {
  return journal.records.front().value("time", "");
}

// Its read_only as the journal leaves it, had nobody else touched it; nullopt where it does not
// tell. What is only observed ahead, to be writable in its turn, has not been done.
std::optional<bool> left_read_only(const JournalFile& journal, const NodeSpec& host) {
  std::optional<bool> left;
  bool is_set = false;
  for (const json& record : journal.records) {
    const std::string event = record.value("event", "");
    const std::string step = record.value("step", "");
    const bool ours = step == "ensure_read_only " + host.host;
    if (event == "step_begin" && record.contains("found")) {
      const json parameters = record.value("parameters", json::object());
      if (parameters.value("host", "") != host.host ||
          parameters.value("port", std::uint16_t{0}) != host.port) {
        continue;
      }
      const bool found = record["found"].value("read_only", "OFF") != "OFF";
      if (ours) {
        left = true;
        is_set = found;
      } else if (record.value("kind", "") == "ensure_writable" && !left.has_value()) {
        left = found;
      }
    } else if (event == "undo_done" && ours) {
      left = is_set;
    }
  }
  return left;
}

// nullopt where it does not answer in time. Each is given its own: one that is silent must not keep
// the other from being asked.
std::optional<ServerState> state_of(const NodeSpec& host, Milliseconds patience,
                                    Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(patience);
  Node node(host, environment.ports);
  Result<MysqlServer*> server = node.mysql(deadline);
  if (!server.ok()) return std::nullopt;
  Result<ServerState> state = server.value()->replication().state(deadline);
  if (!state.ok()) return std::nullopt;
  return std::move(state).value();
}

Error changed(const JournalFile& journal, const std::string& what) {
  return Error{
      Code::kRefused,
      fmt::format("{}: {}: the cluster has changed since {}, and what was found then is no "
                  "longer so; nothing was changed. See that one server takes writes, has "
                  "the virtual IP and the others follow it, then move that file away",
                  journal.path, what, time_of(journal))};
}

const NodeSpec* host_of(const Cluster& cluster, const JournalFile& journal, const char* role) {
  const std::optional<std::size_t> index = index_of(cluster, journal.records.front(), role);
  return index.has_value() ? &cluster.hosts[*index].node : nullptr;
}

}  // namespace

bool is_superseded(const JournalFile& journal, const Cluster& cluster,
                   const Environment& environment) {
  const std::string began = time_of(journal);
  for (const char* operation : kMakeAMaster) {
    for (const ClusterHost& host : cluster.hosts) {
      for (const std::string& path : find_journals(
               environment.state_dir, operation, journal_subject(host.node.host, host.node.port))) {
        const Result<JournalFile> other = read_journal(path);
        if (!other.ok()) continue;
        if (time_of(other.value()) <= began) break;
        if (summarize(other.value()).past_point_of_no_return) return true;
      }
    }
  }
  return false;
}

Status may_be_put_back(const JournalFile& journal, const Cluster& cluster, Milliseconds patience,
                       Environment& environment) {
  if (const NodeSpec* next = host_of(cluster, journal, "new_master"); next != nullptr) {
    const std::optional<ServerState> now = state_of(*next, patience, environment);
    if (now.has_value() && left_read_only(journal, *next) == true &&
        !now->read_only.blocks_writes()) {
      return changed(journal, fmt::format("{} takes writes", next->host));
    }
    if (now.has_value() && !now->replica.has_value()) {
      return changed(journal, fmt::format("{} replicates from nobody", next->host));
    }
  }
  // The original master of a failover is dead, or was.
  const json& header = journal.records.front();
  const NodeSpec* orig = host_of(cluster, journal, "orig_master");
  if (orig == nullptr || header.value("orig_replicates", true)) return {};
  const std::optional<ServerState> now = state_of(*orig, patience, environment);
  if (!now.has_value() || !now->replica.has_value()) return {};
  return changed(journal,
                 fmt::format("{} replicates from {}", orig->host, now->replica->source_host));
}

Status may_be_carried_on(const JournalFile& journal, const Cluster& cluster, Milliseconds patience,
                         Environment& environment) {
  const NodeSpec* next = host_of(cluster, journal, "new_master");
  if (next == nullptr) return {};
  const std::optional<ServerState> now = state_of(*next, patience, environment);
  const bool follows = now.has_value() && now->replica.has_value() &&
                       now->replica->receiver != ReceiverState::kStopped;
  if (!follows) return {};
  return changed(journal,
                 fmt::format("{} replicates from {}", next->host, now->replica->source_host));
}

}  // namespace mha
