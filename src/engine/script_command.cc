// Putting the words together.
#include "engine/script_command.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "base/shell_quote.h"

namespace mha {
namespace {

// M:NodeConst.pm and ManagerConst.pm: what stands before the conf's own ssh_options.
constexpr std::string_view kSshAlive =
    "-o ServerAliveInterval=60 -o ServerAliveCountMax=20 -o StrictHostKeyChecking=no "
    "-o ConnectionAttempts=5 -o PasswordAuthentication=no -o BatchMode=yes";
constexpr std::string_view kSshCheck =
    "-o StrictHostKeyChecking=no -o PasswordAuthentication=no -o BatchMode=yes -o "
    "ConnectTimeout={}";

constexpr std::string_view kSpecial = "\"!#&;`|*?~<>^()[]{}$, ";

std::string_view first_word(std::string_view command) {
  const std::size_t begin = command.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  command.remove_prefix(begin);
  return command.substr(0, command.find_first_of(" \t"));
}

// Collects the options of one call.
class Words {
 public:
  explicit Words(const std::string& script) : name_(script_name(script)), command_(script) {
    shown_ = first_word(script);
    if (shown_.size() < script.size()) shown_ += " ...";
  }

  Words& add(std::string_view name, std::string_view value) {
    return add_word(fmt::format(" --{}={}", name, value.empty() ? "" : shell_quote(value)));
  }
  Words& add(std::string_view name, unsigned number) {
    return add_word(fmt::format(" --{}={}", name, number));
  }
  Words& add(std::string_view name) { return add_word(fmt::format(" --{}", name)); }
  Words& add_user(std::string_view name, const std::string& user) {
    return add_word(fmt::format(" --{}={}", name, user.empty() ? "" : mha_escaped_word(user)));
  }
  Words& add_password(std::string_view name, const Secret& password) {
    shown_ += fmt::format(" --{}=xxx", name);
    std::string word = password.empty() ? "" : mha_escaped_word(password.reveal());
    command_ += fmt::format(" --{}={}", name, word);
    wipe(word.data(), word.size());
    return *this;
  }

  // "orig_master" or "new_master"; without user and password.
  Words& add_host(const std::string& prefix, const ScriptHost& host) {
    add(prefix + "_host", host.host).add(prefix + "_ip", host.ip);
    return add(prefix + "_port", host.port);
  }
  // Only where it differs from what a script would take by itself.
  Words& add_ssh(const std::string& prefix, const ScriptHost& host) {
    if (host.ssh.host != host.host || host.ssh.ip != host.ip) {
      add(prefix + "_ssh_host", host.ssh.host).add(prefix + "_ssh_ip", host.ssh.ip);
    }
    if (host.ssh.port != 22) add(prefix + "_ssh_port", host.ssh.port);
    return *this;
  }
  // MHA passes them once, by the original master's reachability.
  Words& add_ssh_options(const ScriptHost& orig, SshReach reach) {
    if (orig.ssh.options.empty()) return *this;
    const std::string before =
        reach == SshReach::kReachable
            ? std::string{kSshAlive}
            : fmt::format(fmt::runtime(kSshCheck), orig.ssh.connection_timeout);
    return add("ssh_options", before + " " + orig.ssh.options);
  }

  ScriptCommand done() && {
    return {std::move(name_), Secret{std::move(command_)}, std::move(shown_)};
  }

 private:
  Words& add_word(const std::string& word) {
    command_ += word;
    shown_ += word;
    return *this;
  }

  std::string name_;
  std::string command_;
  std::string shown_;
};

}  // namespace

ScriptHost script_host(const ClusterHost& host, const ResolveHost& resolve) {
  const NodeSpec& node = host.node;
  ScriptHost script{node.host,           node.ip,           node.port,   node.mysql.user,
                    node.mysql.password, host.mha_ssh.user, host.mha_ssh};
  if (script.ip.empty() && resolve) {
    const std::vector<std::string> addresses = resolve(node.host);
    if (!addresses.empty()) script.ip = addresses.front();
  }
  if (script.ip.empty()) script.ip = node.host;
  if (script.ssh.host.empty()) script.ssh.host = node.host;
  // As in MHA's conf: ssh_ip is the host's own address unless ssh_host is another one.
  if (script.ssh.ip.empty() || script.ssh.host == node.host) script.ssh.ip = script.ip;
  return script;
}

std::string script_name(std::string_view command) {
  const std::string_view word = first_word(command);
  return std::string{word.substr(word.rfind('/') + 1)};
}

bool is_our_program(std::string_view command, std::string_view program) {
  return script_name(command) == program;
}

std::string mha_escaped_word(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || kSpecial.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  std::string word = shell_quote(escaped);
  wipe(escaped.data(), escaped.size());
  return word;
}

ScriptCommand online_change_command(const std::string& script, OnlineChange what,
                                    const ScriptHost& orig, const ScriptHost& next,
                                    OrigMaster orig_master) {
  Words words(script);
  words.add("command", what == OnlineChange::kStop ? "stop" : "start");
  words.add_host("orig_master", orig).add_user("orig_master_user", orig.user);
  words.add_host("new_master", next).add_user("new_master_user", next.user);
  words.add("orig_master_ssh_user", orig.ssh_user).add("new_master_ssh_user", next.ssh_user);
  words.add_ssh("orig_master", orig).add_ssh_options(orig, SshReach::kReachable);
  words.add_ssh("new_master", next);
  if (orig_master == OrigMaster::kBecomesReplica) words.add("orig_master_is_new_slave");
  words.add_password("orig_master_password", orig.password);
  words.add_password("new_master_password", next.password);
  return std::move(words).done();
}

ScriptCommand failover_stop_command(const std::string& script, const ScriptHost& dead,
                                    SshReach ssh) {
  Words words(script);
  words.add_host("orig_master", dead);
  words.add("command", ssh == SshReach::kReachable ? "stopssh" : "stop");
  if (ssh == SshReach::kReachable) words.add("ssh_user", dead.ssh_user);
  words.add_ssh("orig_master", dead).add_ssh_options(dead, ssh);
  return std::move(words).done();
}

ScriptCommand failover_start_command(const std::string& script, const ScriptHost& dead,
                                     const ScriptHost& next, SshReach dead_ssh) {
  Words words(script);
  words.add("command", "start").add("ssh_user", next.ssh_user);
  words.add_host("orig_master", dead).add_host("new_master", next);
  words.add_user("new_master_user", next.user);
  words.add_ssh("orig_master", dead).add_ssh_options(dead, dead_ssh);
  words.add_ssh("new_master", next).add_password("new_master_password", next.password);
  return std::move(words).done();
}

ScriptCommand report_command(const std::string& script, const ReportRequest& request,
                             const std::string& conf_file) {
  Words words(script);
  words.add("orig_master_host", request.orig_master_host);
  if (!request.new_master_host.empty()) {
    words.add("new_master_host", request.new_master_host);
    words.add("new_slave_hosts", request.new_slave_hosts);
  }
  words.add("conf", conf_file).add("subject", request.subject).add("body", request.body);
  return std::move(words).done();
}

}  // namespace mha
