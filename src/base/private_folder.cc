// Owner and mode, read from the folder itself.
#include "base/private_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/shell_quote.h"

namespace mha {
namespace {

constexpr mode_t kPrivate = 0700;
constexpr mode_t kCommon = 0755;

Error cannot_make(const std::string& path, int error) {
  return {Code::kDenied, fmt::format("cannot make the folder {}: {}", path, std::strerror(error))};
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Status ensure_parent(const std::string& path) {
  const std::size_t name_end = path.find_last_not_of('/');
  const std::size_t slash = path.rfind('/', name_end);
  if (name_end == std::string::npos || slash == std::string::npos || slash == 0) return {};
  return ensure_folder(path.substr(0, slash));
}

}  // namespace

Status ensure_folder(const std::string& path) {
  if (path.empty() || is_folder(path)) return {};
  if (Status made = ensure_parent(path); !made.ok()) return made;
  if (mkdir(path.c_str(), kCommon) == 0) return {};
  const int error = errno == EEXIST ? ENOTDIR : errno;
  if (is_folder(path)) return {};  // somebody else has just made it
  return cannot_make(path, error);
}

Status check_private_folder(const std::string& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      return Error{Code::kDenied, fmt::format("{} is not a folder, or a link to one", path)};
    }
    return Error{error == ENOENT ? Code::kUnreachable : Code::kDenied,
                 fmt::format("cannot open the folder {}: {}", path, std::strerror(error))};
  }
  struct stat info {};
  const bool known = fstat(folder, &info) == 0;
  close(folder);
  if (!known) {
    return Error{Code::kDenied, fmt::format("cannot read the owner of {}", path)};
  }
  if (info.st_uid != geteuid()) {
    return Error{Code::kDenied, fmt::format("{} belongs to user {}, not to {}; remove it", path,
                                            info.st_uid, geteuid())};
  }
  if ((info.st_mode & 077U) != 0) {
    return Error{Code::kDenied, fmt::format("{} is open to others (mode {:04o}): chmod 700 {}",
                                            path, info.st_mode & 07777U, shell_quote(path))};
  }
  return {};
}

Status ensure_private_folder(const std::string& path) {
  if (Status made = ensure_parent(path); !made.ok()) return made;
  if (mkdir(path.c_str(), kPrivate) != 0 && errno != EEXIST) return cannot_make(path, errno);
  return check_private_folder(path);
}

}  // namespace mha
