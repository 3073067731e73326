// Steps on the server's read_only: taking writes away from a server, and giving them to it.
#pragma once

#include <memory>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"

namespace mha {

// Afterwards the server refuses writes; with super_read_only where the host's settings ask for it
// and the server has it. Where open locks keep it from that for lock_wait_timeout, the error names
// who holds them, and nothing is changed.
std::unique_ptr<Step> ensure_read_only(Node& node, Log& log);

// Afterwards the server takes writes.
std::unique_ptr<Step> ensure_writable(Node& node, Log& log);

// Afterwards who may write despite read_only can: we, who apply saved events. For others read_only
// stays on. For servers that have super_read_only.
std::unique_ptr<Step> ensure_writable_for_us(Node& node, Log& log);

}  // namespace mha
