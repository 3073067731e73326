// Machines whose name service is not what it was: in the calling process, by namespaces.
#pragma once

namespace mha {

// Turns the calling process into one on such a machine, by namespaces of its own; there is no way
// back. Needs root; false where that cannot be had.
bool become_machine_with_silent_resolver();

// Turns the calling process into one on a machine with a hosts file of its own, which has this name
// alone, and with no name server. As above.
bool become_machine_that_knows(const char* name, const char* address);
void forget_the_name();

}  // namespace mha
