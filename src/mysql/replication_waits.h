// Waiting until a replica's applier has come to a place.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::wait_until_applied(). What is applied already is a success, whatever the applier
// does now. The server's own function waits, in slices, since it does not notice an applier that
// stops; where it knows whole seconds only and less than that is left, the state is polled.
Status wait_until_applied(const ReplicationSession& session, const SourcePosition& position,
                          GtidUse gtid_use, Deadline deadline);

// As Replication::wait_until_replicated(). A receiver that is not connected is given some seconds
// to be so again, and the applier the time to finish what is there.
Status wait_until_replicated(const ReplicationSession& session, const std::string& gtids,
                             Deadline deadline);

// As Replication::wait_until_relay_log_applied(). An event group that was received in part only is
// not waited for: no source will ever complete it.
Status wait_until_relay_log_applied(const ReplicationSession& session, Deadline deadline);

}  // namespace mha
