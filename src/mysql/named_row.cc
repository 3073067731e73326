// Columns by name.
#include "mysql/named_row.h"

#include <algorithm>
#include <cctype>

namespace mha {

bool equal_ignoring_case(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

std::string value_of(const StatementResult& result, std::size_t row, std::string_view column) {
  const auto found = std::ranges::find_if(result.columns, [column](const std::string& name) {
    return equal_ignoring_case(name, column);
  });
  if (found == result.columns.end()) return "";
  return result.rows[row][static_cast<std::size_t>(found - result.columns.begin())].value_or("");
}

}  // namespace mha
