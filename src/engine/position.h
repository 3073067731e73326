// Has one server everything that another one has? By GTIDs of both families, or by coordinates.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "ports/replication.h"

namespace mha {

// Transactions that a replica has and its source has not, as text for people; empty where there are
// none. `replica` and `source` are executed_gtids of the port's ServerState; the source's must have
// been read later than the replica's. On MariaDB, whose positions do not tell every transaction,
// the domains in which the replica is ahead or has gone another way. Errors (kInternal): what a
// server printed cannot be read.
Result<std::string> errant_transactions(ServerFamily family, std::string_view replica,
                                        std::string_view source);

// Whether `one` covers `other`, both positions of the same server's history.
Result<bool> has_everything_of(ServerFamily family, std::string_view one, std::string_view other);

// Whether the first place of a log is at the second one or after it; false for different logs.
Result<bool> is_at_or_after(const BinlogCoordinates& one, const BinlogCoordinates& other);

}  // namespace mha
