// Two files and the age of one.
#include "engine/mha_state.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "base/private_folder.h"
#include "core/atomic_file.h"

namespace mha {
namespace {

// As MHA's files would be with the usual umask: they are empty.
constexpr unsigned kMode = 0644;

std::string mark_path(const Cluster& cluster, std::string_view suffix) {
  return fmt::format("{}/{}.failover.{}", cluster.workdir, cluster.application, suffix);
}

Status write_mark(const std::string& path, const Cluster& cluster, const Clock& clock) {
  if (Status made = ensure_folder(cluster.workdir); !made.ok()) {
    return made.error().with_context("cannot write " + path);
  }
  if (Status written = write_atomically(path, "", kMode); !written.ok()) return written;
  const auto now = clock.wall_now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const struct timespec at { seconds.count(), std::chrono::nanoseconds{now - seconds}.count() };
  const struct timespec times[2] = {at, at};  // NOLINT(*-avoid-c-arrays): the call's own type
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error{Code::kInternal, fmt::format("cannot date {}: {}", path, std::strerror(errno))};
  }
  return {};
}

}  // namespace

FailoverMarks read_failover_marks(const Cluster& cluster, const Clock& clock) {
  FailoverMarks marks;
  const std::string base = mark_path(cluster, "");
  struct stat found {};
  if (stat((base + "error").c_str(), &found) == 0) marks.error_file = base + "error";
  if (stat((base + "complete").c_str(), &found) == 0) {
    marks.complete_file = base + "complete";
    const WallTime written = std::chrono::system_clock::from_time_t(found.st_mtime);
    marks.since = std::chrono::duration_cast<std::chrono::minutes>(clock.wall_now() - written);
  }
  return marks;
}

Status write_failover_complete(const Cluster& cluster, const Clock& clock) {
  return write_mark(mark_path(cluster, "complete"), cluster, clock);
}

Status write_failover_error(const Cluster& cluster, const Clock& clock) {
  return write_mark(mark_path(cluster, "error"), cluster, clock);
}

Status remove_failover_marks(const Cluster& cluster) {
  for (const char* suffix : {"error", "complete"}) {
    const std::string path = mark_path(cluster, suffix);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return Error{Code::kInternal,
                   fmt::format("cannot remove {}: {}", path, std::strerror(errno))};
    }
  }
  return {};
}

}  // namespace mha
