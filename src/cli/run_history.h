// --history: the past runs of our engine on one application.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/run_archive.h"
#include "cli/run_console.h"

namespace mha {

struct PastRun {
  std::string time;  // UTC, when it began
  std::string operation;
  std::string orig_master;
  std::string new_master;
  std::string outcome;           // "done", "put back as it was found", "not finished", ...
  std::optional<int> exit_code;  // nullopt: it did not end
  std::optional<double> downtime_ms;
  std::string journal;  // path: in manager_workdir where it is there
};

// Oldest first.
std::vector<PastRun> past_runs(const RunFolders& folders);

// A table, or one line that says that there are none.
std::string history_text(const std::vector<PastRun>& runs, const RunFolders& folders);
nlohmann::json history_json(const std::vector<PastRun>& runs);

// Prints the past runs of the application of -c CONF; needs no server. The exit code.
int run_history(Program& program);

// --format. Error: kUsage.
Result<OutputFormat> output_format_from(const CommandLine& options);

}  // namespace mha
