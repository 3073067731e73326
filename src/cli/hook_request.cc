// Reading the masters' options.
#include "cli/hook_request.h"

#include <fmt/core.h>

#include <utility>

#include "cli/mha_escape.h"
#include "cli/mha_nodes.h"
#include "config/diagnostic.h"
#include "config/helper_config.h"
#include "config/host_name.h"
#include "ssh/ssh_options.h"

namespace mha {
namespace {

namespace po = boost::program_options;

std::string prefix_of(Master master) {
  return master == Master::kOrig ? "orig_master_" : "new_master_";
}

// MHA puts its own defaults before the conf's ssh_options, and accepts any host key with them
// (M:NodeConst.pm and ManagerConst.pm). Only what the conf itself says of host keys counts here.
std::string without_mhas_host_key_default(std::string options) {
  constexpr std::string_view kAcceptAny = "-o StrictHostKeyChecking=no ";
  constexpr std::string_view kAlive = "-o ServerAliveInterval=60 -o ServerAliveCountMax=20 ";
  for (const auto& [before, behind] :
       {std::pair{kAlive, std::string_view{"-o ConnectionAttempts=5 -o PasswordAuthentication=no"}},
        std::pair{std::string_view{},
                  std::string_view{"-o PasswordAuthentication=no -o BatchMode=yes -o Connect"}}}) {
    if (options.starts_with(fmt::format("{}{}{}", before, kAcceptAny, behind))) {
      return options.erase(before.size(), kAcceptAny.size());
    }
  }
  return options;
}

// They come into commands of remote shells, and into those of ssh's own configuration.
Status check_names(const CommandLine& options, const std::string& prefix) {
  struct Name {
    std::string option;
    bool (*is_good)(std::string_view);
    const char* wanted;
  };
  constexpr const char* kHost = "a host name or an address";
  constexpr const char* kUser = "a user's name";
  for (const Name& name :
       {Name{prefix + "host", is_host, kHost}, Name{prefix + "ip", is_host, kHost},
        Name{prefix + "ssh_host", is_ssh_host, kHost}, Name{prefix + "ssh_ip", is_host, kHost},
        Name{prefix + "ssh_user", is_ssh_user, kUser}, Name{"ssh_user", is_ssh_user, kUser}}) {
    const std::string value = options.text(name.option);
    if (value.empty() || name.is_good(value)) continue;
    return Error{Code::kUsage,
                 fmt::format("--{}='{}' is not {}", name.option, printable(value), name.wanted)};
  }
  return {};
}

// Where MHA names no user (a dead master's hook) none is needed, and no file that cannot be read
// may be in the way.
Result<Account> account_from_options(const Program& program, const std::string& prefix,
                                     const HostSettings& settings) {
  const CommandLine& options = program.options;
  Account given{decode_mha_escape(options.text(prefix + "user")),
                Secret{decode_mha_escape(options.text(prefix + "password"))}};
  if (given.user.empty()) return given;
  return complete_account(std::move(given), AccountKind::kMysql, settings, program.passwords);
}

}  // namespace

void describe_master_options(po::options_description& described, Master master) {
  const std::string prefix = prefix_of(master);
  const std::string who = master == Master::kOrig ? "the original master" : "the new master";
  const auto add = [&](const char* name, const std::string& meaning) {
    described.add_options()((prefix + name).c_str(), text_value()->value_name("VALUE"),
                            (meaning + who).c_str());
  };
  add("host", "host name of ");
  add("ip", "address of ");
  add("port", "MySQL port of ");
  add("user", "MySQL user on ");
  add("password", "MySQL password on ");
  add("ssh_user", "SSH user on ");
  add("ssh_host", "SSH host name of ");
  add("ssh_ip", "SSH address of ");
  add("ssh_port", "SSH port of ");
}

void describe_ssh_options(po::options_description& described) {
  described.add_options()("ssh_user", text_value()->value_name("USER"), "SSH user on both hosts")(
      "ssh_options", text_value()->value_name("OPTIONS"),
      "options as for ssh(1): -i -l -p -o -F -J");
}

Result<NodeSpec> node_from_options(Program& program, Master master) {
  const std::string prefix = prefix_of(master);
  const CommandLine& options = program.options;
  NodeSpec spec;
  spec.role = master == Master::kOrig ? "original master" : "new master";
  spec.host = options.text(prefix + "host");
  const std::string ip = options.text(prefix + "ip");
  spec.ip = ip;
  if (spec.host.empty()) spec.host = ip;
  if (spec.host.empty()) return Error{Code::kUsage, fmt::format("--{}host is required", prefix)};
  if (const Status good = check_names(options, prefix); !good.ok()) return good.error();

  const Result<std::optional<std::uint16_t>> port = options.port(prefix + "port");
  if (!port.ok()) return port.error();
  spec.port = port.value().value_or(3306);

  Result<HelperConfig> config = HelperConfig::load(program.config_dir);
  if (!config.ok()) return config.error();
  Result<HelperConfig::Lookup> found = config.value().find(spec.host, ip);
  if (!found.ok()) return found.error();
  for (const std::string& warning : found.value().warnings) program.log.warning("{}", warning);
  spec.settings = std::move(found.value().settings);

  // As MHA does, by address: a failover must not wait for a name server. A certificate is checked
  // against the name.
  const bool by_name = spec.settings.mysql_ssl_mode == MysqlTlsMode::kVerifyIdentity || ip.empty();
  spec.mysql.host = by_name ? spec.host : ip;
  spec.mysql.port = spec.port;
  Result<Account> account = account_from_options(program, prefix, spec.settings);
  if (!account.ok()) return account.error();
  spec.mysql.user = std::move(account.value().user);
  spec.mysql.password = std::move(account.value().password);
  spec.mysql.tls_mode = spec.settings.mysql_ssl_mode;
  spec.mysql.tls_ca = spec.settings.mysql_ssl_ca;

  const Result<std::optional<std::uint16_t>> ssh_port = options.port(prefix + "ssh_port");
  if (!ssh_port.ok()) return ssh_port.error();
  spec.ssh.host = options.optional_text(prefix + "ssh_host").value_or(spec.host);
  // Where MHA itself would connect to: it names ssh_ip where that is not the host's own address.
  const bool is_the_host = host_key(spec.ssh.host) == host_key(spec.host);
  spec.ssh.address = options.optional_text(prefix + "ssh_ip").value_or(is_the_host ? ip : "");
  spec.ssh.port = ssh_port.value();
  spec.ssh.user = options.optional_text(prefix + "ssh_user").value_or(options.text("ssh_user"));
  Result<ParsedSshOptions> ssh =
      parse_ssh_options(without_mhas_host_key_default(options.text("ssh_options")), spec.ssh);
  if (!ssh.ok()) return ssh.error().with_context("--ssh_options");
  log_unused_options(ssh.value(), spec.host, program.log);
  spec.ssh = std::move(ssh.value().target);
  return spec;
}

}  // namespace mha
