// poll(2) under a deadline of the clock port.
#include "ssh/wait.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace mha {
namespace {

int poll_timeout(Milliseconds span) {
  return static_cast<int>(
      std::min<Milliseconds::rep>(span.count(), std::numeric_limits<int>::max()));
}

}  // namespace

WaitResult wait_for_any(std::vector<pollfd>& fds, const Clock& clock, Deadline deadline) {
  for (;;) {
    const Milliseconds left = clock.remaining(deadline);
    const int ready = ::poll(fds.data(), fds.size(), poll_timeout(left));
    if (ready > 0) return WaitResult::kReady;
    // An error other than EINTR (no memory) is for the caller's read or write to run into.
    if (ready < 0 && errno != EINTR) return WaitResult::kReady;
    if (left == Milliseconds{0} || clock.passed(deadline)) return WaitResult::kDeadline;
  }
}

WaitResult wait_for(int fd, short events, const Clock& clock, Deadline deadline) {
  std::vector<pollfd> fds{{fd, events, 0}};
  return wait_for_any(fds, clock, deadline);
}

std::string system_error_text(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace mha
