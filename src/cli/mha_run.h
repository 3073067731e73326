// What the two programs that run masterha_master_switch have in common.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>

#include "cli/program.h"
#include "config/helper_config.h"
#include "config/mha_conf.h"
#include "core/journal.h"
#include "core/mha_switch.h"
#include "core/plan.h"

namespace mha {

boost::program_options::options_description common_switch_options(const char* title);

// A "0|1" option. Error: kUsage.
Result<bool> flag(const CommandLine& options, const std::string& name, bool otherwise);

// Error: kUsage.
Result<MhaSwitchOptions> switch_options_from(const CommandLine& options);

// Both configurations, read before anything is done, so that a mistake there costs nothing.
struct SwitchFiles {
  MhaConf conf;
  HelperConfig config;
};
Result<SwitchFiles> load_switch_files(const Program& program, const std::string& conf_path);

// One run of MHA that has ended, and where to look for what our hooks did in it.
struct MhaRun {
  ProcessEnd end;
  WallTime began;
};

// Runs MHA with our own streams; its hooks get our configuration and state folders.
Result<MhaRun> run_mha(const Program& program, const std::vector<std::string>& argv);

// The newest journal of `operation` about any server of the conf that a hook of this run began;
// nullopt where there is none. A hook that outlives MHA is waited for, for a minute at most.
std::optional<JournalFile> journal_of_run(const Program& program, const MhaConf& conf,
                                          const std::string& operation, const MhaRun& run);

Outcome ended(Ending ending, Error headline);

// MHA said "done". It does so as well where our start hook answered 10 ("proceeding"): what is
// incomplete is said again.
Outcome outcome_of_success(const Program& program, const MhaConf& conf,
                           const std::string& start_operation, const MhaRun& run);

// MHA said "partly": the new master is active, a replica is not.
Outcome outcome_of_partial_success();

// MHA failed, but our start hook had passed its point of no return; nullopt where it had not.
std::optional<Outcome> outcome_where_taken_over(const Program& program, const MhaConf& conf,
                                                const std::string& start_operation,
                                                const MhaRun& run);

// "masterha_master_switch ended with exit status 1"
Error mha_failed(const MhaRun& run);

}  // namespace mha
