// Copies of a host's log files, or of their parts, on the manager.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "engine/remote_logs.h"
#include "ports/remote_shell.h"

namespace mha {

// A file that begins as the original does, with its format description, and then has what is behind
// an offset in the original.
struct LogCopy {
  std::string name;         // of the original, without folder
  std::string remote_path;  // of the original
  std::string path;         // of the copy
  std::uint64_t first = 0;  // offset in the copy of the event that was asked for; 0: the first
  std::uint64_t shift = 0;  // the original's offset is the copy's and this, from `first` on
};

// A folder of such, mode 0700. It stays until remove() is called.
class LogCopies {
 public:
  static Result<LogCopies> make(const std::string& folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  // Of what is behind `from` in a file of `logs`; `from` 0: all of it.
  Result<LogCopy> add(RemoteShell& host, const RemoteLogs& logs, const RemoteLogFile& file,
                      std::uint64_t from, Deadline deadline) const;
  // With all that is in it.
  void remove() const;

 private:
  explicit LogCopies(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
};

}  // namespace mha
