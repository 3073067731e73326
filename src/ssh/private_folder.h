// A folder that only its owner can use.
#pragma once

#include <string>

#include "base/status.h"

namespace mha {

// Ok where `path` is a folder (not a link to one) of this process's user with mode 0700 or less.
// Errors: kUnreachable where it does not exist; kDenied, with what is wrong and the command that
// mends it.
Status check_private_folder(const std::string& path);

// Makes it, mode 0700, where it does not exist; its parent must be there. Then checks it.
Status ensure_private_folder(const std::string& path);

}  // namespace mha
