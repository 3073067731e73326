// The online switch as MHA's hook sees it: `stop` takes the clients off the original master,
// `start` gives them to the new.
#pragma once

#include "core/environment.h"
#include "core/plan.h"
#include "core/rollback.h"

namespace mha {

struct OnlineRequest {
  NodeSpec orig_master;
  NodeSpec new_master;
};

// Connections and checks first (a failure there changes nothing), then: read-only on both, clients
// ended, virtual IP removed, clients that came back ended. Any failure: everything is put back as
// found. Its journal stays open until online_start closes it.
Outcome online_stop(const OnlineRequest& request, Environment& environment);

// The new master becomes writable (the point of no return) and gets the virtual IP. A failure
// before that point also rolls back what online_stop did, since MHA never asks for it (facts:
// mha.md).
Outcome online_start(const OnlineRequest& request, Environment& environment);

// Rolls back an open online_stop of this original master, begun at `not_before` or later; nullopt
// where there is none. Refuses where the new master has become writable, or where that cannot be
// seen after an online_start that may have made it so: two writers are worse than none.
std::optional<Outcome> roll_back_online_stop(const OnlineRequest& request, WallTime not_before,
                                             Environment& environment);

}  // namespace mha
