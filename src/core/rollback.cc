// Building a journal's steps again, and undoing them.
#include "core/rollback.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/steps_mysql.h"
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

// nullptr for the kinds whose undo is nothing to do.
std::unique_ptr<Step> build_step(const OpenStep& open, Node& node, Log& log) {
  if (open.kind == "ensure_read_only") return ensure_read_only(node, log);
  if (open.kind == "ensure_writable") return ensure_writable(node, log);
  if (open.kind == "ensure_vip_absent") {
    // What was found comes back in undo; the constructor's value is only for observe.
    return ensure_vip_absent(node, VipPresence::kAbsent, log);
  }
  return nullptr;
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

std::optional<JournalFile> find_open_journal(const std::string& state_dir,
                                             const std::string& operation, const std::string& host,
                                             std::uint16_t port, WallTime not_before) {
  for (const std::string& path : find_journals(state_dir, operation, journal_subject(host, port))) {
    Result<JournalFile> journal = read_journal(path);
    if (!journal.ok()) continue;
    if (journal.value().records.front().value("time", "") < utc_stamp(not_before))
      return std::nullopt;
    const JournalSummary summary = summarize(journal.value());
    // Only the newest counts: what an older one began, the newer one has found and changed since.
    if (summary.closed || (summary.ended && summary.ending == Ending::kUndone)) return std::nullopt;
    return std::move(journal).value();
  }
  return std::nullopt;
}

Outcome roll_back(const JournalFile& journal, const NodeByName& node_by_name,
                  Environment& environment, Milliseconds budget) {
  Outcome refused;
  refused.ending = Ending::kNotUndone;
  if (summarize(journal).past_point_of_no_return) {
    refused.headline = Error{
        Code::kRefused, fmt::format("{} is past its point of no return: not undone", journal.path)};
    refused.leftovers.push_back(refused.headline->message);
    return refused;
  }
  const std::vector<OpenStep> opens = open_steps(journal);
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<BegunStep> begun;
  for (const OpenStep& open : opens) {
    const std::string host = open.parameters.value("host", "");
    Node* node = node_by_name(host, open.parameters.value("port", std::uint16_t{0}));
    if (node == nullptr) {
      refused.leftovers.push_back(
          fmt::format("not put back: {}: no connection data for host {}", open.name, host));
      continue;
    }
    node->forget_sessions();
    std::unique_ptr<Step> step = build_step(open, *node, environment.log);
    if (step == nullptr) continue;
    begun.push_back(BegunStep{step.get(), open.found});
    steps.push_back(std::move(step));
  }
  const auto note = [&](json record) {
    const Status noted = append_to_journal(journal.path, std::move(record), environment.clock);
    if (!noted.ok()) environment.log.warning("{}", noted.error().message);
  };
  Outcome outcome =
      undo_steps(begun, std::nullopt, note, budget, environment.clock, environment.log);
  if (!refused.leftovers.empty()) outcome.ending = Ending::kNotUndone;
  outcome.leftovers.insert(outcome.leftovers.end(), refused.leftovers.begin(),
                           refused.leftovers.end());
  if (outcome.ending == Ending::kUndone) close_journal(journal, "rolled back", environment);
  return outcome;
}

void close_journal(const JournalFile& journal, const std::string& reason,
                   Environment& environment) {
  const Status noted = append_to_journal(
      journal.path, json{{"event", "closed"}, {"reason", reason}}, environment.clock);
  if (!noted.ok()) environment.log.warning("{}", noted.error().message);
}

}  // namespace mha
