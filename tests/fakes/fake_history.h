// What a fake server has executed, and how it tells: GTIDs and binary log coordinates.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ports/mysql_server.h"
#include "ports/replication.h"

namespace mha {

// `number` counts as the family does: MySQL's per server, MariaDB's over the whole domain 0.
struct FakeTransaction {
  std::uint32_t server_id = 0;
  std::uint64_t number = 0;
  auto operator<=>(const FakeTransaction&) const = default;
};

using FakeHistory = std::vector<FakeTransaction>;  // in the order of execution

inline bool contains(const FakeHistory& history, const FakeTransaction& transaction) {
  return std::ranges::find(history, transaction) != history.end();
}

// @@server_uuid of a fake MySQL server.
inline std::string fake_uuid(std::uint32_t server_id) {
  return fmt::format("00000000-0000-0000-0000-{:012}", server_id);
}

// "UUID:1-5:7,UUID:1", as gtid_executed has it.
inline std::string mysql_gtids(const FakeHistory& history) {
  std::map<std::uint32_t, std::set<std::uint64_t>> numbers;
  for (const FakeTransaction& each : history) numbers[each.server_id].insert(each.number);
  std::string text;
  for (const auto& [server_id, all] : numbers) {
    text += fmt::format("{}{}", text.empty() ? "" : ",", fake_uuid(server_id));
    for (auto at = all.begin(); at != all.end();) {
      const std::uint64_t first = *at;
      std::uint64_t last = first;
      while (++at != all.end() && *at == last + 1) ++last;
      text += first == last ? fmt::format(":{}", first) : fmt::format(":{}-{}", first, last);
    }
  }
  return text;
}

// "0-1-5", as gtid_binlog_pos has it: the last one alone.
inline std::string mariadb_gtids(const FakeHistory& history) {
  if (history.empty()) return "";
  return fmt::format("0-{}-{}", history.back().server_id, history.back().number);
}

// gtid_binlog_state: the last one of each server.
inline std::string mariadb_binlog_state(const FakeHistory& history) {
  std::map<std::uint32_t, std::uint64_t> last;
  for (const FakeTransaction& each : history) last[each.server_id] = each.number;
  std::string text;
  for (const auto& [server_id, number] : last) {
    text += fmt::format("{}0-{}-{}", text.empty() ? "" : ",", server_id, number);
  }
  return text;
}

inline std::string gtids_of(ServerFamily family, const FakeHistory& history) {
  return family == ServerFamily::kMariadb ? mariadb_gtids(history) : mysql_gtids(history);
}

// Whether a server with this history has what `gtids` says, in a text of the functions above.
inline bool covers(ServerFamily family, const FakeHistory& history, std::string_view gtids) {
  const auto number_at = [](std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (gtids.empty()) return true;
  if (family == ServerFamily::kMariadb) {
    const std::uint64_t wanted = number_at(gtids.substr(gtids.rfind('-') + 1));
    return std::ranges::any_of(
        history, [wanted](const FakeTransaction& each) { return each.number >= wanted; });
  }
  while (!gtids.empty()) {
    const std::string_view one = gtids.substr(0, gtids.find(','));
    gtids.remove_prefix(std::min(gtids.size(), one.size() + 1));
    std::size_t colon = one.find(':');
    // The UUID's last group is the server id.
    const auto server_id =
        static_cast<std::uint32_t>(number_at(one.substr(one.rfind('-', colon) + 1)));
    while (colon != std::string_view::npos) {
      const std::size_t end = one.find(':', colon + 1);
      const std::string_view interval = one.substr(colon + 1, end - colon - 1);
      const std::uint64_t first = number_at(interval);
      const std::size_t dash = interval.find('-');
      const std::uint64_t last =
          dash == std::string_view::npos ? first : number_at(interval.substr(dash + 1));
      for (std::uint64_t number = first; number <= last; ++number) {
        if (!contains(history, {server_id, number})) return false;
      }
      colon = end;
    }
  }
  return true;
}

// The binary log of "db1:3306" is one file, db1-bin.000001, in which each transaction has 100
// bytes.
inline constexpr std::uint64_t kFakeBinlogStart = 4;
inline constexpr std::uint64_t kFakeTransactionBytes = 100;

inline std::string fake_binlog_file(std::string_view server_name) {
  return fmt::format("{}-bin.000001", server_name.substr(0, server_name.rfind(':')));
}

// The place after the first `transactions` of them.
inline BinlogCoordinates fake_coordinates(std::string_view server_name, std::size_t transactions) {
  return {fake_binlog_file(server_name), kFakeBinlogStart + kFakeTransactionBytes * transactions};
}

// How many transactions lie before that place; nullopt where it is none in this server's log.
inline std::optional<std::size_t> fake_index(std::string_view server_name,
                                             const BinlogCoordinates& place) {
  const bool between_two = place.position < kFakeBinlogStart ||
                           (place.position - kFakeBinlogStart) % kFakeTransactionBytes != 0;
  if (place.file != fake_binlog_file(server_name) || between_two) return std::nullopt;
  return (place.position - kFakeBinlogStart) / kFakeTransactionBytes;
}

// What a fake mysqlbinlog prints: Replication::execute_binlog_script() of a fake executes it.
inline std::string fake_binlog_script(const FakeHistory& transactions) {
  std::string script = "DELIMITER /*!*/;\n";
  for (const FakeTransaction& each : transactions) {
    script += fmt::format("TRANSACTION {} {}\n/*!*/;\n", each.server_id, each.number);
  }
  return script + "DELIMITER ;\n";
}

}  // namespace mha
