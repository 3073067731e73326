// Letting a dead master's other replicas follow the new one, whatever each of them had received.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/step.h"
#include "engine/event_files.h"
#include "engine/failover_state.h"
#include "engine/steps_dead.h"
#include "engine/steps_follow.h"

namespace mha {

struct RejoinRequest {
  FollowRequest follow;
  // For who replicates by position and lacks something: hosts whose relay logs may have it, until
  // they follow another source themselves.
  std::vector<NodeSpec> helpers;
  LogPlaces places;
  std::string keep_as;
  LogBin log_bin = LogBin::kOn;
};

// Afterwards the server replicates from the new master and both threads run. By GTIDs the new
// master has all that it lacks. By position it first applies its relay log; has it then less than
// the new master had when it was made (state.handover.orig_end), it gets the difference: by GTIDs
// for a moment (MariaDB, where the new master logs what it got), or from the relay log of a helper.
// A delay on purpose is not waited for longer than a minute. After the point of no return. What it
// cannot get is an error that says what to do.
std::unique_ptr<Step> ensure_rejoined(Node& node, RejoinRequest request, const FailoverState& state,
                                      EventFiles& files, Environment& environment);

}  // namespace mha
