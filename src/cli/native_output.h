// What both operations of the native engine print: problems, plans, and how it ended.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/run_console.h"
#include "cli/summary_text.h"
#include "core/plan.h"
#include "engine/preflight.h"
#include "engine/summary.h"

namespace mha {

// Of one run; each function is the run's last word and gives the exit code. `operation` as in
// report_outcome ("failover").
class NativeOutput {
 public:
  // All outlive it.
  NativeOutput(Program& program, RunConsole& console, OutputFormat format, OperationKind kind,
               std::string operation);

  // Reasons not to begin; nothing was changed.
  int refused(const std::vector<Problem>& problems);
  // --check.
  int checked(const std::vector<Problem>& problems, const OperationSummary& who);
  // --dry_run.
  int described(const std::vector<std::string>& plan, const std::vector<Problem>& problems,
                const OperationSummary& who);
  // Nothing was begun, for a reason that is no Problem.
  int failed(const Error& error);
  int ended(const Outcome& outcome, const OperationSummary& summary);
  // --rollback.
  int rolled_back(const Outcome& outcome, const OperationSummary& summary);

 private:
  Program& program_;
  RunConsole& console_;
  OutputFormat format_;
  OperationKind kind_;
  std::string operation_;
};

}  // namespace mha
