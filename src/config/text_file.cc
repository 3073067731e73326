// Reading a small file whole.
#include "config/text_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/shell_quote.h"

namespace mha {
namespace {

constexpr std::size_t kLargest = std::size_t{1024} * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Error unreadable(int error_number) {
  return Error{Code::kConfig, fmt::format("cannot be read: {}", std::strerror(error_number))};
}

Status check_readers(const struct stat& about, const std::string& path) {
  if (about.st_uid != geteuid() && about.st_uid != 0) {
    return Error{
        Code::kConfig,
        fmt::format("belongs to user {}, who can change it, and not to {} or root: chown {} {}",
                    about.st_uid, geteuid(), geteuid(), shell_quote(path))};
  }
  if ((about.st_mode & 077U) != 0) {
    return Error{Code::kConfig, fmt::format("can be read by others (mode {:04o}): chmod 600 {}",
                                            about.st_mode & 07777U, shell_quote(path))};
  }
  return {};
}

}  // namespace

FileText::FileText(std::string text) : text_(std::move(text)) {}

FileText::~FileText() { wipe(text_.data(), text_.size()); }

Result<std::unique_ptr<FileText>> read_text_file(const std::string& path, FileReaders readers) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) {
    return unreadable(errno);
  }
  if (S_ISDIR(about.st_mode)) {
    return Error{Code::kConfig, "is a directory, not a file"};
  }
  if (!S_ISREG(about.st_mode)) {
    return Error{Code::kConfig, "is not a regular file"};
  }
  if (readers == FileReaders::kOwner) {
    if (const Status good = check_readers(about, path); !good.ok()) return good.error();
  }
  if (about.st_size > static_cast<off_t>(kLargest)) {
    return Error{Code::kConfig, "is larger than 1 MiB: not a configuration file"};
  }

  // One allocation of the final size: a growing string would leave copies behind.
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const Error error = unreadable(errno);
      wipe(text.data(), text.size());
      return error;
    }
    if (got == 0) {
      break;  // shortened while we read
    }
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return std::make_unique<FileText>(std::move(text));
}

Result<Secret> read_password_file(const std::string& path) {
  const auto file = read_text_file(path, FileReaders::kOwner);
  if (!file.ok()) return file.error();
  std::string_view line = file.value()->view();
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return Error{Code::kConfig, "has no password in its first line"};
  return Secret{std::string{line}};
}

}  // namespace mha
