// Steps that run a script of MHA's configuration that is not ours, as MHA would.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/environment.h"
#include "core/step.h"
#include "engine/cluster.h"
#include "engine/preflight.h"
#include "engine/script_command.h"

namespace mha {

inline constexpr const char* kOnlineHook = "master_ip_online_failover_helper";
inline constexpr const char* kHardHook = "master_ip_hard_failover_helper";

// What a script's end means, as in MHA: 0 is good; 10 goes on, with a warning; all else is an error
// (kRefused), and so are a deadline (kTimeout: it was killed) and a script that could not be
// started (kInternal). Its exit status where there is one.
Result<int> run_script(const ScriptCommand& command, Deadline deadline, Environment& environment);
Status judge_script(const std::string& name, const Result<int>& status, Log& log);

// The calls of one switch. All of them are made before the first one is run: names are resolved
// here.
struct OnlineScript {
  struct Stop {
    ScriptCommand command;
    ScriptCommand back;  // start with the original master as the new one
  };
  std::optional<Stop> stop;            // of the original master's script
  std::optional<ScriptCommand> start;  // of the new one's
};

// nullopt where the conf names no master_ip_online_change_script for either, or ours.
std::optional<OnlineScript> online_script(const Cluster& cluster, const NodeSpec& orig,
                                          const NodeSpec& next, OrigMaster orig_master);

// Afterwards the script has had its --command=stop. It comes before the original master is made
// read-only by us, as in M:MasterRotate.pm: what it does gently (application accounts, a wait until
// clients have gone) needs a master that still takes writes, and what it forgets our own steps do
// after it and read back. It may have killed our session there: a dead one is dropped.
//
// MHA never asks a script to undo (facts: mha.md). Our undo does: it runs --command=start with the
// original master as the new one, which is what a person would run. That is safe: by then the
// original takes writes again by our own undo, and the new master has never been writable. Where
// the script says anything but 0 the undo has failed, and the command by hand is told.
std::unique_ptr<Step> ensure_stop_script_ran(Node& orig, OnlineScript::Stop stop,
                                             OrigMaster orig_master, const NodeSpec& next,
                                             Environment& environment);

// Afterwards it has had its --command=start. After the point of no return only: scripts make the
// new master writable and give it the address, so that once it has begun clients may write there,
// and going back would lose what they wrote.
std::unique_ptr<Step> ensure_start_script_ran(Node& next, ScriptCommand start,
                                              Environment& environment);

// For a rollback: the step of a journal's record of that kind (kStopScriptKind). nullptr where the
// conf does not have its hosts or its script any more.
inline constexpr const char* kStopScriptKind = "ensure_stop_script_ran";
std::unique_ptr<Step> rebuild_stop_script(const Cluster& cluster, const nlohmann::json& parameters,
                                          Node& orig, Environment& environment);

// master_ip_failover_script. nullopt where the conf names none for either master, or ours.
struct FailoverScript {
  std::optional<ScriptCommand> stop;   // stopssh or stop, of the dead master's script
  std::optional<ScriptCommand> start;  // of the new one's
};
std::optional<FailoverScript> failover_script(const Cluster& cluster, const NodeSpec& dead,
                                              const NodeSpec& next, SshReach dead_ssh);

// Without undo: a dead master is given nothing back.
std::unique_ptr<Step> ensure_failover_stop_script_ran(Node& dead, ScriptCommand stop,
                                                      Environment& environment);
// After the point of no return, as ensure_start_script_ran.
std::unique_ptr<Step> ensure_failover_start_script_ran(Node& next, ScriptCommand start,
                                                       Environment& environment);

// report_script that is not ours; its exit status.
Result<int> run_report_script(const std::string& script, const ReportRequest& request,
                              const std::string& conf_file, Environment& environment);

}  // namespace mha
