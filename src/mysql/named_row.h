// Reading a row by its columns' names, and numbers out of texts.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/answer.h"

namespace mha {

// The value of the column of this name, in upper or lower case; "" where it is NULL or there is no
// such column: versions have more and fewer of them.
std::string value_of(const StatementResult& result, std::size_t row, std::string_view column);

// The number that `text` begins with; 0 where there is none.
template <typename Number>
Number number_in(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <typename Number>
Number number_in(const std::optional<std::string>& text) {
  return text.has_value() ? number_in<Number>(std::string_view{*text}) : Number{0};
}

bool equal_ignoring_case(std::string_view one, std::string_view other);

}  // namespace mha
