// The session over which the original master's changes are put back.
#pragma once

#include "base/log.h"
#include "core/node.h"
#include "ports/clock.h"

namespace mha {

// Node::reserve_mysql(), within two seconds. A warning where there is none to be had: the undo
// opens a session of its own then.
void reserve_for_undo(Node& node, Clock& clock, Log& log);
// Node::fall_back(), within two seconds.
void fall_back_for_undo(Node& node, Clock& clock);

}  // namespace mha
