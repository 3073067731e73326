// Log files on a host: which there are, and copies of parts of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/remote_shell.h"

namespace mha {

struct RemoteLogFile {
  std::string name;  // without folder
  std::uint32_t number = 0;
  std::uint64_t size = 0;  // bytes
};

struct RemoteLogs {
  std::string folder;
  std::vector<RemoteLogFile> files;  // by number

  [[nodiscard]] std::string path(const RemoteLogFile& file) const {
    return folder + "/" + file.name;
  }
};

// The files BASE.NUMBER in the first of `folders` that has any, in one round trip. kRefused where
// none has, or a folder is not absolute; says where it looked, and what the host said.
Result<RemoteLogs> list_logs(RemoteShell& host, const std::vector<std::string>& folders,
                             const std::string& base, Deadline deadline);

// Appends the bytes of `path` from `from` up to `to` to the local file, piece by piece. kRefused
// where the host has not so many to give: with its words, and the remedy where it is permission.
class KeptFile;
Status copy_bytes(RemoteShell& host, const std::string& path, std::uint64_t from, std::uint64_t to,
                  KeptFile& into, Deadline deadline);
// The same into memory, for the beginning of a file.
Result<std::string> read_bytes(RemoteShell& host, const std::string& path, std::uint64_t from,
                               std::uint64_t to, Deadline deadline);

// The first line of what a command wrote to standard error, fit for a message.
std::string first_words(const std::string& standard_error);

}  // namespace mha
