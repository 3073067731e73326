// Steps on a replica's threads.
#pragma once

#include <memory>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"

namespace mha {

// Changes nothing itself: notes which replication threads run, since MHA stops the new master's
// applier between our two hooks and never starts it again when it fails (facts: mha.md). Undo
// starts what was found running.
std::unique_ptr<Step> remember_replication(Node& node, Log& log);

}  // namespace mha
