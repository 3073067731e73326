// "Did you mean": the known word that a mistyped one is nearest to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mha {

// Letters to add, drop, change or swap with the neighbour to make `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// "; did you mean 'smtp_host'?", or "" where nothing known is near `word`.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace mha
