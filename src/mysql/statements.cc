// How a server tells its family, and statements that are put together.
#include "mysql/statements.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

namespace mha {
namespace {

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

}  // namespace

ServerFamily family_of(std::string_view version, std::string_view comment) {
  const bool mariadb_says_so =
      contains_ignoring_case(version, "mariadb") || contains_ignoring_case(comment, "mariadb");
  return mariadb_says_so ? ServerFamily::kMariadb : ServerFamily::kMysql;
}

unsigned version_number_of(std::string_view version) {
  unsigned number = 0;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int part = 0; part < 3; ++part) {
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value > 99) return part == 0 ? 0 : number;
    number += value * (part == 0 ? 10000 : part == 1 ? 100 : 1);
    if (next == end || *next != '.') return number;
    at = next + 1;
  }
  return number;
}

std::string set_read_only_sql(const ReadOnlyState& current, const ReadOnlyState& wanted) {
  const bool super_now = current.super_read_only.value_or(false);
  const bool super_wanted = wanted.super_read_only.value_or(false);
  if (wanted.blocks_writes() && super_wanted) return "SET GLOBAL super_read_only=ON";
  if (wanted.blocks_writes() && super_now) return "SET GLOBAL super_read_only=OFF";
  // Quoted, MariaDB 12 takes all four values, and every other server ON and OFF.
  return fmt::format("SET GLOBAL read_only='{}'", to_string(wanted.read_only));
}

}  // namespace mha
