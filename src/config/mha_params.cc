// The rows of the table.
#include "config/mha_params.h"

#include <algorithm>

#include "config/suggestion.h"

namespace mha {

const std::vector<MhaParam>& mha_params() {
  using enum MhaInheritance;
  using enum MhaDefaulting;
  using enum MhaValueKind;
  static const std::vector<MhaParam> params = {
      {"hostname", kOwnSection, kHost},
      {"ip", kOwnSection, kHost},
      {"port", kInherited, kPort, "3306", kWhereFalse},
      {"ssh_host", kOwnSection, kSshHost},
      {"ssh_ip", kOwnSection, kHost},
      {"ssh_port", kInherited, kPort, "22", kWhereFalse},
      {"ssh_connection_timeout", kInherited, kPositive, "5", kWhereFalse},
      {"ssh_options", kOwnSection},
      {"ssh_user", kInherited, kSshUser},
      {"node_label", kOwnSection},
      {"user", kInherited, kText, "root", kWhereFalse},
      {"password", kInherited, kPassword},
      {"repl_user", kInherited},
      {"repl_password", kInherited, kPassword},
      {"candidate_master", kOwnSection, kText, "0"},
      {"no_master", kOwnSection, kText, "0"},
      {"ignore_fail", kOwnSection, kText, "0"},
      {"skip_init_ssh_check", kOwnSection, kText, "0"},
      {"skip_reset_slave", kInherited, kText, "0"},
      {"disable_log_bin", kInherited, kText, "0"},
      {"master_pid_file", kInherited},
      {"handle_raw_binlog", kInherited, kText, "1"},
      {"remote_workdir", kInherited, kText, "/var/tmp", kWhereFalse},
      {"master_binlog_dir", kInherited, kText, "/var/lib/mysql,/var/log/mysql", kWhereFalse},
      {"log_level", kInherited, kText, "info", kWhereFalse},
      {"manager_workdir", kInherited, kText, "/var/tmp", kWhereFalse},
      {"manager_log", kInherited},
      {"check_repl_delay", kInherited, kText, "1"},
      {"check_repl_filter", kInherited, kText, "1"},
      {"latest_priority", kInherited, kText, "1"},
      {"multi_tier_slave", kInherited, kText, "0"},
      {"ping_interval", kInherited, kPositive, "3"},
      {"ping_type", kInherited, kPingType, "SELECT"},
      {"secondary_check_script", kInherited},
      {"master_ip_failover_script", kInherited},
      {"master_ip_online_change_script", kInherited},
      {"shutdown_script", kInherited},
      {"report_script", kInherited},
      {"init_conf_load_script", kInherited},
      {"client_bindir", kInherited},
      {"client_libdir", kInherited},
      {"use_gtid_auto_pos", kInherited, kText, "1"},
  };
  return params;
}

const MhaParam* find_mha_param(std::string_view name) {
  const auto& params = mha_params();
  const auto found = std::find_if(params.begin(), params.end(),
                                  [name](const MhaParam& param) { return param.name == name; });
  return found == params.end() ? nullptr : &*found;
}

std::string mha_param_suggestion(std::string_view name) {
  std::vector<std::string_view> names;
  for (const MhaParam& param : mha_params()) {
    names.push_back(param.name);
  }
  return did_you_mean(name, names);
}

}  // namespace mha
