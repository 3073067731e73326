// The one function that quotes a value for a POSIX shell.
#pragma once

#include <string>
#include <string_view>

namespace mha {

// `value` as one word that sh reads back as exactly these bytes. A NUL cannot be said to a shell:
// values are validated where they are read, and the part from a NUL on is dropped here.
std::string shell_quote(std::string_view value);

}  // namespace mha
