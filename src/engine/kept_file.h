// A file that comes to be under its name only when it is whole and on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/binlog_script.h"
#include "base/status.h"

namespace mha {

// Mode 0600, written beside its final name (".part" behind it). One that is not committed is
// removed when this goes; one that a killed program has left is replaced. Errors: kInternal.
class KeptFile {
 public:
  static Result<KeptFile> create(const std::string& path);
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&&) = delete;
  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;
  ~KeptFile();

  Status append(std::string_view bytes);
  // Empty again.
  Status clear();
  // Where it is until then; another program may append to it as well.
  [[nodiscard]] std::string part() const { return path_ + ".part"; }
  // On disk under its name, in place of one that was there.
  Status commit();

 private:
  KeptFile(int fd, std::string path);

  int fd_;
  std::string path_;
};

// The file's bytes, a piece at a time. Errors: kInternal.
TextPieces pieces_of_file(const std::string& path);
Result<std::uint64_t> size_of_file(const std::string& path);
// As what is renamed or made in it is there after a crash.
Status sync_folder(const std::string& folder);
// The folder that a file is in.
std::string folder_of(const std::string& path);

}  // namespace mha
