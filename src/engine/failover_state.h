// What the steps of one failover tell each other.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/fence.h"
#include "engine/handover.h"
#include "engine/saved_events.h"

namespace mha {

struct Salvage {
  enum class Ending {
    kNotTried,
    kNothing,  // the dead master has nothing that the new one has not
    kSaved,    // all of it is on the new master
    kFailed,   // it may have something, and `why` tells
  };
  Ending ending = Ending::kNotTried;
  SavedEvents events;  // where fetched
  std::string from;    // the binlog server that gave them; empty: the dead master's own logs
  std::string why;     // of kNotTried and kFailed
};

// Written by one step and read by later ones, never at the same time.
struct FailoverState {
  // orig_end: what the new master had of the dead one's binary log before anything was salvaged;
  // next_begin: where its own log was then. Who has all up to the one can follow from the other.
  Handover handover;
  FenceVerdict fence;
  Salvage salvage;
  // Of the new master's own log, once what was salvaged is in it.
  BinlogCoordinates after_salvage;
};

// For the journal: what another process needs to go on behind the point of no return.
nlohmann::json to_json(const FailoverState& state);
// Error (kInternal) where the journal does not have it.
Result<FailoverState> failover_state_from_json(const nlohmann::json& value);

}  // namespace mha
