// Running a plan forward, and undoing it.
#include "core/plan.h"

#include <fmt/core.h>

#include <future>
#include <utility>

namespace mha {
namespace {

using nlohmann::json;

json step_record(const char* phase, const Step& step) {
  return json{{"event", phase}, {"step", step.name()}};
}

double milliseconds(TimePoint::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

// How a step's apply ended, and how long it took.
struct Applied {
  Status status;
  TimePoint::duration took{};
};

Applied apply_step(Step& step, const json& found, Deadline deadline, const Clock& clock) {
  const TimePoint begin = clock.now();
  Applied applied{step.apply(found, deadline)};
  applied.took = clock.now() - begin;
  return applied;
}

// On disk when this returns.
Status note(Journal& journal, json record) {
  Status noted = journal.append(std::move(record));
  return noted.ok() ? journal.sync() : noted;
}

}  // namespace

Plan::Plan(Clock& clock, Log& log, const Interrupt& interrupt)
    : clock_(clock), log_(log), interrupt_(interrupt) {}

void Plan::add(std::unique_ptr<Step> step) {
  std::vector<std::unique_ptr<Step>> one;
  one.push_back(std::move(step));
  add_together(std::move(one));
}

void Plan::add_together(std::vector<std::unique_ptr<Step>> steps) {
  if (!steps.empty()) stages_.push_back(Stage{std::move(steps), {}});
}

void Plan::mark_hurry_begin(Milliseconds at_most) {
  hurry_begin_ = stages_.size();
  hurry_at_most_ = at_most;
}

void Plan::mark_hurry_end() { hurry_end_ = stages_.size(); }

void Plan::mark_point_of_no_return(std::function<json()> facts) {
  point_of_no_return_ = stages_.size();
  facts_ = std::move(facts);
}

void Plan::mark_handover(std::function<json()> facts) {
  handover_ = stages_.size();
  handover_facts_ = std::move(facts);
}

std::vector<std::string> Plan::describe() const {
  std::vector<std::string> lines;
  std::size_t number = 0;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (i == hurry_begin_) lines.emplace_back("-- from here clients wait --");
    if (i == point_of_no_return_) lines.emplace_back("-- point of no return --");
    if (i == hurry_end_) lines.emplace_back("-- clients can write again --");
    const bool together = stages_[i].steps.size() > 1;
    for (const std::unique_ptr<Step>& step : stages_[i].steps) {
      lines.push_back(fmt::format("{}. {}{}", ++number, step->description(),
                                  together ? " (at the same time)" : ""));
    }
  }
  return lines;
}

std::optional<TimePoint::duration> Plan::hurried() const {
  if (!hurry_began_.has_value() || !hurry_ended_.has_value()) return std::nullopt;
  return *hurry_ended_ - *hurry_began_;
}

void Plan::warn(const Status& noted) const {
  if (!noted.ok()) log_.warning("{}", noted.error().message);
}

Status Plan::observe(Stage& stage, Journal& journal, OnJournalError on_journal_error,
                     Deadline deadline) {
  stage.found.clear();
  for (const std::unique_ptr<Step>& step : stage.steps) {
    if (clock_.passed(deadline)) {
      return Error{Code::kTimeout, fmt::format("no time left for {}", step->name())};
    }
    Result<json> found = step->observe(deadline_of(*step, deadline));
    if (!found.ok()) return found.error();
    json begin = step_record("step_begin", *step);
    begin["kind"] = step->kind();
    begin["parameters"] = step->parameters();
    begin["found"] = found.value();
    const Status noted = journal.append(std::move(begin));
    if (!noted.ok() && on_journal_error == OnJournalError::kStop) return noted;
    warn(noted);
    stage.found.push_back(std::move(found).value());
  }
  return {};
}

Status Plan::observe_ahead(std::size_t first, Journal& journal, Deadline deadline) {
  for (std::size_t i = first; hurries(i) && i < point_of_no_return_ && i < stages_.size(); ++i) {
    const Status observed = observe(stages_[i], journal, OnJournalError::kStop, deadline);
    if (!observed.ok()) return observed;
  }
  return journal.sync();
}

std::vector<Error> Plan::apply(Stage& stage, Journal& journal, Deadline deadline) {
  std::vector<Applied> done(stage.steps.size());
  std::vector<std::future<Applied>> others;
  for (std::size_t i = 0; i < stage.steps.size(); ++i) {
    begun_.push_back(BegunStep{stage.steps[i].get(), stage.found[i]});
  }
  for (std::size_t i = 1; i < stage.steps.size(); ++i) {
    others.push_back(std::async(std::launch::async, [this, &stage, i, deadline] {
      const Deadline own = deadline_of(*stage.steps[i], deadline);
      return apply_step(*stage.steps[i], stage.found[i], own, clock_);
    }));
  }
  done[0] =
      apply_step(*stage.steps[0], stage.found[0], deadline_of(*stage.steps[0], deadline), clock_);
  for (std::size_t i = 1; i < stage.steps.size(); ++i) done[i] = others[i - 1].get();

  std::vector<Error> errors;
  for (std::size_t i = 0; i < stage.steps.size(); ++i) {
    const Status& status = done[i].status;
    json record = step_record(status.ok() ? "step_done" : "step_failed", *stage.steps[i]);
    record["took_ms"] = milliseconds(done[i].took);
    if (!status.ok()) {
      record["error"] = status.error().message;
      errors.push_back(status.error());
    }
    // Reaches the disk with the next step's begin, that is before the next effect.
    warn(journal.append(std::move(record)));
  }
  return errors;
}

std::vector<Error> Plan::run_stage(std::size_t index, Journal& journal, Deadline deadline) {
  Stage& stage = stages_[index];
  if (clock_.passed(deadline)) {
    return {Error{Code::kTimeout, fmt::format("no time left for {}", stage.steps.front()->name())}};
  }
  const bool can_turn_back = index < point_of_no_return_;
  if (index == hurry_begin_ && can_turn_back) {
    if (const Status ahead = observe_ahead(index, journal, deadline); !ahead.ok()) {
      return {ahead.error()};
    }
    hurry_began_ = clock_.now();
  }
  if (stage.found.empty()) {
    // After the point of no return stopping would be worse than not noting.
    const OnJournalError on_error = can_turn_back ? OnJournalError::kStop : OnJournalError::kWarn;
    const Status observed = observe(stage, journal, on_error, deadline);
    if (!observed.ok()) return {observed.error()};
    const Status noted = hurries(index) ? Status{} : journal.sync();
    if (!noted.ok() && can_turn_back) return {noted.error()};
    warn(noted);
  }
  if (index == handover_) {
    const Status noted = note(journal, json{{"event", "handover"}, {"facts", handover_facts_()}});
    if (!noted.ok()) return {noted.error()};
  }
  return apply(stage, journal, deadline);
}

Deadline Plan::deadline_of(const Step& step, Deadline deadline) const {
  if (!prompt_.has_value() || step.pace() == Pace::kPatient) return deadline;
  return clock_.deadline_after(*prompt_).capped(deadline);
}

Deadline Plan::onward_deadline(std::size_t stage, Deadline onward, Deadline forward) const {
  // What the quick ones leave goes to those after them.
  const auto left = static_cast<std::int64_t>(stages_.size() - stage);
  const Deadline share = clock_.deadline_after(clock_.remaining(onward) / left);
  return share.at() < forward.at() ? forward : share;
}

json Plan::point_record() const {
  json record{{"event", "point_of_no_return"}};
  if (facts_) record["facts"] = facts_();
  return record;
}

Outcome Plan::undo(Journal& journal, const Error& headline, Milliseconds budget,
                   const std::function<void()>& before_undo) {
  log_.error("{}", headline.message);
  const Deadline end = clock_.deadline_after(budget);
  before_undo();
  const auto note_undo = [&journal, this](json entry) { warn(note(journal, std::move(entry))); };
  if (observer_ != nullptr) observer_->undo_began(headline, begun_.size());
  return undo_steps(begun_, headline, note_undo, clock_.remaining(end), clock_, log_, observer_);
}

std::vector<Error> Plan::run_watched(std::size_t index, Journal& journal, Deadline deadline) {
  if (observer_ == nullptr) return run_stage(index, journal, deadline);
  if (index == hurry_begin_) observer_->clients_wait();
  std::vector<std::string> what;
  for (const std::unique_ptr<Step>& step : stages_[index].steps) {
    what.push_back(step->description());
  }
  observer_->phase_began(what);
  std::vector<Error> errors = run_stage(index, journal, deadline);
  observer_->phase_ended(errors.empty() ? Status{} : Status{errors.front()});
  return errors;
}

void Plan::end_hurry() {
  hurry_ended_ = clock_.now();
  if (observer_ != nullptr) observer_->clients_served();
}

Outcome Plan::run(Journal& journal, const PlanBudget& budget,
                  const std::function<void()>& before_undo) {
  Outcome outcome;
  prompt_ = budget.prompt;
  Deadline onward = budget.forward;
  Deadline forward = budget.forward;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (i == hurry_begin_) forward = clock_.deadline_after(hurry_at_most_).capped(budget.forward);
    if (i == hurry_end_) {
      end_hurry();
      warn(journal.sync());
    }
    if (i == point_of_no_return_) {
      forward = budget.forward;
      onward = clock_.deadline_after(budget.undo);
      warn(handover_ == kNever ? note(journal, point_record()) : journal.append(point_record()));
      if (observer_ != nullptr) observer_->point_of_no_return_passed();
    }
    const bool can_turn_back = i < point_of_no_return_;
    const std::vector<Error> errors =
        can_turn_back && interrupt_.requested()
            ? std::vector<Error>{Error{Code::kRefused, "interrupted by the operator"}}
            : run_watched(i, journal,
                          can_turn_back ? forward : onward_deadline(i, onward, budget.forward));
    if (errors.empty()) continue;
    if (can_turn_back) {
      for (std::size_t other = 1; other < errors.size(); ++other) {
        log_.error("{}", errors[other].message);
      }
      return undo(journal, errors.front(), budget.undo, before_undo);
    }
    if (!outcome.headline.has_value()) outcome.headline = errors.front();
    outcome.ending = Ending::kIncomplete;
    for (const Error& error : errors) {
      log_.error("after the point of no return: {}", error.message);
      outcome.leftovers.push_back(error.message);
    }
  }
  if (hurry_end_ == stages_.size()) end_hurry();
  // Where nothing comes after it, there is no way back all the same.
  if (point_of_no_return_ == stages_.size()) warn(journal.append(point_record()));
  json end{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}};
  if (hurried().has_value()) end["clients_waited_ms"] = milliseconds(*hurried());
  warn(note(journal, std::move(end)));
  return outcome;
}

Outcome undo_steps(const std::vector<BegunStep>& begun, std::optional<Error> headline,
                   const std::function<void(json)>& note_undo, Milliseconds budget, Clock& clock,
                   Log& log, PlanObserver* observer) {
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
    if (observer != nullptr) observer->step_undone(step.name(), undone);
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
    if (step.on_undo_failure() == UndoFailure::kGoOn) continue;
    for (++entry; entry != begun.rend(); ++entry) {
      const std::string by_hand_then = entry->step->undo_by_hand(entry->found);
      if (by_hand_then.empty()) continue;
      outcome.leftovers.push_back(
          fmt::format("left as it is, since {} was not undone: {}; by hand, only once that is: {}",
                      step.name(), entry->step->name(), by_hand_then));
    }
    break;
  }
  note_undo(json{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}});
  return outcome;
}

}  // namespace mha
