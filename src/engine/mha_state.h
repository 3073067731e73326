// What MHA leaves in its manager_workdir to keep failovers apart, read as MHA reads it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/status.h"
#include "engine/cluster.h"
#include "ports/clock.h"

namespace mha {

struct FailoverMarks {
  std::string error_file;                     // <app>.failover.error; empty: there is none
  std::string complete_file;                  // <app>.failover.complete; empty: there is none
  std::optional<std::chrono::minutes> since;  // how long ago the last failover was complete
};

// Source: M:lib/MHA/MasterFailover.pm, check_settings.
FailoverMarks read_failover_marks(const Cluster& cluster, const Clock& clock);

// The writing side, as MHA's failover does it (the same file), so that its manager and we keep to
// the same pause: empty files, whole or not there, and their time is the clock's. The folder is
// made where it does not exist. Errors (kInternal) name the file.
//
// After a failover that has a new master, also where a replica was not brought over: .complete,
// with the time of now where it was there.
Status write_failover_complete(const Cluster& cluster, const Clock& clock);
// After one that has begun to change something and has no new master: .error. One that was refused
// before leaves none.
Status write_failover_error(const Cluster& cluster, const Clock& clock);
// What --ignore_last_failover does before a failover begins, and what MHA does with a .complete
// that is older than last_failover_minute: both are gone afterwards. Not for a mere look.
// Idempotent.
Status remove_failover_marks(const Cluster& cluster);

}  // namespace mha
