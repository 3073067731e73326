// Logs read, compared transaction by transaction of what they end with, and printed.
#include "engine/mariadb_binlog_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "engine/mariadb_gtid_list.h"

namespace mha {

Result<MariadbBinlogState> MariadbBinlogState::parse(std::string_view text) {
  constexpr std::string_view kWhat = "MariaDB binary log state";
  const Result<std::vector<MariadbGtid>> list = parse_mariadb_gtids(kWhat, text);
  if (!list.ok()) return list.error();
  MariadbBinlogState state;
  for (const MariadbGtid& gtid : list.value()) {
    if (!state.last_.emplace(std::pair{gtid.domain, gtid.server}, gtid.seqno).second) {
      return Error{Code::kInternal, fmt::format("{} names server {} twice in domain {}", kWhat,
                                                gtid.server, gtid.domain)};
    }
  }
  return state;
}

bool MariadbBinlogState::has(const MariadbGtid& gtid) const {
  const auto last = last_.find({gtid.domain, gtid.server});
  return last != last_.end() && last->second >= gtid.seqno;
}

bool MariadbBinlogState::has_everything_up_to(const MariadbGtidPosition& position) const {
  return std::ranges::all_of(position.domains(),
                             [this](const auto& entry) { return has(entry.second); });
}

bool MariadbBinlogState::has_all_of(const MariadbBinlogState& other) const {
  return std::ranges::all_of(other.last_, [this](const auto& entry) {
    return has(MariadbGtid{entry.first.first, entry.first.second, entry.second});
  });
}

GtidStanding MariadbBinlogState::standing_beside(const MariadbBinlogState& other) const {
  return standing_of(has_all(has_all_of(other)), has_all(other.has_all_of(*this)));
}

std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>> MariadbBinlogState::entries()
    const {
  std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>> all;
  for (const auto& [at, seqno] : last_) all.emplace_back(at.first, at.second, seqno);
  return all;
}

std::string MariadbBinlogState::text() const {
  std::vector<MariadbGtid> list;
  for (const auto& [writer, seqno] : last_) list.push_back({writer.first, writer.second, seqno});
  std::ranges::sort(list, {}, [](const MariadbGtid& gtid) {
    return std::tuple{gtid.domain, gtid.seqno, gtid.server};
  });
  std::string text;
  for (const MariadbGtid& gtid : list) text += (text.empty() ? "" : ",") + gtid.text();
  return text;
}

}  // namespace mha
