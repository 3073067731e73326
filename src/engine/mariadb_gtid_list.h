// What MariaDB's positions and binary log states have in common: the list of GTIDs, and comparing.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/mariadb_gtid_set.h"

namespace mha {

// A list as MariaDB's gtid_parse_string_to_list reads it, in its order. `what` begins the error.
Result<std::vector<MariadbGtid>> parse_mariadb_gtids(std::string_view what, std::string_view text);

// Whether one has all of the other, and the other way round: how they stand.
enum class HasAll { kNo, kYes };
constexpr HasAll has_all(bool yes) { return yes ? HasAll::kYes : HasAll::kNo; }
GtidStanding standing_of(HasAll ours, HasAll theirs);

}  // namespace mha
