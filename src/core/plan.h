// A list of reversible steps, and the one place that knows how to run and to undo them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/status.h"
#include "core/journal.h"
#include "core/step.h"
#include "ports/clock.h"

namespace mha {

// How an operation ended. The numbers are the suite's exit codes (README.rst, "Exit codes").
enum class Ending {
  kDone = 0,
  kIncomplete = 10,  // past the point of no return; something after it failed
  kUndone = 20,      // failed, and everything is as it was found
  kNotUndone = 21,   // failed, and `leftovers` could not be put back
};

struct Outcome {
  Ending ending = Ending::kDone;
  std::optional<Error> headline;  // the first error
  std::vector<std::string>
      leftovers;  // each: what is not as it should be, and the command that mends it
};

struct PlanBudget {
  Deadline forward;   // for all steps together
  Milliseconds undo;  // for undoing all of them, counted from when it begins; as much again is
                      // there for the steps after the point of no return, if `forward` leaves less
};

// A step whose apply has begun, and what it had found. Does not own the step.
struct BegunStep {
  Step* step;
  nlohmann::json found;
};

class Plan {
 public:
  Plan(Clock& clock, Log& log, const Interrupt& interrupt);

  void add(std::unique_ptr<Step> step);
  // Steps added from here on are only gone forward: a failure among them does not stop the others,
  // and ends the plan as kIncomplete. Each has time, however long those before it took.
  void mark_point_of_no_return();

  // Step by step: observe, note in the journal, apply. Where that fails before the point of no
  // return (or the operator interrupts, or the forward deadline has passed), every step begun is
  // undone in reverse order, one that fails not stopping the others. `before_undo` is called once
  // before that: it drops sessions that may be stuck.
  Outcome run(Journal& journal, const PlanBudget& budget, const std::function<void()>& before_undo);

  // One line a step, for --dry_run.
  [[nodiscard]] std::vector<std::string> describe() const;

 private:
  enum class OnJournalError { kStop, kWarn };

  // When a step after the point of no return must have ended: `onward` is for all of them.
  [[nodiscard]] Deadline onward_deadline(std::size_t step, Deadline onward, Deadline forward) const;

  // Registers the step in begun_ before its apply runs. With kStop, a step that cannot be noted is
  // not begun.
  Status run_step(Step& step, Journal& journal, OnJournalError on_journal_error, Deadline deadline);

  Clock& clock_;
  Log& log_;
  const Interrupt& interrupt_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<BegunStep> begun_;
  std::size_t point_of_no_return_ = SIZE_MAX;  // index of the first step after it
};

// Undoes `begun` (oldest first) in reverse order; one that fails does not stop the others, and one
// that hangs has no more than an even share of what is left of `budget`. `note_undo` takes a record
// for the journal; a journal that cannot be written does not stop an undo. Used by Plan and by
// core/rollback.h.
Outcome undo_steps(const std::vector<BegunStep>& begun, std::optional<Error> headline,
                   const std::function<void(nlohmann::json)>& note_undo, Milliseconds budget,
                   Clock& clock, Log& log);

}  // namespace mha
