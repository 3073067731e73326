// Reading a small file whole.
#include "config/text_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/secret.h"

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

}  // namespace

FileText::FileText(std::string text) : text_(std::move(text)) {}

FileText::~FileText() { wipe(text_.data(), text_.size()); }

Result<std::unique_ptr<FileText>> read_text_file(const std::string& path) {
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

}  // namespace mha
