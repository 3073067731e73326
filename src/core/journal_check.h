// Whether a journal's record is one that we can have written.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace mha {

// Every member that anybody reads has the type that it is written with, at whatever depth, and
// numbers are in their range; other members may be anything. What to put back is not guessed from a
// damaged journal: the error (kInternal) names the member. So readers of journals need no check of
// their own, and nlohmann-json has nothing to throw.
Status check_journal_record(const nlohmann::json& record);

}  // namespace mha
