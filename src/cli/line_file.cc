// Stamping and appending.
#include "cli/line_file.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace mha {
namespace {

// spdlog's and MHA's names are the same.
std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      break;
  }
  return "error";
}

Error file_error(const std::string& path) {
  return Error{Code::kInternal, fmt::format("cannot write {}: {}", path, std::strerror(errno))};
}

}  // namespace

std::string stamped(LineStamp form, WallTime at, LogLevel level, std::string_view text) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at - seconds).count();
  std::tm local{};
  localtime_r(&time, &local);
  if (form == LineStamp::kMha) {
    return fmt::format("{:%a %b %e %H:%M:%S %Y} - [{}] {}", local, name_of(level), text);
  }
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} [{}] {}", local, ms, name_of(level), text);
}

Result<LineFile> LineFile::open(const std::string& path, unsigned mode, LineStamp form) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, mode);
  if (fd < 0) return file_error(path);
  return LineFile(fd, path, form);
}

LineFile::LineFile(int fd, std::string path, LineStamp form)
    : fd_(fd), path_(std::move(path)), form_(form) {}

LineFile::~LineFile() {
  if (fd_ >= 0) close(fd_);
}

LineFile::LineFile(LineFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), form_(other.form_) {}

LineFile& LineFile::operator=(LineFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(form_, other.form_);
  return *this;
}

Status LineFile::write(WallTime at, LogLevel level, std::string_view text) {
  std::string line = stamped(form_, at, level, text) + "\n";
  // One write a line: masterha_manager may append to the same file.
  while (!line.empty()) {
    const ssize_t written = ::write(fd_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(path_);
    line.erase(0, static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace mha
