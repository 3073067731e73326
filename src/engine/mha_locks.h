// The locks by which MHA's programs, and ours, keep away from each other's clusters.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "core/node.h"

namespace mha {

struct LockWish {
  Node* node;
  const char* name;  // of mha_lock_names()
};

// Takes all of them, at the same time; they end with the nodes' sessions. The first error in the
// order of the wishes: a server's that does not answer, or `otherwise`, with what it said, where it
// did not give the lock.
Status take_mha_locks(const std::vector<LockWish>& wishes, const std::string& otherwise,
                      Deadline deadline);

}  // namespace mha
