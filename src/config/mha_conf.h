// MHA's own configuration: the global file and one application's, as MHA 0.58 reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "config/diagnostic.h"

namespace mha {

// One [serverN] (or [binlogN]) with [server default] of both files behind it. Precedence as in MHA:
// the host's section, the application's [server default], the global file's [server default], MHA's
// built-in default. hostname, ip, ssh_host, candidate_master and no_master come from the host's own
// section only, as in MHA.
struct MhaServer {
  std::string id;  // "server1"
  std::string hostname;
  std::string ip;  // as written; MHA resolves hostname where it is missing, we leave that to the
                   // user of this
  std::uint16_t port = 3306;
  std::uint16_t ssh_port = 22;
  std::string ssh_host;  // default: hostname
  std::string ssh_ip;    // ip where ssh_host is hostname; as in MHA, not the ssh_ip that is written
  std::string ssh_user;  // default: who runs this
  std::string ssh_options;  // MHA uses one for all hosts: of the section that it reads last
  std::string user;         // MySQL
  Secret password;
  std::string repl_user;
  Secret repl_password;
  bool candidate_master = false;
  bool no_master = false;
  // Every key that holds for this server, these and the others, as text, without the passwords.
  // MHA's built-in defaults are among them.
  std::map<std::string, std::string> values;
};

struct MhaConf {
  std::string file;
  std::vector<MhaServer> servers;  // in order of N
  std::vector<MhaServer> binlog_servers;
  std::map<std::string, std::string> defaults;  // merged [server default], without the passwords
  std::vector<Diagnostic> warnings;
  // Those of the two files that everybody on this machine can read, and that have a password in
  // them. MHA does not mind, so this is no warning of the file's.
  std::vector<std::string> exposed_files;

  // The server with this host name or address, and port where `port` is not 0; nullptr where there
  // is none.
  [[nodiscard]] const MhaServer* find(const std::string& host, std::uint16_t port) const;
};

// Runs the command of init_conf_load_script with the shell, and returns what it printed.
using RunConfScript = std::function<Result<Secret>(const std::string& command)>;

inline constexpr const char* kMhaGlobalFile = "/etc/masterha_default.cnf";

// Reads `global_file` (may be missing) and `app_file`. Errors (kConfig) name file, line, section,
// key. Where init_conf_load_script is set, what `run_script` brings counts over the application's
// [server default], as in MHA (Config.pm, read_config): lines NAME=VALUE; an error of it is one
// here. Without a `run_script` a warning says that it was not run.
Result<MhaConf> load_mha_conf(const std::string& app_file,
                              const std::string& global_file = kMhaGlobalFile,
                              const RunConfScript& run_script = nullptr);

}  // namespace mha
