// Steps on who replicates from whom: catching up, leaving the old master, following the new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "engine/handover.h"
#include "ports/clock.h"

namespace mha {

// Afterwards `next` has applied everything that `orig` has in its binary log, and that log's end
// stood still meanwhile; its position is handover.orig_end. `occasion` tells several of them in one
// plan apart: a later one only reads the position again where it has not moved.
std::unique_ptr<Step> ensure_caught_up(Node& next, Node& orig, std::string occasion,
                                       GtidUse gtid_use, Handover& handover, Log& log);

// The last look, where nobody can write any more: `orig`'s binary log still ends at
// handover.orig_end. Where it does not, `next`, which has stopped replicating already, catches up
// once more and stops again (handover.next_begin follows).
std::unique_ptr<Step> ensure_at_end(Node& next, Node& orig, GtidUse gtid_use, Handover& handover,
                                    Log& log);

// Afterwards no replication thread runs on the server, and handover.next_begin is the end of its
// own binary log. Undo starts what ran.
std::unique_ptr<Step> ensure_not_following(Node& node, Handover& handover, Log& log);

// The same of a server that is not to be the new master; the step's kind is the same as well.
std::unique_ptr<Step> ensure_replication_stopped(Node& node, Log& log);

// The source that a replica is to follow, and how.
struct FollowRequest {
  NewSource source;  // for kNone, `start` comes from handover.next_begin
  // Its names and addresses as keys (config/host_name.h): who has one of these as its source
  // follows it already.
  std::vector<std::string> source_addresses;
  // By position only: it must have all of the old master before it is pointed elsewhere.
  enum class OldSource { kMustBeDone, kIsIt } old_source = OldSource::kMustBeDone;
  // Whether the source's binary log has what it got as a replica (log_slave_updates).
  enum class SourceLogs { kAll, kItsOwn } source_logs = SourceLogs::kAll;
};

// Afterwards the server replicates from the new source and both threads run, with whom it had
// followed all applied before. After the point of no return.
std::unique_ptr<Step> ensure_follows(Node& node, FollowRequest request, const Handover& handover,
                                     Log& log);

// Afterwards the server has no source configured: else a restart would begin to replicate again.
// After the point of no return.
std::unique_ptr<Step> ensure_source_forgotten(Node& node, Log& log);

}  // namespace mha
