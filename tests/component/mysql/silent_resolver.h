// A machine whose name server takes questions and answers none.
#pragma once

namespace mha {

// Turns the calling process into one on such a machine, by namespaces of its own; there is no way
// back. Needs root; false where that cannot be had.
bool become_machine_with_silent_resolver();

}  // namespace mha
