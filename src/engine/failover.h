// The failover of a dead master by our own engine: looking, and one plan from the fence to the last
// replica.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/plan.h"
#include "core/rollback.h"
#include "engine/candidate.h"
#include "engine/death.h"
#include "engine/event_files.h"
#include "engine/failover_state.h"
#include "engine/preflight.h"
#include "engine/steps_fence.h"
#include "engine/steps_salvage.h"
#include "engine/summary.h"
#include "engine/unfinished.h"

namespace mha {

inline constexpr const char* kFailoverOperation = "failover";  // of journals

enum class Belief {
  kConfirmed,  // a master that somebody still receives from, or that answers, is not dead
  kForced,     // --force: the operator says so
};
enum class AddressTrouble {
  kRefuses,  // a reason not to
  kIsTold,   // and left to do: the cloud's interface may be gone with the master
};
struct FailoverRequest {
  Cluster cluster;
  std::string dead_host;        // as the operator names it
  std::uint16_t dead_port = 0;  // 0: any
  CandidateWish wish;
  Belief belief = Belief::kConfirmed;
  Fencing fencing = Fencing::kWanted;
  SalvageMode salvage = SalvageMode::kAuto;
  // Where the candidate's address is moved by a cloud. Without one SSH to the candidate must work.
  AddressTrouble cloud_trouble = AddressTrouble::kRefuses;
  LastFailover last_failover = LastFailover::kMatters;
  std::chrono::minutes between_failovers{480};  // last_failover_minute
  // How long the master may say nothing until it is dead.
  Milliseconds death_patience{1'000};
  // Until the new master has applied what it and others have received.
  Milliseconds catch_up_at_most{3'600'000};
};

// What a report tells beside the OperationSummary.
struct FailoverSummary {
  std::string orig_master;
  std::string new_master;
  std::vector<std::string> new_replicas;  // that follow it, or were to
  std::vector<std::string> evidence;      // of the death
  FenceVerdict fence;
  Salvage salvage;
  std::vector<std::string> events;  // of the scheduler, that replication has disabled on new_master
};

// One failover. look() first; then describe() or run(). The hosts' sessions stay open in between.
class Failover {
 public:
  // All outlive it.
  Failover(const FailoverRequest& request, EventFiles& files, Environment& environment);
  ~Failover();
  Failover(const Failover&) = delete;
  Failover& operator=(const Failover&) = delete;

  // Looks at all hosts, confirms the death, and finds every reason not to go on; changes nothing.
  // An error where there is nothing to speak of: no such host (kConfig, kUsage), no replica of it,
  // no candidate (kRefused).
  Result<std::vector<Problem>> look();

  // The plan as it would run.
  [[nodiscard]] std::vector<std::string> describe();

  // Fences, brings the candidate up to date, salvages, promotes, repoints. Before the point of no
  // return a failure or an interrupt puts the replicas back as they were found. Its journal can be
  // undone (roll_back_failover) or carried on (resume_failover) by another process.
  Outcome run();

  // After run(): keeps MHA's locks until those have given up who waited for them when the failover
  // ended. masterha_manager looks at the replicas, then waits for its lock for a second
  // (MasterFailover.pm, check_settings): one that got it would stop the replicas' I/O threads for a
  // failover that is done. Nobody waits for this but our caller; an interrupt ends it.
  void outlast_who_waits();

  // The masters once look() found them, and after run() all of it.
  [[nodiscard]] FailoverSummary summary() const;
  [[nodiscard]] OperationSummary operation_summary() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The newest journal of a failover of any of the cluster's hosts that nobody has finished or
// answered for; nullopt where there is none.
std::optional<JournalFile> find_unfinished_failover(const Cluster& cluster,
                                                    const Environment& environment);

// What it can be answered with; errors as find_remedy().
Result<Remedy> remedy_for_failover(const Cluster& cluster, const JournalFile& journal,
                                   Environment& environment);

// Puts back what an unfinished failover did to the replicas. Refuses (kNotUndone) past its point of
// no return, and (kUndone, nothing changed) while its process is still at work.
Outcome roll_back_failover(const Cluster& cluster, const JournalFile& journal,
                           Environment& environment);

// Carries on an unfinished failover past its point of no return. kRefused in the headline where it
// has not passed it. `summary` of what is known.
struct ResumedFailover {
  Outcome outcome;
  FailoverSummary summary;
  OperationSummary operation_summary;
};
ResumedFailover resume_failover(const FailoverRequest& request, const JournalFile& journal,
                                EventFiles& files, Environment& environment);

}  // namespace mha
