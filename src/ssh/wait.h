// Waiting for descriptors under a deadline, and errors of the system as text.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "base/deadline.h"
#include "ports/clock.h"

namespace mha {

enum class WaitResult { kReady, kDeadline };

// Until one of `events` (poll(2)) or an error or hang-up is there, which a read or write then
// tells. Looks once even where the deadline has passed. A signal does not end the wait.
WaitResult wait_for(int fd, short events, const Clock& clock, Deadline deadline);
// The same for several; `fds` comes back with revents.
WaitResult wait_for_any(std::vector<pollfd>& fds, const Clock& clock, Deadline deadline);

// strerror, thread-safe.
std::string system_error_text(int error_number);

}  // namespace mha
