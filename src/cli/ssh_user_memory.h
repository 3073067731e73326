// The SSH user of each host as MHA last named it: the hard hook's stop is called without one
// (facts: MHA's MasterFailover.pm, force_shutdown).
#pragma once

#include <string>

#include "base/status.h"

namespace mha {

// Keeps it in a file of `state_dir` (made where absent), 0600, replaced as a whole. Errors:
// kInternal, kDenied; they harm nobody but a later recall.
Status remember_ssh_user(const std::string& state_dir, const std::string& host,
                         const std::string& user);

// "" where none is known.
std::string recall_ssh_user(const std::string& state_dir, const std::string& host);

}  // namespace mha
