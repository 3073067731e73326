// Reads an ini file with inih: its sections and keys with their line numbers, and what is wrong.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/ini_dialect.h"
#include "config/text_file.h"

namespace mha {

struct IniRow {
  std::string_view key;    // as written
  std::string_view value;  // exactly; a continued value has its lines joined by \n
  int line = 0;
};

struct IniSection {
  std::string_view name;
  int line = 0;
  std::vector<IniRow> rows;  // in file order; the same key may come twice
};

// What a file says. The views point into this object, which wipes the text when it goes.
class IniDocument {
 public:
  // In file order; the same name may come twice.
  std::vector<IniSection> sections;
  // Each bad thing once: unreadable, empty, no text file, a line that is none of the known kinds, a
  // key before the first section. Never quotes a line: it may hold a password.
  std::vector<Diagnostic> errors;

 private:
  friend IniDocument read_ini(const std::string& path, IniDialect dialect);

  std::unique_ptr<FileText> text_;
  std::deque<std::string> continued_;
};

// inih walks the file and tells pairs, continuations and comments apart. Names and values are taken
// from the raw line by the dialect's rules instead, since Debian's inih 55 (a shared library,
// options fixed when it was built)
// - cuts lines at 199 bytes and reads the rest as a line of its own, and cuts section names at 49;
// - ends every value at ` ;` and takes `:` as a delimiter, also in MHA's files;
// - does not report a section that has no keys.
IniDocument read_ini(const std::string& path, IniDialect dialect);

}  // namespace mha
