// What the steps of one switch tell each other: where the old master's history ends and the new
// one's begins.
#pragma once

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "ports/replication.h"

namespace mha {

// Written by one step and read by later ones, never at the same time.
struct Handover {
  SourcePosition orig_end;    // the candidate has applied exactly this
  SourcePosition next_begin;  // what comes after this on the new master is new
};

nlohmann::json to_json(const Handover& handover);
// Error (kInternal) where the journal does not have it.
Result<Handover> handover_from_json(const nlohmann::json& value);

// How the candidate replicated, for who follows it: no credentials.
nlohmann::json replica_to_json(const ReplicaState& like);
ReplicaState replica_from_json(const nlohmann::json& value);

}  // namespace mha
