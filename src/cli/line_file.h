// A file to which lines are appended: a run's log, or MHA's manager_log.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "base/status.h"
#include "ports/clock.h"

namespace mha {

enum class LineStamp {
  kOurs,  // "2026-11-29 18:23:07.123 [info] ...": as on the screen
  kMha,   // "Sun Nov 29 18:23:07 2026 - [info] ...": as MHA's own (M:ManagerConst.pm)
};

// "2026-11-29 18:23:07.123 [info] text", local time; or MHA's form. Without a newline.
std::string stamped(LineStamp form, WallTime at, LogLevel level, std::string_view text);

// Opened once; each line goes to the system at once. Not thread-safe.
class LineFile {
 public:
  // A new file has `mode` (0600), an existing one stays as it is. An error (kInternal) names the
  // file and why.
  static Result<LineFile> open(const std::string& path, unsigned mode, LineStamp form);
  ~LineFile();
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&& other) noexcept;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  Status write(WallTime at, LogLevel level, std::string_view text);

 private:
  LineFile(int fd, std::string path, LineStamp form);

  int fd_;
  std::string path_;
  LineStamp form_;
};

}  // namespace mha
