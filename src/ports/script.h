// Port for running a command line that MHA's configuration names: a hook script of the user's.
#pragma once

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"

namespace mha {

class ScriptRunner {
 public:
  virtual ~ScriptRunner() = default;

  // Runs `command` by /bin/sh, as MHA does; standard input is empty, and what it prints goes to our
  // standard error line by line. The exit status; 128+N where signal N ended it. Errors: kTimeout
  // (it and what it has started were killed), kInternal (it could not be started). The command may
  // hold passwords, as MHA's do: it is never logged. Thread-safe.
  virtual Result<int> run(const Secret& command, Deadline deadline) = 0;
};

}  // namespace mha
