// The command lines with which MHA calls the scripts of its configuration, for scripts that are not
// ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "core/report.h"
#include "engine/cluster.h"
#include "engine/preflight.h"

namespace mha {

// For /bin/sh, and the same for people: without passwords, and without the script's own arguments,
// which may be secret as well.
struct ScriptCommand {
  std::string name;  // of the script: "online_change.sh"
  Secret command;
  std::string shown;
};

// A host as MHA tells a script of it.
struct ScriptHost {
  std::string host;
  std::string ip;
  std::uint16_t port = 3306;
  std::string user;
  Secret password;
  std::string ssh_user;
  MhaSsh ssh;
};

// Where the conf has no address the name is resolved, as MHA does; a name that does not resolve is
// passed as it is.
ScriptHost script_host(const ClusterHost& host, const ResolveHost& resolve);

// Whether `command` of the conf runs `program` of ours ("master_ip_online_failover_helper"), in
// whatever folder: then the engine does its work itself.
bool is_our_program(std::string_view command, std::string_view program);

// The script's own name, for messages: "online_change.sh".
std::string script_name(std::string_view command);

enum class OnlineChange { kStop, kStart };
enum class SshReach { kReachable, kUnreachable };

// M:MasterRotate.pm; facts: mha.md, "How MHA calls the hooks".
ScriptCommand online_change_command(const std::string& script, OnlineChange what,
                                    const ScriptHost& orig, const ScriptHost& next,
                                    OrigMaster orig_master);

// --command=stopssh, or stop where SSH does not answer (M:MasterFailover.pm).
ScriptCommand failover_stop_command(const std::string& script, const ScriptHost& dead,
                                    SshReach ssh);
ScriptCommand failover_start_command(const std::string& script, const ScriptHost& dead,
                                     const ScriptHost& next, SshReach dead_ssh);

// report_script; subject and body are quoted (MHA puts them between double quotes as they are).
ScriptCommand report_command(const std::string& script, const ReportRequest& request,
                             const std::string& conf_file);

// A user or password as MHA passes it (M:NodeUtil.pm, escape_for_shell): one word for sh, which the
// script gets with a backslash before each backslash and each of `"!#&;`|*?~<>^()[]{}$,` and space.
// What cli/mha_escape.h undoes.
std::string mha_escaped_word(std::string_view value);

}  // namespace mha
