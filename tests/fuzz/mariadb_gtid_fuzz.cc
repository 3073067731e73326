// MariaDB's GTID positions and binary log states: two of each, and how they stand to each other.
#include <optional>

#include "engine/mariadb_binlog_state.h"
#include "engine/mariadb_gtid_set.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

GtidStanding seen_from_the_other(GtidStanding standing) {
  if (standing == GtidStanding::kAhead) return GtidStanding::kBehind;
  if (standing == GtidStanding::kBehind) return GtidStanding::kAhead;
  return standing;
}

template <typename T>
std::optional<T> parsed(const std::string& text) {
  const Result<T> read = T::parse(text);
  if (!read.ok()) {
    must_be_one_line(read.error().message);
    return std::nullopt;
  }
  const T& value = read.value();
  const Result<T> again = T::parse(value.text());
  must(again.ok() && again.value() == value, "its text is the same again");
  must(value.standing_beside(value) == GtidStanding::kEqual, "it stands equal beside itself");
  return value;
}

template <typename T>
void check_standing(const T& a, const T& b) {
  const GtidStanding standing = a.standing_beside(b);
  must(b.standing_beside(a) == seen_from_the_other(standing), "both see the same");
  must((standing == GtidStanding::kEqual) == (a == b), "equal is the same");
}

void check_positions(const MariadbGtidPosition& a, const MariadbGtidPosition& b) {
  check_standing(a, b);
  const bool has_all = a.has_everything_up_to(b);
  const GtidStanding standing = a.standing_beside(b);
  must(!has_all || standing == GtidStanding::kEqual || standing == GtidStanding::kAhead,
       "who has everything is not behind");
  if (has_all && b.has_everything_up_to(a)) must(a == b, "each has everything: equal");
}

void check_state(const MariadbBinlogState& state, const MariadbGtidPosition& position) {
  bool has_all = true;
  for (const auto& [domain, gtid] : position.domains()) has_all = has_all && state.has(gtid);
  must(state.has_everything_up_to(position) == has_all, "a position is its domains' transactions");
  for (const auto& [domain, server, seqno] : state.entries()) {
    must(state.has({domain, server, seqno}), "a log has its last transactions");
  }
}

}  // namespace

void try_input(std::string_view input) {
  const std::vector<std::string> parts = parts_of(input, 2);
  const auto position_a = parsed<MariadbGtidPosition>(parts[0]);
  const auto position_b = parsed<MariadbGtidPosition>(parts[1]);
  const auto state_a = parsed<MariadbBinlogState>(parts[0]);
  const auto state_b = parsed<MariadbBinlogState>(parts[1]);
  if (position_a.has_value() && position_b.has_value()) check_positions(*position_a, *position_b);
  if (state_a.has_value() && state_b.has_value()) check_standing(*state_a, *state_b);
  if (state_a.has_value() && position_b.has_value()) check_state(*state_a, *position_b);
}

}  // namespace mha::fuzz
