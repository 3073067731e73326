// The cluster as the engine sees it: MHA's configuration, with what ours says of each host.
#pragma once

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
  std::string repl_user;  // empty: a replica keeps the one that it has
  Secret repl_password;

  // "db1", or "db1:3307" where the port is not 3306; for messages.
  [[nodiscard]] std::string title() const;
};

struct Cluster {
  std::string conf_file;
  std::string application;  // "app1" of /etc/mha/app1.cnf
  std::string workdir;      // manager_workdir
  std::vector<ClusterHost> hosts;
  ResolveHost resolve = nullptr;  // nullptr: names and addresses are compared as they are written
};

// MHA's name of an application: the conf's file name without its last suffix (M:FileStatus.pm).
std::string application_name(std::string_view conf_file);

}  // namespace mha
