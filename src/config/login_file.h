// A login path of the file that mysql_config_editor writes (~/.mylogin.cnf).
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"

namespace mha {

struct LoginPath {
  std::string user;  // may be empty
  Secret password;   // not empty
};

// Reads `file`, which only its owner (us, or root) may be able to read. Errors (kConfig) say what
// is wrong without naming the file; never what stands in it but the names of login paths.
Result<LoginPath> read_login_path(const std::string& file, const std::string& name);

// The same of the file's bytes. 4 unused bytes, a key of 20 bytes that is folded to 16 by XOR, then
// for each line its length (4 bytes, little endian) and the line, encrypted with AES-128-ECB and
// padded (MySQL Reference Manual, mysql_config_editor: it is to keep from being read in passing, no
// more). The lines are those of an option file.
Result<LoginPath> parse_login_path(std::string_view bytes, const std::string& name);

}  // namespace mha
