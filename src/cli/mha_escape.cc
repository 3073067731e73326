// Left to right, so that `a\\b` is `a\b` and not `ab`.
#include "cli/mha_escape.h"

namespace mha {

std::string decode_mha_escape(std::string_view escaped) {
  std::string plain;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 1 < escaped.size()) ++i;
    plain += escaped[i];
  }
  return plain;
}

}  // namespace mha
