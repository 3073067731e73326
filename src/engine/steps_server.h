// Steps on one server that take writes away beside read_only: events, semi-sync, blockers.
#pragma once

#include <memory>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "engine/preflight.h"
#include "ports/clock.h"

namespace mha {

// Afterwards the event scheduler is off (its events write as their definers, past read_only where
// these may), or on.
std::unique_ptr<Step> ensure_events_off(Node& node, Log& log);
std::unique_ptr<Step> ensure_events_on(Node& node, Log& log);

// Afterwards no session waits for a semi-sync replica's word, and none will: the COMMITs are done,
// and would keep super_read_only waiting (facts: servers.md, "Ending writes").
std::unique_ptr<Step> ensure_semi_sync_freed(Node& node, Log& log);

// The same of a new master that takes writes already, or is about to: after the point of no return.
std::unique_ptr<Step> ensure_semi_sync_off_for_now(Node& node, Log& log);

// Afterwards the server is no semi-sync source, and its receiver is a semi-sync replica's from its
// next start on; one that runs otherwise is stopped. Before the step that lets it follow, and after
// the point of no return.
std::unique_ptr<Step> ensure_semi_sync_replica(Node& node, Log& log);

// How long the replicas that are to come are waited for.
inline constexpr Milliseconds kSemiSyncReplicasCome{5'000};

// Afterwards the server is a semi-sync source and no replica; once as many semi-sync replicas
// receive from it as its COMMITs wait for. Where they do not come within `patience` it is off, and
// the error says how to turn it on: each COMMIT would wait for its time-out. After the point of no
// return.
std::unique_ptr<Step> ensure_semi_sync_source(Node& node, Milliseconds patience, Clock& clock,
                                              Log& log);

// core's ensure_read_only, by the same kind, so that anybody can undo it. With kKill, who keeps
// read_only waiting is killed meanwhile, over a session of its own that is opened before.
std::unique_ptr<Step> ensure_frozen(Node& node, LongWriters blockers, MysqlConnector& connector,
                                    Log& log);

}  // namespace mha
