// Two files and the age of one.
#include "engine/mha_state.h"

#include <fmt/core.h>
#include <sys/stat.h>

namespace mha {

FailoverMarks read_failover_marks(const Cluster& cluster, const Clock& clock) {
  FailoverMarks marks;
  const std::string base = fmt::format("{}/{}.failover.", cluster.workdir, cluster.application);
  struct stat found {};
  if (stat((base + "error").c_str(), &found) == 0) marks.error_file = base + "error";
  if (stat((base + "complete").c_str(), &found) == 0) {
    marks.complete_file = base + "complete";
    const WallTime written = std::chrono::system_clock::from_time_t(found.st_mtime);
    marks.since = std::chrono::duration_cast<std::chrono::minutes>(clock.wall_now() - written);
  }
  return marks;
}

}  // namespace mha
