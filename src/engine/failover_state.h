// What the steps of one failover tell each other.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/log.h"
#include "core/journal.h"
#include "core/node.h"
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
    kInPart,   // what could be read is on the new master, there may be more, and `why` tells
  };
  Ending ending = Ending::kNotTried;
  SavedEvents events;  // where fetched
  std::string from;    // the binlog server that gave them; empty: the dead master's own logs
  std::string why;     // of kNotTried, kFailed and kInPart
};

// What was executed on the new master as a client does it, from a relay log or the dead master's
// binary log: where it ends in the dead master's log, and whether it came so far.
struct AppliedByUs {
  BinlogCoordinates end;
  bool whole = false;
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
  // The last that was applied: unless MySQL's GTIDs tell, the replication of the new master does
  // not know of it, and would get it once more. nullopt: nothing.
  std::optional<AppliedByUs> applied;
};

// Keeps it in the state, and on disk for the process that undoes it.
void note_applied(AppliedByUs applied, FailoverState& state, Journal& journal, Log& log);
// The last that was noted; nullopt where none was.
std::optional<AppliedByUs> applied_by_us(const JournalFile& journal);

// Whether MySQL's GTIDs tell a replication of that kind what was applied by us.
bool is_told_of_applied(ServerFamily family, GtidUse gtid_use);
// For people, of what broke off in the midst and is not told: how far it came is not known.
std::string applied_in_part_text(const NodeSpec& next, const std::string& source);

// For the journal: what another process needs to go on behind the point of no return.
nlohmann::json to_json(const FailoverState& state);
// Error (kInternal) where the journal does not have it.
Result<FailoverState> failover_state_from_json(const nlohmann::json& value);

}  // namespace mha
