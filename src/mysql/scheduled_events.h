// Events of the scheduler: which there are, and enabling those that replication has disabled.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::scheduled_events().
Result<std::vector<ScheduledEvent>> read_scheduled_events(const ReplicationSession& session,
                                                          Deadline deadline);
// As Replication::enable_event().
Status enable_event(const ReplicationSession& session, const ScheduledEvent& event,
                    Deadline deadline);

// The statements of it, in order. ALTER EVENT makes whoever executes it the definer, and gives the
// event the session's character set (observed, MariaDB 10.11), so both are said. A name that is not
// ASCII would be read in that character set: then the event gets the session's.
std::vector<std::string> enable_event_sql(const ScheduledEvent& event);

}  // namespace mha
