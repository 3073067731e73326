// Finding out who would hold up a switch.
#pragma once

#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::long_writers(), longest first. Replication's own threads are none. What the
// server refuses to tell is left out: the lock on a table is seen where LockSource records it.
Result<std::vector<LongWriter>> find_long_writers(const ReplicationSession& session,
                                                  std::chrono::seconds at_least, Deadline deadline);

}  // namespace mha
