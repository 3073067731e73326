// What an unfinished switch and an unfinished failover have in common: their journals, and going
// back.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/environment.h"
#include "core/plan.h"
#include "core/rollback.h"
#include "engine/cluster.h"

namespace mha {

// The newest journal of `operation` about any of the cluster's hosts that nobody has finished or
// answered for; nullopt where there is none.
std::optional<JournalFile> find_unfinished(const std::string& operation, const Cluster& cluster,
                                           const Environment& environment);

// kRefused where the process that writes the journal still lives.
Status nobody_writes(const JournalFile& journal, Environment& environment);

// roll_back() over the cluster's hosts, in the longest operation_timeout of theirs and `more_time`.
// Refuses (kUndone, nothing changed) while its process is still at work.
Outcome roll_back_unfinished(const Cluster& cluster, const JournalFile& journal,
                             Environment& environment, const StepBuilder& builder,
                             Milliseconds more_time = Milliseconds{0});

// kUndone: nothing was changed.
Outcome refuse(std::string why);

// The conf's index of the host that the journal's header names as `role`; nullopt where it has none
// such.
std::optional<std::size_t> index_of(const Cluster& cluster, const nlohmann::json& header,
                                    const char* role);

// nullopt where the journal has not passed it; empty where it has noted none.
std::optional<nlohmann::json> facts_of_point_of_no_return(const JournalFile& journal);

}  // namespace mha
