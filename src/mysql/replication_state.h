// A server's state as a source and as a replica, in one round trip.
#pragma once

#include <optional>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::state().
Result<ServerState> read_server_state(const ReplicationSession& session, Deadline deadline);

// As Replication::own_position().
Result<SourcePosition> read_own_position(const ReplicationSession& session, Deadline deadline);

// As Replication::receiver_seen().
Result<std::optional<ReceiverSeen>> read_receiver_seen(const ReplicationSession& session,
                                                       Deadline deadline);

}  // namespace mha
