// Running a plan forward, and undoing it.
#include "core/plan.h"

#include <fmt/core.h>

#include <utility>

namespace mha {
namespace {

using nlohmann::json;

json step_record(const char* phase, const Step& step) {
  return json{{"event", phase}, {"step", step.name()}};
}

// On disk when this returns.
Status note(Journal& journal, json record) {
  Status noted = journal.append(std::move(record));
  return noted.ok() ? journal.sync() : noted;
}

}  // namespace

Plan::Plan(Clock& clock, Log& log, const Interrupt& interrupt)
    : clock_(clock), log_(log), interrupt_(interrupt) {}

void Plan::add(std::unique_ptr<Step> step) { steps_.push_back(std::move(step)); }

void Plan::mark_point_of_no_return() { point_of_no_return_ = steps_.size(); }

std::vector<std::string> Plan::describe() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (i == point_of_no_return_) lines.emplace_back("-- point of no return --");
    lines.push_back(fmt::format("{}. {}", i + 1, steps_[i]->description()));
  }
  return lines;
}

Status Plan::run_step(Step& step, Journal& journal, OnJournalError on_journal_error,
                      Deadline deadline) {
  if (clock_.passed(deadline)) {
    return Error{Code::kTimeout, fmt::format("no time left for {}", step.name())};
  }
  Result<json> found = step.observe(deadline);
  if (!found.ok()) return found.error();

  json begin = step_record("step_begin", step);
  begin["kind"] = step.kind();
  begin["parameters"] = step.parameters();
  begin["found"] = found.value();
  const Status noted = note(journal, std::move(begin));
  if (!noted.ok() && on_journal_error == OnJournalError::kStop) return noted.error();
  if (!noted.ok()) log_.warning("{}", noted.error().message);

  begun_.push_back(BegunStep{&step, found.value()});
  return step.apply(found.value(), deadline);
}

Deadline Plan::onward_deadline(std::size_t step, Deadline onward, Deadline forward) const {
  // What the quick ones leave goes to those after them.
  const auto left = static_cast<std::int64_t>(steps_.size() - step);
  const Deadline share = clock_.deadline_after(clock_.remaining(onward) / left);
  return share.at() < forward.at() ? forward : share;
}

Outcome Plan::run(Journal& journal, const PlanBudget& budget,
                  const std::function<void()>& before_undo) {
  Outcome outcome;
  Deadline onward = budget.forward;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Step& step = *steps_[i];
    const bool can_turn_back = i < point_of_no_return_;
    if (i == point_of_no_return_) {
      onward = clock_.deadline_after(budget.undo);
      if (const Status noted = note(journal, json{{"event", "point_of_no_return"}}); !noted.ok()) {
        log_.warning("{}", noted.error().message);
      }
    }
    // After the point of no return stopping would be worse than not noting.
    const OnJournalError on_error = can_turn_back ? OnJournalError::kStop : OnJournalError::kWarn;
    const Status done =
        can_turn_back && interrupt_.requested()
            ? Status{Error{Code::kRefused, "interrupted by the operator"}}
            : run_step(step, journal, on_error,
                       can_turn_back ? budget.forward : onward_deadline(i, onward, budget.forward));
    if (done.ok()) {
      // Reaches the disk with the next step's begin, that is before the next effect.
      if (Status noted = journal.append(step_record("step_done", step)); !noted.ok()) {
        log_.warning("{}", noted.error().message);
      }
      continue;
    }
    json record = step_record("step_failed", step);
    record["error"] = done.error().message;
    if (Status noted = journal.append(std::move(record)); !noted.ok()) {
      log_.warning("{}", noted.error().message);
    }
    if (!outcome.headline.has_value()) outcome.headline = done.error();
    if (can_turn_back) {
      log_.error("{}", done.error().message);
      before_undo();
      const auto note_undo = [&journal, this](json entry) {
        const Status noted = note(journal, std::move(entry));
        if (!noted.ok()) log_.warning("{}", noted.error().message);
      };
      return undo_steps(begun_, done.error(), note_undo, budget.undo, clock_, log_);
    }
    log_.error("after the point of no return: {}", done.error().message);
    outcome.ending = Ending::kIncomplete;
    outcome.leftovers.push_back(done.error().message);
  }
  if (point_of_no_return_ == steps_.size()) {
    // Nothing comes after it, and there is no way back all the same.
    if (const Status noted = journal.append(json{{"event", "point_of_no_return"}}); !noted.ok()) {
      log_.warning("{}", noted.error().message);
    }
  }
  const Status noted =
      note(journal, json{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}});
  if (!noted.ok()) log_.warning("{}", noted.error().message);
  return outcome;
}

Outcome undo_steps(const std::vector<BegunStep>& begun, std::optional<Error> headline,
                   const std::function<void(json)>& note_undo, Milliseconds budget, Clock& clock,
                   Log& log) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = std::move(headline);
  const Deadline end = clock.deadline_after(budget);
  auto left = static_cast<std::int64_t>(begun.size());
  for (auto entry = begun.rbegin(); entry != begun.rend(); ++entry, --left) {
    Step& step = *entry->step;
    // What the quick ones leave goes to those after them.
    const Deadline share = clock.deadline_after(clock.remaining(end) / left);
    const Status undone = step.undo(entry->found, share.capped(end));
    if (undone.ok()) {
      note_undo(step_record("undo_done", step));
      continue;
    }
    log.error("could not undo {}: {}", step.name(), undone.error().message);
    json record = step_record("undo_failed", step);
    record["error"] = undone.error().message;
    note_undo(std::move(record));
    outcome.ending = Ending::kNotUndone;
    const std::string by_hand = step.undo_by_hand(entry->found);
    outcome.leftovers.push_back(
        fmt::format("not put back: {}: {}{}", step.name(), undone.error().message,
                    by_hand.empty() ? "" : fmt::format("; by hand: {}", by_hand)));
  }
  note_undo(json{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}});
  return outcome;
}

}  // namespace mha
