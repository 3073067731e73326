// Positions read, compared domain by domain, and printed.
#include "engine/mariadb_gtid_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "engine/mariadb_gtid_list.h"

namespace mha {

std::string MariadbGtid::text() const { return fmt::format("{}-{}-{}", domain, server, seqno); }

std::string_view to_string(GtidStanding standing) {
  switch (standing) {
    case GtidStanding::kEqual:
      return "equal";
    case GtidStanding::kAhead:
      return "ahead";
    case GtidStanding::kBehind:
      return "behind";
    case GtidStanding::kDiverged:
      return "diverged";
  }
  return "diverged";
}

Result<MariadbGtidPosition> MariadbGtidPosition::parse(std::string_view text) {
  constexpr std::string_view kWhat = "MariaDB GTID position";
  const Result<std::vector<MariadbGtid>> list = parse_mariadb_gtids(kWhat, text);
  if (!list.ok()) return list.error();
  MariadbGtidPosition position;
  for (const MariadbGtid& gtid : list.value()) {
    const auto [there, is_new] = position.last_.emplace(gtid.domain, gtid);
    if (!is_new) {
      return Error{Code::kInternal, fmt::format("{} names domain {} twice, {} and {}", kWhat,
                                                gtid.domain, there->second.text(), gtid.text())};
    }
  }
  return position;
}

std::optional<MariadbGtid> MariadbGtidPosition::at(std::uint32_t domain) const {
  const auto found = last_.find(domain);
  return found == last_.end() ? std::nullopt : std::optional{found->second};
}

bool MariadbGtidPosition::has_everything_up_to(const MariadbGtidPosition& other) const {
  return std::ranges::all_of(other.last_, [this](const auto& entry) {
    const auto ours = last_.find(entry.first);
    return ours != last_.end() &&
           (ours->second.seqno > entry.second.seqno || ours->second == entry.second);
  });
}

GtidStanding standing_of(HasAll ours, HasAll theirs) {
  if (ours == HasAll::kYes && theirs == HasAll::kYes) return GtidStanding::kEqual;
  if (ours == HasAll::kYes) return GtidStanding::kAhead;
  return theirs == HasAll::kYes ? GtidStanding::kBehind : GtidStanding::kDiverged;
}

GtidStanding MariadbGtidPosition::standing_beside(const MariadbGtidPosition& other) const {
  return standing_of(has_all(has_everything_up_to(other)),
                     has_all(other.has_everything_up_to(*this)));
}

std::string MariadbGtidPosition::text() const {
  std::string text;
  for (const auto& [domain, gtid] : last_) text += (text.empty() ? "" : ",") + gtid.text();
  return text;
}

}  // namespace mha
