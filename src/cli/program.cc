// The frame around each program's body.
#include "cli/program.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <utility>

namespace mha {
namespace {

namespace po = boost::program_options;

// Signal handlers can only reach a global.
Interrupt the_interrupt;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void on_signal(int /*signal*/) { the_interrupt.request(); }

void install_signal_handlers() {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that is lost is no reason to stop half-way. nohup has it ignored: that stays.
  struct sigaction inherited {};
  sigaction(SIGHUP, nullptr, &inherited);
  if (inherited.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a closed pipe is an error to report, not a death in mid-switch
  sigaction(SIGPIPE, &action, nullptr);
}

// Whoever starts us with a standard descriptor closed would find our lines in the first socket or
// journal that gets its number. What is opened here stays open.
void open_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) close(fd);
}

// Passwords are in our memory, and in that of the scripts and programs that we start: these inherit
// the limit, which they may raise again.
void leave_no_core_file() {
  prctl(PR_SET_DUMPABLE, 0);
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  setrlimit(RLIMIT_CORE, &limit);
}

std::string environment_or(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// A folder in /tmp could be anybody's. It is asked for only where it has to be: it may be a server
// of the network that says so.
std::string home_of_user() {
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? "/var/lib/mha-helper" : user->pw_dir;
}

std::string default_state_dir() {
  if (geteuid() == 0) return "/var/lib/mha-helper";
  const std::string state = environment_or("XDG_STATE_HOME", "");
  if (!state.empty()) return state + "/mha-helper";
  const std::string home = environment_or("HOME", "");
  return (home.empty() ? home_of_user() : home) + "/.local/state/mha-helper";
}

std::string state_dir_of(const CommandLine& options) {
  if (const auto given = options.optional_text("state_dir")) return *given;
  const std::string variable = environment_or("MHA_HELPER_STATE_DIR", "");
  return variable.empty() ? default_state_dir() : variable;
}

po::options_description common_options() {
  po::options_description common("Common options");
  common.add_options()("help,h", "print this help and exit")("version",
                                                             "print the version and exit")(
      "config_dir", text_value()->value_name("DIR"),
      "folder of the *.conf files (default /etc/mha-helper, or MHA_HELPER_CONFIG_DIR)")(
      "state_dir", text_value()->value_name("DIR"),
      "folder of journals, spooled mail and kept sessions (default /var/lib/mha-helper, "
      "~/.local/state/mha-helper where not root, or MHA_HELPER_STATE_DIR)")("verbose", "say more");
  return common;
}

void print_help(const ProgramText& text, const po::options_description& all) {
  std::ostringstream options;
  options << all;
  std::cout << fmt::format(
      "{}\n\nUsage:\n{}\n\n{}\nExit codes: 0 done; 10 done but incomplete; 20 failed, "
      "everything is as it was found (a dead\nmaster's fence stays); 21 failed, something could "
      "not be put back; 2 usage; 3 configuration.\n",
      text.purpose, text.usage, options.str());
}

}  // namespace

int run_main(int argc, char** argv, const ProgramText& text,
             const po::options_description& described, UnknownOptions unknown,
             const std::function<int(Program&)>& body) {
  // First of all: nothing that takes time or fails comes before.
  open_standard_descriptors();
  const std::vector<std::string> arguments = take_arguments(argc, argv);
  VariablePasswords passwords = take_variable_passwords();
  leave_no_core_file();
  install_signal_handlers();
  po::options_description all;
  all.add(described).add(common_options());
  Result<CommandLine> line = CommandLine::parse(arguments, all, unknown);
  if (!line.ok()) {
    std::cerr << fmt::format("{}: {}; see {} --help\n", text.name, line.error().message, text.name);
    return kExitUsage;
  }
  if (line.value().has("help")) {
    print_help(text, all);
    return 0;
  }
  if (line.value().has("version")) {
    std::cout << fmt::format("{} {}\n", text.name, MHA_VERSION);
    return 0;
  }
  const std::unique_ptr<Log> log =
      make_console_log(line.value().has("verbose") ? LogLevel::kDebug : LogLevel::kInfo);
  for (const std::string& word : line.value().unknown()) {
    log->warning("{}: the option {} is not known and has no effect", text.name, word);
  }
  SystemClock clock;
  CommandLine& options = line.value();
  Program program{text,
                  options,
                  *log,
                  clock,
                  the_interrupt,
                  options.optional_text("config_dir")
                      .value_or(environment_or("MHA_HELPER_CONFIG_DIR", "/etc/mha-helper")),
                  state_dir_of(options),
                  std::move(passwords)};
  try {
    return body(program);
  } catch (const std::exception& error) {
    log->error("{}: internal error: {}", text.name, error.what());
    return static_cast<int>(Ending::kNotUndone);
  }
}

Program with_log(const Program& program, Log& log) {
  return {program.text,      program.options,   log,
          program.clock,     program.interrupt, program.config_dir,
          program.state_dir, program.passwords};
}

int report_error(const Program& program, const Error& error) {
  program.log.error("{}: {}", program.text.name, error.message);
  if (error.code == Code::kUsage) return kExitUsage;
  if (error.code == Code::kConfig) return kExitConfig;
  return static_cast<int>(Ending::kUndone);
}

int report_outcome(const Program& program, std::string_view operation, const Outcome& outcome,
                   std::string_view put_back) {
  Log& log = program.log;
  const std::string why = outcome.headline.has_value() ? outcome.headline->message : "";
  switch (outcome.ending) {
    case Ending::kDone:
      log.info("{}: done", operation);
      break;
    case Ending::kIncomplete:
      log.warning("{}: done, but incomplete: {}", operation, why);
      break;
    case Ending::kUndone:
      log.error("{} failed, and {}: {}", operation, put_back, why);
      break;
    case Ending::kNotUndone:
      log.error("{} failed, and not everything could be put back: {}", operation, why);
      break;
  }
  for (const std::string& leftover : outcome.leftovers) {
    if (leftover != why) log.error("{}", leftover);
  }
  return static_cast<int>(outcome.ending);
}

}  // namespace mha
