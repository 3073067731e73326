// Asking one host, and all of them in parallel.
#include "engine/discovery.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <utility>

#include "config/host_name.h"
#include "core/client_threads.h"
#include "core/steps_exempt.h"

namespace mha {
namespace {

// Older than any transaction: asks for none.
constexpr std::chrono::seconds kNobodyWritesSoLong{std::chrono::hours{24 * 365 * 10}};
constexpr Milliseconds kLockGoesWithin{400};

// A host name and its addresses as they are compared.
std::vector<std::string> keys_of(const std::string& name, const Cluster& cluster) {
  std::vector<std::string> keys{host_key(name)};
  if (!cluster.resolve || parse_address(name).has_value()) return keys;
  for (const std::string& address : cluster.resolve(name)) keys.push_back(host_key(address));
  return keys;
}

// mysqld does not answer; does its host? Only a host on which no server process runs has a dead
// server: a process that hangs may come back.
void look_at_host(Node& node, const Error& mysql, Deadline deadline, HostView& view) {
  view.why = mysql.message;
  if (mysql.code != Code::kUnreachable) {
    view.reach = Reach::kUnknown;
    return;
  }
  Result<RemoteShell*> shell = node.shell(deadline);
  Result<CommandOutput> output =
      shell.ok()
          ? shell.value()->run("pgrep -x 'mysqld|mariadbd' >/dev/null; echo pgrep=$?", deadline)
          : Result<CommandOutput>{shell.error()};
  if (!output.ok()) {
    view.reach = Reach::kUnreachable;
    view.why += "; " + output.error().message;
    return;
  }
  const bool none_runs = output.value().out.find("pgrep=1") != std::string::npos;
  view.reach = none_runs ? Reach::kDead : Reach::kUnknown;
  view.why += none_runs ? "; its host answers SSH, and no mysqld or mariadbd runs there"
                        : "; its host answers SSH, and whether mysqld runs there is not known";
}

// A session that has just ended, of a rollback of our own for instance, may have its lock for a
// moment.
Result<bool> held_by_mha(MysqlServer& server, Clock& clock, Deadline deadline) {
  const Deadline gone_by = clock.deadline_after(kLockGoesWithin).capped(deadline);
  for (;;) {
    const Result<std::vector<std::uint64_t>> holders =
        server.lock_holders(mha_lock_names(), deadline);
    if (!holders.ok()) return holders.error();
    if (holders.value().empty()) return false;
    if (clock.passed(gone_by)) return true;
    clock.sleep_for(Milliseconds{50});
  }
}

Status ask_state(MysqlServer& server, Node& node, std::chrono::seconds long_writers,
                 Environment& environment, Deadline deadline, HostView& view) {
  Replication& replication = server.replication();
  const WallTime before = environment.clock.wall_now();
  Result<ServerState> state = replication.state(deadline);
  if (!state.ok()) return state.error();
  const WallTime middle = before + (environment.clock.wall_now() - before) / 2;
  view.state = std::move(state).value();
  view.clock_ahead = std::chrono::duration_cast<Milliseconds>(view.state.clock - middle);

  Result<std::vector<LongWriter>> writers = replication.long_writers(long_writers, deadline);
  if (!writers.ok()) return writers.error();
  view.long_writers = std::move(writers).value();
  Result<std::vector<std::string>> exempt = exempt_clients(node, deadline);
  if (!exempt.ok()) return exempt.error();
  view.exempt_clients = std::move(exempt).value();
  const Result<bool> held = held_by_mha(server, environment.clock, deadline);
  if (!held.ok()) return held.error();
  view.held_by_mha = held.value();
  return {};
}

// The privileges first: without some of them it does not tell the rest, and they are the reason.
Status ask_server(MysqlServer& server, Node& node, std::chrono::seconds long_writers,
                  Environment& environment, Deadline deadline, HostView& view) {
  view.identity = server.identity();
  Result<std::vector<std::string>> missing = server.replication().missing_privileges(deadline);
  if (!missing.ok()) return missing.error();
  view.missing_privileges = std::move(missing).value();
  const Status asked = ask_state(server, node, long_writers, environment, deadline, view);
  const bool is_denied = !asked.ok() && asked.error().code == Code::kDenied;
  if (!is_denied || view.missing_privileges.empty()) return asked;
  return asked.error().with_context(fmt::format("{}; {}", view.lacking(), view.grants()));
}

void ask_about_vip(Node& node, Deadline deadline, HostView& view) {
  Result<VipDriver*> driver = node.vip(deadline);
  const Status checked = driver.ok() ? driver.value()->check(deadline) : driver.status();
  if (!checked.ok()) {
    view.vip_error = checked.error().message;
    return;
  }
  view.vip_identities = driver.value()->own_identities();
  const Result<VipPresence> presence = driver.value()->status(deadline);
  if (presence.ok()) {
    view.vip = presence.value();
  } else {
    view.vip_error = presence.error().message;
  }
}

HostView look(const ClusterHost& host, Node& node, const Cluster& cluster, Milliseconds patience,
              std::chrono::seconds long_writers, Environment& environment) {
  HostView view;
  view.host = host;
  const Deadline deadline = environment.clock.deadline_after(patience);
  std::future<void> vip = std::async(std::launch::async, [&node, deadline, &view] {
    if (node.moves_a_vip()) ask_about_vip(node, deadline, view);
  });
  Result<MysqlServer*> server = node.mysql(deadline);
  const Status asked =
      server.ok() ? ask_server(*server.value(), node, long_writers, environment, deadline, view)
                  : server.status();
  vip.get();
  if (!asked.ok()) {
    look_at_host(node, asked.error(), environment.clock.deadline_after(patience), view);
    return view;
  }
  view.reach = Reach::kLiving;
  view.own_addresses = keys_of(host.node.host, cluster);
  if (!host.node.ip.empty()) view.own_addresses.push_back(host_key(host.node.ip));
  if (view.state.replica.has_value()) {
    view.source_addresses = keys_of(view.state.replica->source_host, cluster);
  }
  return view;
}

// `unasked`: a host that is only named.
Discovery look_at_all(const Cluster& cluster, std::optional<std::size_t> unasked,
                      Milliseconds patience, std::chrono::seconds long_writers,
                      Environment& environment) {
  Discovery found;
  std::vector<std::future<HostView>> looking;
  for (std::size_t i = 0; i < cluster.hosts.size(); ++i) {
    const ClusterHost& host = cluster.hosts[i];
    found.nodes.push_back(std::make_unique<Node>(host.node, environment.ports));
    Node& node = *found.nodes.back();
    looking.push_back(std::async(std::launch::async, [&, i, &host = host, &node = node] {
      if (i != unasked) return look(host, node, cluster, patience, long_writers, environment);
      HostView view;
      view.host = host;
      view.why = "taken for dead, and not asked";
      return view;
    }));
  }
  for (std::future<HostView>& one : looking) found.views.push_back(one.get());
  // Of a host that does not answer as well: what points to it must be seen to.
  for (HostView& view : found.views) {
    if (!view.own_addresses.empty()) continue;
    view.own_addresses = keys_of(view.host.node.host, cluster);
    if (!view.host.node.ip.empty()) view.own_addresses.push_back(host_key(view.host.node.ip));
  }
  return found;
}

}  // namespace

std::string_view to_string(Reach reach) {
  switch (reach) {
    case Reach::kLiving:
      return "living";
    case Reach::kDead:
      return "dead";
    case Reach::kUnreachable:
      return "unreachable";
    case Reach::kUnknown:
      break;
  }
  return "unknown";
}

std::string HostView::lacking() const {
  return fmt::format("the user '{}' lacks {}", host.node.mysql.user,
                     fmt::join(missing_privileges, ", "));
}

bool HostView::has_a_cloud() const {
  const VipType type = host.node.settings.vip_type;
  return type == VipType::kAws || type == VipType::kOpenstack;
}

std::string HostView::vip_remedy() const {
  if (has_a_cloud()) return "see that the cloud lets us in, and that SSH, sudo and ip work there";
  return "see that SSH, sudo and ip work for the ssh_user there";
}

std::string HostView::grants() const {
  std::vector<std::string> global;
  std::vector<std::string> statements;
  for (const std::string& one : missing_privileges) {
    // "SELECT ON mysql.*"
    const bool is_global = one.find(" ON ") == std::string::npos;
    if (is_global) global.push_back(one);
    if (!is_global) {
      statements.push_back(fmt::format("GRANT {} TO '{}'@...", one, host.node.mysql.user));
    }
  }
  if (!global.empty()) {
    statements.insert(
        statements.begin(),
        fmt::format("GRANT {} ON *.* TO '{}'@...", fmt::join(global, ", "), host.node.mysql.user));
  }
  return fmt::format("{}", fmt::join(statements, "; "));
}

Node* Discovery::node(const std::string& host, std::uint16_t port) const {
  for (const std::unique_ptr<Node>& one : nodes) {
    if (one->spec().host == host && one->spec().port == port) return one.get();
  }
  return nullptr;
}

Discovery discover(const Cluster& cluster, Milliseconds patience, std::chrono::seconds long_writers,
                   Environment& environment) {
  return look_at_all(cluster, std::nullopt, patience, long_writers, environment);
}

Discovery discover_survivors(const Cluster& cluster, std::size_t dead, Milliseconds patience,
                             Environment& environment) {
  return look_at_all(cluster, dead, patience, kNobodyWritesSoLong, environment);
}

}  // namespace mha
