// Undoing what MHA does to user names and passwords before it passes them to a hook.
#pragma once

#include <string>
#include <string_view>

namespace mha {

// MHA puts a backslash before each backslash and each character that is special to a shell, inside
// single quotes, so that the backslashes arrive (MHA: NodeUtil.pm, escape_for_shell). Read left to
// right, `\x` is `x`; a last lone backslash stays.
std::string decode_mha_escape(std::string_view escaped);

}  // namespace mha
