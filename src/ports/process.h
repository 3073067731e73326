// Port for running a local program with our own standard streams.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"

namespace mha {

// How a program ended.
struct ProcessEnd {
  int exit_status = 0;  // where signal is 0
  int signal = 0;
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;

  // Runs `argv` (argv[0] looked up in PATH) without a shell; standard streams are ours,
  // `environment` is added to our own. SIGINT and SIGTERM that reach us while it runs are left to
  // it (the terminal sends them to both; a SIGTERM to us alone is passed on), so that we are there
  // to clean up behind it. No deadline: it lasts as long as the operator's own command would.
  // Errors: kConfig where the program is not found, kInternal.
  virtual Result<ProcessEnd> run(const std::vector<std::string>& argv,
                                 const std::map<std::string, std::string>& environment) = 0;
};

}  // namespace mha
