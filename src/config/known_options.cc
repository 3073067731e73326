// The rows of the table.
#include "config/known_options.h"

#include <algorithm>
#include <utility>

#include "config/aws_options.h"
#include "config/openstack_options.h"
#include "config/option_values.h"
#include "config/suggestion.h"

namespace mha {
namespace {

Result<OptionAssignment> assign_smtp_host(std::string_view text) {
  auto value = parse_host_and_port(text);
  if (!value.ok()) {
    return value.error();
  }
  return OptionAssignment{[server = std::move(value).value()](HostDraft& draft) {
    draft.smtp_host = server.host;
    draft.port_in_smtp_host = server.port;
  }};
}

std::vector<KnownOption> general_options() {
  using S = HostSettings;
  using D = HostDraft;
  return {
      {"vip_type", "none, metal, aws, openstack", "none",
       "How the writer's virtual IP is moved: not at all, with the ip command over SSH, or as the "
       "cloud needs it.",
       into(&S::vip_type, parse_vip_type)},
      {"writer_vip_cidr", "ADDRESS/PREFIX", "",
       "The writer's virtual IP, v4 or v6, with its prefix length. metal and most modes of the "
       "clouds need it.",
       into(&S::writer_vip, parse_cidr)},
      {"cluster_interface", "NAME", "",
       "The network interface that carries the virtual IP. metal and most modes of the clouds need "
       "it.",
       into(&S::cluster_interface, parse_interface)},
      {"requires_sudo", "yes, no", "yes",
       "Whether ip and arping are run through sudo -n; no where the SSH user is root.",
       into(&S::requires_sudo, parse_yes_no)},
      {"requires_arping", "yes, no", "yes",
       "Whether arping looks for another holder of the virtual IP and announces the new one.",
       into(&S::requires_arping, parse_yes_no)},
      {"super_read_only", "yes, no", "no",
       "Whether super_read_only is set along with read_only where the server has it.",
       into(&S::super_read_only, parse_yes_no)},
      {"kill_after_timeout", "SECONDS", "5",
       "How long clients may take to leave by themselves before they are killed; 0 is no wait.",
       into(&S::kill_after_timeout, parse_seconds)},
      {"lock_wait_timeout", "SECONDS", "5",
       "How long setting read_only may wait for statements and locks that are in its way.",
       into(&S::lock_wait_timeout, parse_positive_seconds)},
      {"operation_timeout", "SECONDS", "30",
       "How long one hook may take up to its point of no return; undoing has as much again. Where "
       "it "
       "is not set, it grows with kill_after_timeout and lock_wait_timeout.",
       into(&D::operation_timeout_written, parse_positive_seconds)},
      {"ssh_session_keep", "SECONDS", "60",
       "How long the stop hook keeps an SSH session for the start hook to use; 0 is not at all.",
       into(&S::ssh_session_keep, parse_seconds)},
      {"unfenced_failover", "proceed, refuse", "proceed",
       "What MHA is told when a dead master's virtual IP could not be taken away.",
       into(&S::unfenced_failover, parse_unfenced_failover)},
      {"mysql_ssl_mode", "disabled, preferred, required, verify_ca, verify_identity", "preferred",
       "TLS to the MySQL and MariaDB servers.", into(&S::mysql_ssl_mode, parse_mysql_ssl_mode)},
      {"mysql_ssl_ca", "PATH", "",
       "The certificate authorities that vouch for the database servers; empty: the system's.",
       into(&S::mysql_ssl_ca, parse_path)},
      {"mysql_password_file", "PATH", "",
       "A file that holds the MySQL user's password, readable by nobody else; for where MHA's "
       "configuration has no password.",
       into(&S::mysql_password_file, parse_path)},
      {"mysql_login_path", "NAME", "",
       "The login path (mysql_config_editor) with the MySQL user and password, where neither MHA's "
       "configuration nor mysql_password_file has one.",
       into(&S::mysql_login_path, parse_text)},
      {"repl_password_file", "PATH", "", "The same for the password of MHA's repl_user.",
       into(&S::repl_password_file, parse_path)},
      {"repl_login_path", "NAME", "", "The same for repl_user and its password.",
       into(&S::repl_login_path, parse_text)},
      {"mysql_login_file", "PATH", "",
       "The file of the login paths; empty: MYSQL_TEST_LOGIN_FILE, else ~/.mylogin.cnf.",
       into(&S::mysql_login_file, parse_path)},
      {"report_email", "ADDRESS[, ADDRESS...]", "",
       "Who receives the report of a failover; empty: nobody.",
       into(&S::report_email, parse_mail_addresses)},
      {"report_from", "ADDRESS", "",
       "The sender of the report; empty: mha-helper at this host's name.",
       into(&S::report_from, parse_mail_address)},
      {"smtp_host", "HOST, HOST:PORT, [V6]:PORT", "localhost",
       "The mail server. Its name is looked up when a mail is sent, not before.", assign_smtp_host},
      {"smtp_port", "PORT", "",
       "The mail server's port; empty: 25, with starttls 587, with tls 465.",
       into(&D::smtp_port_written,
            [](std::string_view value) -> Result<std::optional<std::uint16_t>> {
              if (value.empty()) {
                return std::optional<std::uint16_t>{};
              }
              const auto port = parse_port(value);
              if (!port.ok()) {
                return port.error();
              }
              return std::optional(port.value());
            })},
      {"smtp_security", "none, starttls, tls", "none",
       "Plain text, STARTTLS (required, not tried), or TLS from the first byte.",
       into(&S::smtp_security, parse_smtp_security)},
      {"smtp_user", "NAME", "", "The user to log in as at the mail server; empty: no login.",
       into(&S::smtp_user, parse_text)},
      {"smtp_password_file", "PATH", "",
       "A file that holds the user's password, readable by nobody else. smtp_user needs it.",
       into(&S::smtp_password_file, parse_path)},
      {"smtp_ca", "PATH", "",
       "The certificate authorities that vouch for the mail server; empty: the system's.",
       into(&S::smtp_ca_file, parse_path)},
  };
}

std::vector<KnownOption> make_options() {
  std::vector<KnownOption> options = general_options();
  for (const auto& of_cloud : {aws_options(), openstack_options()}) {
    options.insert(options.end(), of_cloud.begin(), of_cloud.end());
  }
  return options;
}

}  // namespace

const std::vector<KnownOption>& known_options() {
  static const std::vector<KnownOption> options = make_options();
  return options;
}

const KnownOption* find_option(std::string_view name) {
  const auto& options = known_options();
  const auto found =
      std::find_if(options.begin(), options.end(),
                   [name](const KnownOption& option) { return option.name == name; });
  return found == options.end() ? nullptr : &*found;
}

std::string option_suggestion(std::string_view name) {
  std::vector<std::string_view> names;
  for (const KnownOption& option : known_options()) {
    names.push_back(option.name);
  }
  return did_you_mean(name, names);
}

}  // namespace mha
