// What an unfinished switch and an unfinished failover have in common: their journals, and going
// back.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/plan.h"
#include "core/rollback.h"
#include "engine/cluster.h"
#include "engine/discovery.h"
#include "ports/replication.h"

namespace mha {

// The newest journal of `operation` about any of the cluster's hosts that nobody has finished or
// answered for, and that no later one has superseded (outdated_journal.h); nullopt where there is
// none.
std::optional<JournalFile> find_unfinished(const std::string& operation, const Cluster& cluster,
                                           const Environment& environment);

// For keep_failovers_away(): all servers are asked at the same time.
inline constexpr Milliseconds kOthersLocks{3'000};

// kRefused where the process that writes the journal still lives.
Status nobody_writes(const JournalFile& journal, Environment& environment);

// roll_back() over the cluster's hosts, in the longest operation_timeout of theirs and `more_time`.
// Refuses (kUndone, nothing changed) while its process, or another failover, is still at work.
Outcome roll_back_unfinished(const Cluster& cluster, const JournalFile& journal,
                             Environment& environment, const StepBuilder& builder,
                             Milliseconds more_time = Milliseconds{0});

// kUndone: nothing was changed.
Outcome refuse(std::string why);

// The conf's index of the host that the journal's header names as `role`; nullopt where it has none
// such.
std::optional<std::size_t> index_of(const Cluster& cluster, const nlohmann::json& header,
                                    const char* role);

// What another process has noted for who finds it dead, right before the new master could take
// writes or at the point of no return; nullopt where it had not come so far.
std::optional<nlohmann::json> handover_facts(const JournalFile& journal);

// What an unfinished operation can be answered with.
enum class Remedy {
  kRollBack,
  kCarryOn,  // the new master has taken writes: going back would lose them
};

// Past its point of no return it is carried on. Before it, and after the handover, the new master
// is asked whether it takes writes, or has written since: `own_end` says from the handover's facts
// where its binary log ended then. Errors: kRefused while its process is still at work, where the
// new master is not in the conf, and where the cluster is no longer as the journal has it; those of
// asking it.
Result<Remedy> find_remedy(const Cluster& cluster, const JournalFile& journal,
                           const std::function<BinlogCoordinates(const nlohmann::json&)>& own_end,
                           Environment& environment);

// Carrying on begins with what everything else is for: a new master that takes writes (read back).
// Where that fails the journal is to stay unfinished.
Status take_writes_at_last(Node& next, Environment& environment);

// A leftover for each host that did not answer, `masters` (indices) and those with ignore_fail left
// out: whom nobody has pointed to the new master.
void tell_who_was_not_asked(const Discovery& discovery, const std::vector<std::size_t>& masters,
                            Outcome& outcome);

// kNotUndone, with what to do instead.
Outcome not_to_be_rolled_back(const JournalFile& journal);

}  // namespace mha
