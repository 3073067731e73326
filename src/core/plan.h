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
#include "core/plan_observer.h"
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
  // For each step whose pace is kPrompt, where `forward` is there for what takes its time; nullopt:
  // `forward` is all that binds them.
  std::optional<Milliseconds> prompt = std::nullopt;
};

// A step whose apply has begun, and what it had found. Does not own the step.
struct BegunStep {
  Step* step;
  nlohmann::json found;
};

// What a journal that cannot be written means.
enum class OnJournalError {
  kStop,  // nothing more is begun
  kWarn,  // the operation goes on: stopping would be worse than not noting
};

class Plan {
 public:
  Plan(Clock& clock, Log& log, const Interrupt& interrupt);

  // Tells `observer` (nullptr: nobody) of each stage, the marks and the undo; it outlives run().
  void watch(PlanObserver* observer) { observer_ = observer; }

  void add(std::unique_ptr<Step> step);
  // Steps that are applied at the same time, each in a thread of its own, once those added before
  // are done.
  void add_together(std::vector<std::unique_ptr<Step>> steps);

  // From here to mark_hurry_end() clients wait. What the steps between here and the point of no
  // return find is read and noted in the journal before the first of them acts, with one sync for
  // all; after that only the point of no return waits for the disk. They have `at_most` together,
  // and no more than the plan has.
  void mark_hurry_begin(Milliseconds at_most);
  void mark_hurry_end();

  // Steps added from here on are only gone forward: a failure among them does not stop the others,
  // and ends the plan as kIncomplete. Each has time, however long those before it took. `facts`:
  // what another process would need to go on from here; goes to the journal.
  void mark_point_of_no_return(std::function<nlohmann::json()> facts = nullptr);

  // The step added next is one after which others may act, though the plan itself can still turn
  // back: a new master that takes writes. `facts` reach the disk before it begins, as {"event":
  // "handover", "facts": ...}, for the process that finds this one dead: it has to look whether
  // anybody has. The point of no return then need not wait for the disk.
  void mark_handover(std::function<nlohmann::json()> facts);

  // Step by step: observe, note in the journal, apply, note how long that took ("took_ms"). Where
  // that fails before the point of no return (or the operator interrupts, or the forward deadline
  // has passed), every step begun is undone in reverse order, one that fails not stopping the
  // others (but see UndoFailure). `before_undo` is called once before that: it drops sessions that
  // may be stuck.
  Outcome run(Journal& journal, const PlanBudget& budget, const std::function<void()>& before_undo);

  // One line a step, for --dry_run.
  [[nodiscard]] std::vector<std::string> describe() const;

  // From the first hurried step's start to the last one's end; nullopt where a run did not come so
  // far.
  [[nodiscard]] std::optional<TimePoint::duration> hurried() const;

 private:
  // Steps that are applied at the same time; most often one.
  struct Stage {
    std::vector<std::unique_ptr<Step>> steps;
    std::vector<nlohmann::json> found;  // one for each step, once they are read
  };

  static constexpr std::size_t kNever = SIZE_MAX;

  [[nodiscard]] bool hurries(std::size_t stage) const {
    return stage >= hurry_begin_ && stage < hurry_end_;
  }
  // `deadline`, or earlier by the step's pace.
  [[nodiscard]] Deadline deadline_of(const Step& step, Deadline deadline) const;
  // When a stage after the point of no return must have ended: `onward` is for all of them.
  [[nodiscard]] Deadline onward_deadline(std::size_t stage, Deadline onward,
                                         Deadline forward) const;
  // Reads what the steps of a stage find, and puts it into the journal, not yet on disk.
  Status observe(Stage& stage, Journal& journal, OnJournalError on_journal_error,
                 Deadline deadline);
  // The same for the stages from `first` to the point of no return or the end of the hurry, and on
  // disk.
  Status observe_ahead(std::size_t first, Journal& journal, Deadline deadline);
  // Registers the steps in begun_ before their apply runs; an error for each that failed.
  std::vector<Error> apply(Stage& stage, Journal& journal, Deadline deadline);
  std::vector<Error> run_stage(std::size_t index, Journal& journal, Deadline deadline);
  // run_stage, with the observer told.
  std::vector<Error> run_watched(std::size_t index, Journal& journal, Deadline deadline);
  void end_hurry();
  [[nodiscard]] nlohmann::json point_record() const;
  Outcome undo(Journal& journal, const Error& headline, Milliseconds budget,
               const std::function<void()>& before_undo);
  void warn(const Status& noted) const;

  Clock& clock_;
  Log& log_;
  const Interrupt& interrupt_;
  PlanObserver* observer_ = nullptr;
  std::vector<Stage> stages_;
  std::vector<BegunStep> begun_;
  std::size_t point_of_no_return_ = kNever;  // index of the first stage after it
  std::function<nlohmann::json()> facts_;
  std::size_t handover_ = kNever;  // index of the stage that begins it
  std::function<nlohmann::json()> handover_facts_;
  std::size_t hurry_begin_ = kNever;
  std::size_t hurry_end_ = kNever;
  Milliseconds hurry_at_most_{0};
  std::optional<Milliseconds> prompt_;
  std::optional<TimePoint> hurry_began_;
  std::optional<TimePoint> hurry_ended_;
};

// Undoes `begun` (oldest first) in reverse order; one that fails does not stop the others unless it
// says so, and one that hangs has no more than an even share of what is left of `budget`.
// `note_undo` takes a record for the journal; a journal that cannot be written does not stop an
// undo. `observer` (may be nullptr) is told of each. Used by Plan and by core/rollback.h.
Outcome undo_steps(const std::vector<BegunStep>& begun, std::optional<Error> headline,
                   const std::function<void(nlohmann::json)>& note_undo, Milliseconds budget,
                   Clock& clock, Log& log, PlanObserver* observer = nullptr);

}  // namespace mha
