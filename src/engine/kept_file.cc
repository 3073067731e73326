// Write, fsync, rename, fsync.
#include "engine/kept_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace mha {
namespace {

constexpr std::size_t kPiece = 65536;

Error failed(const char* doing, const std::string& path) {
  return {Code::kInternal, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno))};
}

struct OpenFile {
  explicit OpenFile(int opened) : fd(opened) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

}  // namespace

KeptFile::KeptFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

KeptFile::~KeptFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(part().c_str());
}

Result<KeptFile> KeptFile::create(const std::string& path) {
  const std::string part = path + ".part";
  if (unlink(part.c_str()) != 0 && errno != ENOENT) return failed("replace", part);
  const int fd =
      open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("create", part);
  return KeptFile{fd, path};
}

Status KeptFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", part());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status KeptFile::clear() {
  if (ftruncate(fd_, 0) != 0) return failed("empty", part());
  return {};
}

Status KeptFile::commit() {
  if (fsync(fd_) != 0) return failed("sync", part());
  if (std::rename(part().c_str(), path_.c_str()) != 0) return failed("rename", part());
  close(std::exchange(fd_, -1));
  return sync_folder(folder_of(path_));
}

TextPieces pieces_of_file(const std::string& path) {
  auto file = std::make_shared<OpenFile>(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const int why = file->fd < 0 ? errno : 0;
  return [file, path, why]() -> Result<std::string> {
    errno = why;
    if (file->fd < 0) return failed("read", path);
    std::string piece(kPiece, '\0');
    ssize_t got = -1;
    do {
      got = read(file->fd, piece.data(), piece.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return failed("read", path);
    piece.resize(static_cast<std::size_t>(got));
    return piece;
  };
}

Result<std::uint64_t> size_of_file(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return failed("look at", path);
  return static_cast<std::uint64_t>(about.st_size);
}

Status sync_folder(const std::string& folder) {
  const OpenFile file{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (file.fd < 0 || fsync(file.fd) != 0) return failed("sync", folder);
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace mha
