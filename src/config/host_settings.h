// What the suite's own configuration says about one database host, checked and with defaults filled
// in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/cloud_settings.h"
#include "ports/mailer.h"
#include "ports/mysql_server.h"

namespace mha {

enum class VipType { kNone, kMetal, kAws, kOpenstack };

// An address with its prefix length, as written in the configuration after normalising.
struct Cidr {
  std::string address;  // inet_ntop's form
  unsigned prefix_length = 32;
  bool is_v6 = false;

  [[nodiscard]] std::string text() const;  // "10.0.0.100/24"
};

// What the hard hook answers MHA when the dead master's address could not be taken away.
enum class UnfencedFailover { kProceed, kRefuse };

struct HostSettings {
  std::string host;  // the section's name, or the host asked for where [default] was taken
  std::string file;  // where it comes from, for messages

  VipType vip_type = VipType::kNone;
  // Not set for none. Always set where a host's own configuration holds it (metal, and the modes of
  // the clouds that say so); else the public address, if it was written.
  std::optional<Cidr> writer_vip;
  std::string cluster_interface;  // set wherever the address is an address of an interface
  bool requires_sudo = true;
  bool requires_arping = true;
  AwsSettings aws;              // for aws
  OpenstackSettings openstack;  // for openstack

  bool super_read_only = false;
  std::chrono::seconds kill_after_timeout{5};
  std::chrono::seconds lock_wait_timeout{5};  // for SET GLOBAL read_only, at least 1
  // Of one hook before the point of no return; undo has as much again. Where it is not written, it
  // is kill_after_timeout + lock_wait_timeout + 20 s, and at least this.
  std::chrono::seconds operation_timeout{30};
  // How long `stop` keeps a session for `start`; 0 off.
  std::chrono::seconds ssh_session_keep{60};
  UnfencedFailover unfenced_failover = UnfencedFailover::kProceed;

  MysqlTlsMode mysql_ssl_mode = MysqlTlsMode::kPreferred;
  std::string mysql_ssl_ca;

  // Where passwords are that MHA's configuration does not have: cli/passwords.h. Files are read
  // when they are needed, not at load.
  std::string mysql_password_file;
  std::string mysql_login_path;
  std::string repl_password_file;
  std::string repl_login_path;
  std::string mysql_login_file;  // of both login paths; empty: the client library's own

  std::vector<std::string> report_email;
  std::string report_from;              // default mha-helper@<local host name>
  std::string smtp_host = "localhost";  // name or address, v6 without brackets
  std::uint16_t smtp_port = 25;         // default by smtp_security: 25, 587, 465
  SmtpSecurity smtp_security = SmtpSecurity::kNone;
  std::string smtp_user;
  std::string smtp_password_file;  // read when a mail is sent, not at load
  std::string smtp_ca_file;        // key smtp_ca; empty: the system's
};

}  // namespace mha
