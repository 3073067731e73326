// A remark about a configuration file: where, and what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mha {

enum class Severity { kWarning, kError };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;
  int line = 0;         // 0: the file as a whole
  std::string section;  // may be empty
  std::string key;      // may be empty
  std::string message;  // what is wrong and what to write instead; never a password

  // "FILE:LINE: [section] key: message", the parts that there are.
  [[nodiscard]] std::string text() const;
};

bool has_error(const std::vector<Diagnostic>& diagnostics);

// The first error's text and how many more there are, kConfig. Only where has_error().
Error config_error(const std::vector<Diagnostic>& diagnostics);

// `text` in one line: '?' for each control character.
std::string without_controls(std::string text);

// `text` as a message may show it: one line, cut to a readable length.
std::string printable(std::string_view text);

}  // namespace mha
