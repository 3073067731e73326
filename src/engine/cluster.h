// The cluster as the engine sees it: MHA's configuration, with what ours says of each host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "core/node.h"

namespace mha {

// The addresses of a host name, as text; empty where there are none. Thread-safe, and bounded in
// time by whoever makes it.
using ResolveHost = std::function<std::vector<std::string>(const std::string& host)>;

// How MHA tells its scripts to log in there: as the conf has it.
struct MhaSsh {
  std::string user;
  std::string host;  // empty: the host's own name
  std::string ip;    // empty: the host's own address
  std::uint16_t port = 22;
  std::string options;  // ssh_options
  std::string connection_timeout = "5";
};

// MHA's scripts as the conf has them, with their own arguments; empty: none. A host's own section
// may have others than [server default] (M:lib/MHA/Config.pm, parse_server).
struct HostScripts {
  std::string master_ip_failover;       // stop: the dead master's; start: the new one's
  std::string master_ip_online_change;  // stop: the original master's; start: the new one's
  std::string shutdown;                 // the dead master's
  std::string report;                   // likewise
};

// A server of MHA's configuration. The flags are MHA's parameters of the same names.
struct ClusterHost {
  NodeSpec node;
  bool candidate_master = false;
  bool no_master = false;
  bool ignore_fail = false;
  bool check_repl_delay = true;
  bool check_repl_filter = true;
  bool latest_priority = true;
  bool skip_reset_slave = false;
  bool disable_log_bin = false;
  std::vector<std::string> binlog_dirs;  // master_binlog_dir
  std::string client_bindir;
  std::string remote_workdir;
  std::string pid_file;   // master_pid_file
  std::string repl_user;  // empty: a replica keeps the one that it has
  Secret repl_password;
  MhaSsh mha_ssh;
  HostScripts scripts;

  // "db1", or "db1:3307" where the port is not 3306; for messages.
  [[nodiscard]] std::string title() const;
  // Whether a person who says this name or address, and this port (0: any), means this one.
  [[nodiscard]] bool is_named(const std::string& name, std::uint16_t port) const;
};

// A [binlogN] of the conf: a host to which `mysqlbinlog --raw --stop-never` copies the master's
// binary logs as they are written. Only its SSH is used.
struct BinlogServer {
  std::string id;  // "binlog1"
  SshTarget ssh;
  std::vector<std::string> dirs;  // master_binlog_dir
  std::string client_bindir;
  std::string remote_workdir;
};

struct Cluster {
  std::string conf_file;
  std::string application;  // "app1" of /etc/mha/app1.cnf
  std::string workdir;      // manager_workdir
  std::vector<ClusterHost> hosts;
  std::vector<BinlogServer> binlog_servers;
  ResolveHost resolve = nullptr;  // nullptr: names and addresses are compared as they are written
};

// MHA's name of an application: the conf's file name without its last suffix (M:FileStatus.pm).
std::string application_name(std::string_view conf_file);

}  // namespace mha
