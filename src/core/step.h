// One reversible part of an operation; a Plan runs a list of them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/deadline.h"
#include "base/status.h"

namespace mha {

// What a failed undo of one step means for those that began before it.
enum class UndoFailure {
  kGoOn,  // they are undone all the same
  kStop,  // they stay: undoing them would be safe only with this one undone
};

// How long a step may take where its plan has an hour.
enum class Pace {
  kPrompt,   // it asks and tells: what takes longer than PlanBudget::prompt hangs
  kPatient,  // it waits for what takes its time, and sees for itself that nothing hangs
};

// Named for the state that it reaches ("ensure_read_only db1:3306"). apply and undo are idempotent,
// read back what they did, and may be called after an apply that failed half way. kind() and
// parameters() are enough for another process to build the same step again and undo it
// (core/rollback.h).
class Step {
 public:
  virtual ~Step() = default;

  [[nodiscard]] virtual std::string kind() const = 0;
  // What the step is about: JSON of strings and numbers, without secrets.
  [[nodiscard]] virtual nlohmann::json parameters() const = 0;
  // kind and subject, unique in its plan.
  [[nodiscard]] virtual std::string name() const = 0;
  // What apply will do, as a sentence for --dry_run.
  [[nodiscard]] virtual std::string description() const = 0;

  // Reads the state that apply will change; what it returns goes to the journal and comes back in
  // apply and undo.
  virtual Result<nlohmann::json> observe(Deadline deadline) = 0;
  virtual Status apply(const nlohmann::json& found, Deadline deadline) = 0;
  // Restores what observe found.
  virtual Status undo(const nlohmann::json& found, Deadline deadline) = 0;
  [[nodiscard]] virtual Pace pace() const { return Pace::kPrompt; }
  [[nodiscard]] virtual UndoFailure on_undo_failure() const { return UndoFailure::kGoOn; }
  // The command with which a person would do what undo could not; empty where there is nothing to
  // undo.
  [[nodiscard]] virtual std::string undo_by_hand(const nlohmann::json& found) const = 0;
};

}  // namespace mha
