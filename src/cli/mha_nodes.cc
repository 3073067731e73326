// Reading a node out of MHA's configuration.
#include "cli/mha_nodes.h"

#include <utility>

#include "cli/name_lookup.h"

namespace mha {
namespace {

// What MHA puts before the conf's own ssh_options when it passes them on (MHA: ManagerConst.pm,
// SSH_OPT_ALIVE_DEFAULT), without its acceptance of any host key: that is for the conf to say.
constexpr const char* kMhaSshDefaults =
    "-o PasswordAuthentication=no -o BatchMode=yes "
    "-o ServerAliveInterval=60 -o ServerAliveCountMax=20 -o ConnectionAttempts=5 ";

// A dead name server must not hold up a report or an undo.
constexpr Milliseconds kResolve{2000};

}  // namespace

Result<SshTarget> ssh_from_mha(Program& program, const MhaServer& server) {
  SshTarget ssh;
  ssh.host = server.ssh_host.empty() ? server.hostname : server.ssh_host;
  ssh.address = server.ssh_ip;
  if (server.ssh_port != 22) ssh.port = server.ssh_port;
  ssh.user = server.ssh_user;
  if (server.ssh_options.empty()) return ssh;
  Result<ParsedSshOptions> parsed = parse_ssh_options(kMhaSshDefaults + server.ssh_options, ssh);
  if (!parsed.ok()) return parsed.error().with_context("ssh_options of " + server.hostname);
  log_unused_options(parsed.value(), server.hostname, program.log);
  return std::move(parsed.value().target);
}

void log_unused_options(const ParsedSshOptions& options, const std::string& host, Log& log) {
  if (!options.unheeded.empty()) log.warning("SSH to {}: {}", host, options.warning());
  for (const std::string& ignored : options.ignored) log.debug("{}", ignored);
}

std::string address_in_config(Program& program, const HelperConfig& config, const std::string& host,
                              const std::string& ip) {
  if (!ip.empty() || !config.needs_address_of(host)) return ip;
  return address_of_name(host, program.clock.deadline_after(kResolve));
}

Result<NodeSpec> node_from_mha(Program& program, const HelperConfig& config,
                               const MhaServer& server, const std::string& role) {
  NodeSpec spec;
  spec.ip = address_in_config(program, config, server.hostname, server.ip);
  Result<HelperConfig::Lookup> found = config.find(server.hostname, spec.ip);
  if (!found.ok()) return found.error();
  spec.role = role;
  spec.host = server.hostname;
  spec.port = server.port;
  spec.settings = std::move(found.value().settings);
  const VipType vip_type = spec.settings.vip_type;
  if (spec.ip.empty() && (vip_type == VipType::kAws || vip_type == VipType::kOpenstack)) {
    // By it a cloud's interface finds the host. MHA resolves it too, and passes it to the hooks.
    spec.ip = address_of_name(server.hostname, program.clock.deadline_after(kResolve));
  }
  const bool by_name =
      spec.settings.mysql_ssl_mode == MysqlTlsMode::kVerifyIdentity || server.ip.empty();
  Result<Account> account = complete_account({server.user, server.password}, AccountKind::kMysql,
                                             spec.settings, program.passwords);
  if (!account.ok()) return account.error();
  spec.mysql =
      MysqlTarget{by_name ? server.hostname : server.ip, server.port,
                  std::move(account.value().user),       std::move(account.value().password),
                  spec.settings.mysql_ssl_mode,          spec.settings.mysql_ssl_ca,
                  spec.settings.operation_timeout,       ""};
  Result<SshTarget> ssh = ssh_from_mha(program, server);
  if (!ssh.ok()) return ssh.error();
  spec.ssh = std::move(ssh).value();
  return spec;
}

}  // namespace mha
