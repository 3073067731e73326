// Writing, syncing, renaming.
#include "core/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mha {
namespace {

Status write_and_sync(int fd, std::string_view content, unsigned mode, const std::string& path) {
  const auto failed = [&path] {
    return Error{Code::kInternal, fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  };
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed();
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  // Whatever the umask says.
  if (fchmod(fd, mode) != 0 || fsync(fd) != 0) return failed();
  return {};
}

void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(fsync(fd));
  close(fd);
}

}  // namespace

Status write_atomically(const std::string& path, std::string_view content, unsigned mode) {
  const std::string unfinished = fmt::format("{}.{}", path, getpid());
  // What a killed process of this id has left is nobody's; a link there is not followed.
  unlink(unfinished.c_str());
  const int fd =
      open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Error{Code::kInternal, fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  }
  Status written = write_and_sync(fd, content, mode, path);
  close(fd);
  if (written.ok() && rename(unfinished.c_str(), path.c_str()) != 0) {
    written =
        Error{Code::kInternal, fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  }
  if (!written.ok()) {
    unlink(unfinished.c_str());
    return written;
  }
  sync_folder_of(path);
  return {};
}

}  // namespace mha
