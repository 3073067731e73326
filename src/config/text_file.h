// A configuration file's text in memory, wiped when it goes, since it may hold passwords.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"

namespace mha {

class FileText {
 public:
  // The text moves in; it stays where it is until this object goes.
  explicit FileText(std::string text);
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;
  ~FileText();

  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string text_;
};

// Who may be able to read a file.
enum class FileReaders {
  kAnybody,
  kOwner,  // and root; the owner is who runs this, or root. Else it is refused
};

// Reads a regular file of at most 1 MiB; never blocks on a FIFO or device. The error's message
// (kConfig) says what is wrong without naming the file, and for a file that others can read the
// command that mends it.
Result<std::unique_ptr<FileText>> read_text_file(const std::string& path,
                                                 FileReaders readers = FileReaders::kAnybody);

// A file that holds a password and nothing else: its first line. Others must not be able to read
// it. Errors as above; an empty line is one.
Result<Secret> read_password_file(const std::string& path);

}  // namespace mha
