// What MHA leaves in its manager_workdir to keep failovers apart, read as MHA reads it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

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

}  // namespace mha
