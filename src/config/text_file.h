// A configuration file's text in memory, wiped when it goes, since it may hold passwords.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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

// Reads a regular file of at most 1 MiB; never blocks on a FIFO or device. The error's message
// (kConfig) says what is wrong without naming the file.
Result<std::unique_ptr<FileText>> read_text_file(const std::string& path);

}  // namespace mha
