// Switches of a server that replication has to do with: the event scheduler, semi-sync.
#pragma once

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::set_event_scheduler(). A server started with event_scheduler=DISABLED is off
// already, and cannot be switched on.
Status set_event_scheduler(const ReplicationSession& session, Switch wanted, Deadline deadline);

// As Replication::set_semi_sync(). A server without semi-sync is off already.
Status set_semi_sync(const ReplicationSession& session, SemiSyncRole role, Switch wanted,
                     Deadline deadline);

}  // namespace mha
