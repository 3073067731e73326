// The locks by which MHA's programs, and ours, keep away from each other's clusters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "core/environment.h"
#include "core/node.h"
#include "engine/cluster.h"

namespace mha {

struct LockWish {
  Node* node;
  const char* name;  // of mha_lock_names()
};

// Takes all of them, at the same time; they end with the nodes' sessions. The first error in the
// order of the wishes: a server's that does not answer, or `otherwise`, with what it said, where it
// did not give the lock.
Status take_mha_locks(const std::vector<LockWish>& wishes, const std::string& otherwise,
                      Deadline deadline);

// For who puts back or carries on what another process has begun: MHA's failover lock on every
// server of the cluster that answers, but for `except`, for as long as the nodes live. One that
// does not answer within `patience` is passed over. kRefused where another session has the lock.
Result<std::vector<std::unique_ptr<Node>>> keep_failovers_away(const Cluster& cluster,
                                                               std::optional<std::size_t> except,
                                                               Milliseconds patience,
                                                               Environment& environment);

}  // namespace mha
