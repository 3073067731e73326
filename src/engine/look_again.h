// Between the look at a cluster and the locks on it seconds pass: what another program did then.
#pragma once

#include <cstddef>
#include <vector>

#include "base/deadline.h"
#include "engine/discovery.h"

namespace mha {

// Asks these hosts (indices), all at the same time over their nodes' sessions, whether each has the
// source that it had, and takes writes or not as it did. With MHA's locks taken it stays so.
// Errors: kRefused for the first that has changed; that of asking it.
Status still_as_seen(const Discovery& discovery, const std::vector<std::size_t>& hosts,
                     Deadline deadline);

}  // namespace mha
