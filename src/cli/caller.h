// Whether the program that called us is still there.
#pragma once

#include <functional>

namespace mha {

// A question that is answered "yes" once MHA, which runs a hook by `sh -c`, has died: our parent is
// then another one, or, where the shell waits for us, the shell's is. For Interrupt::watch.
std::function<bool()> caller_is_gone();

}  // namespace mha
