// Steps on the writer's virtual IP.
#pragma once

#include <memory>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"

namespace mha {

// Afterwards the host does not have the address. `found` is what preflight read a moment ago:
// reading it again would be a round trip of downtime. `put_back` is how undo assigns it: against
// another holder only where that one was found with it as well.
std::unique_ptr<Step> ensure_vip_absent(Node& node, VipPresence found, OtherHolder put_back,
                                        Log& log);

// Afterwards the host has the address and the neighbours know. Not undone: it comes after the point
// of no return.
std::unique_ptr<Step> ensure_vip_present(Node& node, OtherHolder other_holder, Log& log);

}  // namespace mha
