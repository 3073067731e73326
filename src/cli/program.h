// What every program of the suite has in common: options, log, signals, exit codes.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/interrupt.h"
#include "base/log.h"
#include "cli/command_line.h"
#include "cli/passwords.h"
#include "cli/system_clock.h"
#include "core/plan.h"

namespace mha {

// The rest of the suite's exit codes; the others are core's Ending (README.rst, "Exit codes").
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 3;

struct ProgramText {
  std::string name;
  std::string usage;    // one or more lines of "PROGRAM --command=... "
  std::string purpose;  // one sentence
};

// A running program.
struct Program {
  ProgramText text;
  CommandLine options;
  Log& log;
  SystemClock& clock;
  Interrupt& interrupt;
  std::string config_dir;
  std::string state_dir;
  VariablePasswords passwords = {};
};

// `program` with another log.
Program with_log(const Program& program, Log& log);

// Takes passwords off the command line and out of the environment, first of all. Then parses the
// command line (the described options and --help, --version, --config_dir, --state_dir,
// --verbose), answers
// --help and --version, installs signal handlers (SIGINT, SIGTERM and SIGHUP set the interrupt, the
// last unless it is ignored; SIGPIPE is ignored) and calls `body`, whose value is the exit code.
// Nothing is thrown out of it.
int run_main(int argc, char** argv, const ProgramText& text,
             const boost::program_options::options_description& described, UnknownOptions unknown,
             const std::function<int(Program&)>& body);

// Says on standard error what is wrong with the command line or the configuration, and gives the
// exit code for it.
int report_error(const Program& program, const Error& error);

inline constexpr std::string_view kAllPutBack = "everything is as it was found";

// Says how the operation ended, in one line and one more for each leftover, and gives the exit
// code. `put_back` is said of an operation that was undone.
int report_outcome(const Program& program, std::string_view operation, const Outcome& outcome,
                   std::string_view put_back = kAllPutBack);

// boost::program_options' value for a text.
inline auto text_value() { return boost::program_options::value<std::string>(); }

}  // namespace mha
