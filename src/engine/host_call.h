// One more try for an SSH session with a host that is silent, which goes on beside other work.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "base/status.h"
#include "core/environment.h"
#include "ports/remote_shell.h"

namespace mha {

// Begins when it is made, and ends at `until` at the latest. All but the constructor are for one
// thread.
class HostCall {
 public:
  HostCall(const SshTarget& host, Deadline until, Environment& environment);
  // Waits for its end.
  ~HostCall();
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;

  // The session, where the host has answered by now; nullptr where it has not, or the session is
  // taken. Does not wait; but where the try ended without an answer long ago, since other work took
  // its time, the host is asked anew for a moment.
  std::unique_ptr<RemoteShell> take_if_answered();
  // Likewise, with all of the time until `until`.
  std::unique_ptr<RemoteShell> wait_and_take();

  // How long the host has been called by now, for people.
  [[nodiscard]] Milliseconds called() const;

 private:
  struct Ended {
    std::unique_ptr<RemoteShell> shell;  // nullptr: no answer
    TimePoint at;
  };

  [[nodiscard]] Ended call(Deadline until) const;
  std::unique_ptr<RemoteShell> take();

  const SshTarget host_;
  Environment& environment_;
  const TimePoint begin_;
  std::future<Ended> calling_;
  std::optional<Ended> ended_;
};

}  // namespace mha
