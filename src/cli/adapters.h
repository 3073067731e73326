// The real adapters behind the core's ports, wired together once.
#pragma once

#include <memory>
#include <string>

#include "cli/program.h"
#include "core/environment.h"

namespace mha {

// Owns the adapters; lives as long as the Environment that it gives is used.
class Adapters {
 public:
  explicit Adapters(Program& program);
  ~Adapters();
  Adapters(const Adapters&) = delete;
  Adapters& operator=(const Adapters&) = delete;

  // One a program: it borrows from this object.
  [[nodiscard]] Environment environment();

  // Opens the SSH session to `target` in a small process of its own that outlives us for `keep` at
  // most, for the next hook to use; our own session to that target is this one. Call it before any
  // thread is started: it forks. Errors as of ShellConnector::connect, and of the state folder.
  Status keep_session(const SshTarget& target, std::chrono::seconds keep, Deadline deadline);

  // Sessions that an earlier hook has left are used, for the last time, where there are any.
  void use_kept_session();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mha
