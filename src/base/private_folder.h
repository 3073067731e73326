// A folder that only its owner can use.
#pragma once

#include <string>

#include "base/status.h"

namespace mha {

// Ok where `path` is a folder (not a link to one) of this process's user with mode 0700 or less.
// Errors: kUnreachable where it does not exist; kDenied, with what is wrong and the command that
// mends it.
Status check_private_folder(const std::string& path);

// Makes it, mode 0700, and what is missing above it, where it does not exist. Then checks it.
Status ensure_private_folder(const std::string& path);

// Makes it, and what is missing above it, where it does not exist: as the umask says, but never so
// that others may write. Error (kDenied): names the folder and why.
Status ensure_folder(const std::string& path);

}  // namespace mha
