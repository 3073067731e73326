// Steps on a dead master's replicas before the new one is made: receivers stopped, everything
// received there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/step.h"
#include "engine/event_files.h"
#include "engine/failover_state.h"

namespace mha {

// Afterwards the replica's receiver does not run: where it stands, it stands. Undo starts it again.
// One that is connecting may take until that attempt is over.
std::unique_ptr<Step> ensure_receiver_stopped(Node& node, Environment& environment);

// Of MHA's conf, on a host whose logs are read: where its programs are, and where files may go.
struct LogPlaces {
  std::string client_bindir;
  std::string remote_workdir;
};

// How a replica gets what another one has received and it has not.
struct Difference {
  Node* next;
  std::vector<Node*> replicas;  // all living ones of the dead master, `next` among them
  LogPlaces places;
  std::string keep_as;  // file for what comes from a relay log
  LogBin log_bin = LogBin::kOn;
  std::vector<const Node*> may_fail{};  // of `replicas`: those with ignore_fail
};

// Afterwards `next` has applied all that any of the replicas has received: by replicating from that
// one for a moment, where GTIDs and its binary log tell all of it, or from its relay log, as where
// it is delayed on purpose; state.handover.orig_end is where that ends in the dead master's log. A
// stopped SQL thread without an error is started. kRefused where a replica cannot be asked any more
// that may not fail, or would have to get by GTIDs what `next` does not log. Undo points `next`
// back, behind all that was applied on it (FailoverState::applied).
std::unique_ptr<Step> ensure_has_latest(Difference difference, FailoverState& state,
                                        EventFiles& files, Journal& journal,
                                        Environment& environment);

}  // namespace mha
