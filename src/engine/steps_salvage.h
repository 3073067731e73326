// The step that brings over what no replica has of a dead master's binary logs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/step.h"
#include "engine/cluster.h"
#include "engine/event_files.h"
#include "engine/failover_state.h"
#include "engine/steps_dead.h"

namespace mha {

enum class SalvageMode { kAuto, kRequire, kOff };

struct SalvageRequest {
  Node* next;
  Node* orig;
  std::vector<std::string> binlog_dirs;  // of the dead master
  LogPlaces places;                      // likewise
  std::string keep_as;
  SalvageMode mode = SalvageMode::kAuto;
  LogBin log_bin = LogBin::kOn;
  std::vector<BinlogServer>
      binlog_servers;  // asked where the dead master's host does not give its logs
};

// Afterwards `next`, which replicates from nobody, has what the dead master's binary logs have
// beyond state.handover.orig_end, if its host answers SSH; else what that one of the binlog servers
// has that has most of it. state.salvage tells, and for kRequire what cannot be had is an error: of
// a log that may have more than can be read of it nothing is applied then. Not undone: what it
// applies are the dead master's own transactions, which a second run then finds applied.
std::unique_ptr<Step> ensure_salvaged(SalvageRequest request, FailoverState& state,
                                      EventFiles& files, Journal& journal,
                                      Environment& environment);

// An error where it has brought over a part only. Changes nothing; after the point of no return.
std::unique_ptr<Step> verify_salvage(const Node& orig, const FailoverState& state);

}  // namespace mha
