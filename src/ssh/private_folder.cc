// Owner and mode, read from the folder itself.
#include "ssh/private_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/shell_quote.h"
#include "ssh/file_descriptor.h"
#include "ssh/wait.h"

namespace mha {

Status check_private_folder(const std::string& path) {
  const FileDescriptor folder{
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!folder.valid()) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      return Error{Code::kDenied, fmt::format("{} is not a folder", path)};
    }
    return Error{error == ENOENT ? Code::kUnreachable : Code::kDenied,
                 fmt::format("cannot open the folder {}: {}", path, system_error_text(error))};
  }
  struct stat info {};
  if (::fstat(folder.get(), &info) != 0) {
    return Error{Code::kDenied, fmt::format("cannot read the owner of {}", path)};
  }
  if (info.st_uid != ::geteuid()) {
    return Error{Code::kDenied, fmt::format("{} belongs to user {}, not to {}; remove it", path,
                                            info.st_uid, ::geteuid())};
  }
  if ((info.st_mode & 077U) != 0) {
    return Error{Code::kDenied, fmt::format("{} is open to others (mode {:04o}): chmod 700 {}",
                                            path, info.st_mode & 07777U, shell_quote(path))};
  }
  return {};
}

Status ensure_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{Code::kDenied,
                 fmt::format("cannot make the folder {}: {}", path, system_error_text(errno))};
  }
  return check_private_folder(path);
}

}  // namespace mha
