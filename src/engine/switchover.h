// The switch of a living master by our own engine: looking, and one plan from the first check to
// the last replica.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/plan.h"
#include "core/rollback.h"
#include "engine/candidate.h"
#include "engine/discovery.h"
#include "engine/handover.h"
#include "engine/preflight.h"
#include "engine/summary.h"
#include "engine/unfinished.h"

namespace mha {

inline constexpr const char* kSwitchOperation = "switchover";  // of journals

struct SwitchRequest {
  Cluster cluster;
  CandidateWish wish;
  PreflightLimits limits;
  Milliseconds max_downtime{10'000};  // from read-only to the new master's being writable
  std::chrono::seconds running_updates_limit{1};
};

// One switch. look() first; then describe() or run(). The hosts' sessions stay open in between, so
// that clients wait for none.
class Switchover {
 public:
  // Both outlive it.
  Switchover(const SwitchRequest& request, Environment& environment);
  ~Switchover();
  Switchover(const Switchover&) = delete;
  Switchover& operator=(const Switchover&) = delete;

  // Looks at all hosts and finds every reason not to switch; changes nothing. An error where there
  // is no master or no candidate to speak of (kRefused, kUsage).
  Result<std::vector<Problem>> look();

  // The plan as it would run.
  [[nodiscard]] std::vector<std::string> describe();

  // Catches up, freezes, hands over, repoints. Before the point of no return a failure, an
  // interrupt or max_downtime puts everything back as it was found. Its journal can be undone
  // (roll_back_switch) or carried on (resume_switch) by another process.
  Outcome run();

  // The masters once look() found them, and after run() all of it.
  [[nodiscard]] OperationSummary summary() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The newest journal of a switch of any of the cluster's hosts that nobody has finished or answered
// for; nullopt where there is none.
std::optional<JournalFile> find_unfinished_switch(const Cluster& cluster,
                                                  const Environment& environment);

// What is to be done about an unfinished switch. Past its point of no return, or once the new
// master takes writes, it can only be carried on: to undo it would lose what clients wrote there.
// The new master is looked at where the journal alone cannot tell; nothing is changed. Errors: why
// that one does not answer; kRefused while the switch's own process is still at work.
Result<Remedy> remedy_for_switch(const Cluster& cluster, const JournalFile& journal,
                                 Environment& environment);

// Puts back what an unfinished switch did. Refuses (kNotUndone) where it can only be carried on,
// and (kUndone, nothing changed) while its process is still at work.
Outcome roll_back_switch(const Cluster& cluster, const JournalFile& journal,
                         Environment& environment);

// Carries on an unfinished switch. kRefused in the headline where it is to be rolled back.
Outcome resume_switch(const SwitchRequest& request, const JournalFile& journal,
                      Environment& environment);

}  // namespace mha
