// Steps on one server that take writes away beside read_only: events, semi-sync, blockers.
#pragma once

#include <memory>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "engine/preflight.h"

namespace mha {

// Afterwards the event scheduler is off (its events write as their definers, past read_only where
// these may), or on.
std::unique_ptr<Step> ensure_events_off(Node& node, Log& log);
std::unique_ptr<Step> ensure_events_on(Node& node, Log& log);

// Afterwards no session waits for a semi-sync replica's word, and none will: the COMMITs are done,
// and would keep super_read_only waiting (facts: servers.md, "Ending writes").
std::unique_ptr<Step> ensure_semi_sync_freed(Node& node, Log& log);

// Afterwards semi-sync is on in this role and off in the other. After the point of no return.
std::unique_ptr<Step> ensure_semi_sync_role(Node& node, SemiSyncRole role, Log& log);

// core's ensure_read_only, by the same kind, so that anybody can undo it. With kKill, who keeps
// read_only waiting is killed meanwhile, over a session of its own that is opened before.
std::unique_ptr<Step> ensure_frozen(Node& node, LongWriters blockers, MysqlConnector& connector,
                                    Log& log);

}  // namespace mha
