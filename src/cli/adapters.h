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
  // most, for the next hook to use; sessions to that target then go through it. Call it before any
  // thread is started (it forks). An error says why the host cannot be reached; a session that
  // merely cannot be kept is a warning, and sessions are then opened as usual.
  Status keep_session(const SshTarget& target, std::chrono::seconds keep, Deadline deadline);

  // Sessions to `target` go through the process that an earlier hook left, where there is one; it
  // ends with our use.
  void use_kept_session(const SshTarget& target);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mha
