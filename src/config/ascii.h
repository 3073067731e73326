// Space and case as the readers of configuration files see them: ASCII's, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace mha {

bool is_space(char c);
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

}  // namespace mha
