// A head, a tail, and a folder.
#include "engine/log_copies.h"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "base/private_folder.h"
#include "engine/binlog_events.h"
#include "engine/kept_file.h"

namespace mha {
namespace {

constexpr std::uint64_t kMagic = 4;
constexpr std::uint64_t kSizeAt = 9;  // in an event's header
// More than any format description: a byte for each type, and 80.
constexpr std::uint64_t kHead = 4096;

}  // namespace

Result<LogCopies> LogCopies::make(const std::string& folder) {
  if (Status made = ensure_private_folder(folder); !made.ok()) return made.error();
  return LogCopies{folder};
}

Result<LogCopy> LogCopies::add(RemoteShell& host, const RemoteLogs& logs, const RemoteLogFile& file,
                               std::uint64_t from, Deadline deadline) const {
  LogCopy copy{file.name, logs.path(file), folder_ + "/" + file.name, from, 0};
  Result<KeptFile> kept = KeptFile::create(copy.path);
  if (!kept.ok()) return kept.error();
  std::uint64_t begin = 0;
  if (from > kHead) {
    const Result<std::string> head = read_bytes(host, copy.remote_path, 0, kHead, deadline);
    if (!head.ok()) return head.error();
    const std::uint64_t size = kMagic + little_endian(head.value(), kMagic + kSizeAt, 4);
    if (size > kHead) {
      return Error{Code::kRefused,
                   fmt::format("{} on {} does not begin as a binary log of format 4 "
                               "does",
                               copy.remote_path, host.host())};
    }
    const Status written = kept.value().append(head.value().substr(0, size));
    if (!written.ok()) return written.error();
    begin = from;
    copy.first = size;
    copy.shift = from - size;
  }
  Status done = copy_bytes(host, copy.remote_path, begin, file.size, kept.value(), deadline);
  if (done.ok()) done = kept.value().commit();
  if (!done.ok()) return done.error();
  return copy;
}

void LogCopies::remove() const {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace mha
