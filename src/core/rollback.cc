// Building a journal's steps again, and undoing them.
#include "core/rollback.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/steps_mysql.h"
#include "core/steps_replication.h"
#include "core/steps_vip.h"

namespace mha {
namespace {

using nlohmann::json;

// A step of the journal that has begun and has not been undone.
struct OpenStep {
  std::string name;
  std::string kind;
  json parameters;
  json found;
};

std::vector<OpenStep> open_steps(const JournalFile& journal) {
  std::vector<OpenStep> steps;
  for (const json& record : journal.records) {
    const std::string event = record.value("event", "");
    const std::string name = record.value("step", "");
    if (event == "step_begin") {
      steps.push_back({name, record.value("kind", ""), record.value("parameters", json::object()),
                       record.value("found", json::object())});
    } else if (event == "undo_done") {
      std::erase_if(steps, [&name](const OpenStep& step) { return step.name == name; });
    }
  }
  return steps;
}

bool changes_something(const OpenStep& open) {
  return open.kind == "ensure_read_only" || open.kind == "ensure_writable" ||
         open.kind == "ensure_writable_for_us" || open.kind == "ensure_vip_absent" ||
         open.kind == "remember_replication";
}

// nullptr for the kinds whose undo is nothing to do.
std::unique_ptr<Step> build_step(const OpenStep& open, Node& node, Log& log,
                                 const StepBuilder& build_more) {
  if (open.kind == "ensure_read_only") return ensure_read_only(node, log);
  if (open.kind == "ensure_writable") return ensure_writable(node, log);
  if (open.kind == "ensure_writable_for_us") return ensure_writable_for_us(node, log);
  if (open.kind == "remember_replication") return remember_replication(node, log);
  if (open.kind == "ensure_vip_absent") {
    // What was found comes back in undo; the constructor's values are only for observe.
    return ensure_vip_absent(node, VipPresence::kAbsent, OtherHolder::kRefuse, log);
  }
  return build_more ? build_more(open.kind, open.parameters, node) : nullptr;
}

// The open steps, oldest first, on fresh sessions.
struct RebuiltSteps {
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<BegunStep> begun;      // borrows from steps
  std::vector<std::string> unknown;  // a line for each whose host the caller does not know
};

RebuiltSteps rebuild(const JournalFile& journal, const NodeByName& node_by_name, Log& log,
                     const StepBuilder& build_more) {
  RebuiltSteps rebuilt;
  for (const OpenStep& open : open_steps(journal)) {
    const std::string host = open.parameters.value("host", "");
    Node* node = node_by_name(host, open.parameters.value("port", std::uint16_t{0}));
    if (node == nullptr) {
      rebuilt.unknown.push_back(
          fmt::format("not put back: {}: no connection data for host {}", open.name, host));
      continue;
    }
    node->forget_sessions();
    std::unique_ptr<Step> step = build_step(open, *node, log, build_more);
    if (step == nullptr) continue;
    rebuilt.begun.push_back(BegunStep{step.get(), open.found});
    rebuilt.steps.push_back(std::move(step));
  }
  return rebuilt;
}

}  // namespace

JournalSummary summarize(const JournalFile& journal) {
  JournalSummary summary;
  for (const json& record : journal.records) {
    const std::string event = record.value("event", "");
    if (event == "end") {
      summary.ended = true;
      summary.ending = static_cast<Ending>(record.value("ending", 20));
    } else if (event == "point_of_no_return") {
      summary.past_point_of_no_return = true;
    } else if (event == "closed") {
      summary.closed = true;
    }
  }
  return summary;
}

std::optional<JournalFile> find_open_journal(const Environment& environment,
                                             const std::string& operation, const std::string& host,
                                             std::uint16_t port, WallTime not_before) {
  // Only the newest counts: what an older one began, the newer one has found and changed since.
  Result<std::optional<JournalFile>> newest = read_newest_journal(
      find_journals(environment.state_dir, operation, journal_subject(host, port)));
  if (!newest.ok()) {
    environment.log.warning("{}", newest.error().message);
    return std::nullopt;
  }
  std::optional<JournalFile> journal = std::move(newest).value();
  if (!journal.has_value()) return std::nullopt;
  if (journal->records.front().value("time", "") < utc_stamp(not_before)) return std::nullopt;
  const JournalSummary summary = summarize(*journal);
  if (summary.closed || (summary.ended && summary.ending == Ending::kUndone)) return std::nullopt;
  return journal;
}

Outcome roll_back(const JournalFile& journal, const NodeByName& node_by_name,
                  Environment& environment, Milliseconds budget, const StepBuilder& build_more) {
  Outcome refused;
  refused.ending = Ending::kNotUndone;
  if (summarize(journal).past_point_of_no_return) {
    refused.headline = Error{
        Code::kRefused, fmt::format("{} is past its point of no return: not undone", journal.path)};
    refused.leftovers.push_back(refused.headline->message);
    return refused;
  }
  const RebuiltSteps rebuilt = rebuild(journal, node_by_name, environment.log, build_more);
  const auto note = [&](json record) {
    const Status noted = append_to_journal(journal.path, std::move(record), environment.clock);
    if (!noted.ok()) environment.log.warning("{}", noted.error().message);
  };
  Outcome outcome = undo_steps(rebuilt.begun, std::nullopt, note, budget, environment.clock,
                               environment.log, environment.observer);
  if (!rebuilt.unknown.empty()) {
    // The end that undo_steps has noted knows nothing of these.
    outcome.ending = Ending::kNotUndone;
    note(json{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}});
  }
  outcome.leftovers.insert(outcome.leftovers.end(), rebuilt.unknown.begin(), rebuilt.unknown.end());
  if (outcome.ending == Ending::kUndone) close_journal(journal, "rolled back", environment);
  return outcome;
}

bool has_open_steps(const JournalFile& journal, const std::string& host, std::uint16_t port) {
  const std::vector<OpenStep> opens = open_steps(journal);
  return std::any_of(opens.begin(), opens.end(), [&](const OpenStep& open) {
    return changes_something(open) && open.parameters.value("host", "") == host &&
           open.parameters.value("port", std::uint16_t{0}) == port;
  });
}

std::vector<std::string> open_steps_by_hand(const JournalFile& journal,
                                            const NodeByName& node_by_name,
                                            Environment& environment) {
  RebuiltSteps rebuilt = rebuild(journal, node_by_name, environment.log, nullptr);
  std::vector<std::string> lines = std::move(rebuilt.unknown);
  for (const BegunStep& begun : rebuilt.begun) {
    const std::string by_hand = begun.step->undo_by_hand(begun.found);
    if (by_hand.empty()) continue;  // nothing to put back
    lines.push_back(fmt::format("not put back: {}; by hand: {}", begun.step->name(), by_hand));
  }
  return lines;
}

void close_journal(const JournalFile& journal, const std::string& reason,
                   Environment& environment) {
  const Status noted = append_to_journal(
      journal.path, json{{"event", "closed"}, {"reason", reason}}, environment.clock);
  if (!noted.ok()) environment.log.warning("{}", noted.error().message);
}

}  // namespace mha
