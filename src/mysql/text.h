// Texts from a server, made fit for our own logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mha {

// The longest part of `text` from its start that has at most `most_bytes` and ends between two
// characters, each byte that is not UTF-8 as '?'.
std::string valid_utf8(std::string_view text, std::size_t most_bytes = std::string_view::npos);

// Valid UTF-8 with each run of control characters and spaces as one space, none at the ends.
std::string one_line(std::string_view text);

// MySQL breaks a line after each server of a GTID set.
std::string without_newlines(std::string text);

}  // namespace mha
