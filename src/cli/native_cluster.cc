// Reading the flags, and resolving names.
#include "cli/native_cluster.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "cli/cloud_login.h"
#include "cli/mha_nodes.h"
#include "config/host_name.h"
#include "engine/steps_script.h"

namespace mha {
namespace {

constexpr std::chrono::seconds kResolve{3};

std::vector<std::string> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &first) != 0) return {};
  std::vector<std::string> addresses;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  freeaddrinfo(first);
  return addresses;
}

// A name server that says nothing costs kResolve: getaddrinfo has no deadline, so its thread is
// left behind.
std::vector<std::string> resolve_in_time(const std::string& host) {
  auto answer = std::make_shared<std::promise<std::vector<std::string>>>();
  std::future<std::vector<std::string>> waiting = answer->get_future();
  std::thread([answer, host] { answer->set_value(addresses_of(host)); }).detach();
  if (waiting.wait_for(kResolve) != std::future_status::ready) return {};
  return waiting.get();
}

bool is_set(const MhaServer& server, const std::string& key, bool otherwise) {
  const auto found = server.values.find(key);
  if (found == server.values.end() || found->second.empty()) return otherwise;
  return found->second != "0";
}

std::string text_of(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

// "a, b" as MHA splits it.
std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream words(text);
  for (std::string part; std::getline(words, part, ',');) {
    const std::size_t first = part.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    parts.push_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
  }
  return parts;
}

}  // namespace

Status hosts_resolve(const Cluster& cluster) {
  std::vector<std::pair<std::string, std::future<std::vector<std::string>>>> asked;
  for (const ClusterHost& host : cluster.hosts) {
    const bool needs_none = host.ignore_fail || !host.node.ip.empty() ||
                            parse_address(host.node.host).has_value() || !cluster.resolve;
    if (needs_none) continue;
    asked.emplace_back(host.node.host,
                       std::async(std::launch::async, cluster.resolve, host.node.host));
  }
  std::vector<std::string> unknown;
  for (auto& [name, addresses] : asked) {
    if (addresses.get().empty()) unknown.push_back(name);
  }
  if (unknown.empty()) return {};
  return Error{Code::kConfig,
               fmt::format("{}: no address is found for {}; see the spelling and the "
                           "name server, or give ip in the conf",
                           cluster.conf_file, fmt::join(unknown, ", "))};
}

Status logins_are_there(const Cluster& cluster) {
  for (const ClusterHost& host : cluster.hosts) {
    if (Status login = check_login(host.node); !login.ok()) return login;
  }
  return {};
}

Status scripts_can_run(const SwitchFiles& files, const std::string& key) {
  for (const MhaServer& server : files.conf.servers) {
    const std::string command = text_of(server.values, key);
    const std::string program = command.substr(0, command.find(' '));
    const bool is_ours = is_our_program(command, kOnlineHook) || is_our_program(command, kHardHook);
    if (is_ours || !program.starts_with('/') || access(program.c_str(), X_OK) == 0) continue;
    return Error{Code::kConfig, fmt::format("{}: {} of {}: {} cannot be run: {}", files.conf.file,
                                            key, server.hostname, program, std::strerror(errno))};
  }
  return {};
}

Result<Cluster> cluster_from(Program& program, const SwitchFiles& files) {
  if (files.conf.servers.empty()) {
    return Error{Code::kConfig, fmt::format("{} has no server", files.conf.file)};
  }
  Cluster cluster;
  cluster.conf_file = files.conf.file;
  cluster.application = application_name(files.conf.file);
  cluster.workdir = text_of(files.conf.servers.front().values, "manager_workdir");
  cluster.resolve = &resolve_in_time;
  std::set<std::pair<std::string, std::uint16_t>> seen;
  for (const MhaServer& server : files.conf.servers) {
    Result<NodeSpec> node = node_from_mha(program, files.config, server, "server");
    if (!node.ok()) return node.error();
    if (!seen.insert({host_key(server.hostname), server.port}).second) {
      return Error{Code::kConfig, fmt::format("{}: {}:{} is there twice", files.conf.file,
                                              server.hostname, server.port)};
    }
    ClusterHost host;
    host.node = std::move(node).value();
    host.candidate_master = server.candidate_master;
    host.no_master = server.no_master;
    host.ignore_fail = is_set(server, "ignore_fail", false);
    host.check_repl_delay = is_set(server, "check_repl_delay", true);
    host.check_repl_filter = is_set(server, "check_repl_filter", true);
    host.latest_priority = is_set(server, "latest_priority", true);
    host.skip_reset_slave = is_set(server, "skip_reset_slave", false);
    host.disable_log_bin = is_set(server, "disable_log_bin", false);
    host.binlog_dirs = list_of(text_of(server.values, "master_binlog_dir"));
    host.client_bindir = text_of(server.values, "client_bindir");
    host.remote_workdir = text_of(server.values, "remote_workdir");
    host.pid_file = text_of(server.values, "master_pid_file");
    Result<Account> replication =
        complete_account({server.repl_user, server.repl_password}, AccountKind::kReplication,
                         host.node.settings, program.passwords);
    if (!replication.ok()) return replication.error();
    host.repl_user = std::move(replication.value().user);
    host.repl_password = std::move(replication.value().password);
    host.mha_ssh = {server.ssh_user, server.ssh_host,    server.ssh_ip,
                    server.ssh_port, server.ssh_options, "5"};
    const std::string timeout = text_of(server.values, "ssh_connection_timeout");
    if (!timeout.empty()) host.mha_ssh.connection_timeout = timeout;
    host.scripts = {text_of(server.values, "master_ip_failover_script"),
                    text_of(server.values, "master_ip_online_change_script"),
                    text_of(server.values, "shutdown_script"),
                    text_of(server.values, "report_script")};
    cluster.hosts.push_back(std::move(host));
  }
  for (const MhaServer& server : files.conf.binlog_servers) {
    if (server.hostname.empty()) continue;  // the conf's reader has warned
    Result<SshTarget> ssh = ssh_from_mha(program, server);
    if (!ssh.ok()) return ssh.error();
    cluster.binlog_servers.push_back(
        {server.id, std::move(ssh).value(), list_of(text_of(server.values, "master_binlog_dir")),
         text_of(server.values, "client_bindir"), text_of(server.values, "remote_workdir")});
  }
  return cluster;
}

}  // namespace mha
