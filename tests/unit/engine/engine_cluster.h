// Three fake servers, db1 the master and db2 and db3 its replicas, with all that the engine needs.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "engine/switchover.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_mysql.h"
#include "fakes/fake_vip.h"
#include "fakes/fault_plan.h"
#include "unit/core/fake_ssh.h"
#include "unit/core/state_folder.h"
#include "vip/none.h"

namespace mha {

// What must be as it was found when a switch says so.
struct ServerAsFound {
  ReadOnlyState read_only;
  std::optional<ReplicaThreads> threads;
  std::string source;  // "db1", "" for none
  bool events = false;
  bool semi_sync_source = false;
  std::set<std::string> enabled_events{};

  bool operator==(const ServerAsFound&) const = default;
};

struct ClusterSeen {
  std::map<std::string, ServerAsFound> servers;
  std::set<std::string> vip_holders;

  bool operator==(const ClusterSeen&) const = default;
  [[nodiscard]] std::vector<std::string> writers() const {
    std::vector<std::string> all;
    for (const auto& [host, server] : servers) {
      if (!server.read_only.blocks_writes()) all.push_back(host);
    }
    return all;
  }
};

inline std::ostream& operator<<(std::ostream& out, const ClusterSeen& seen) {
  for (const auto& [host, server] : seen.servers) {
    out << fmt::format("{}: {}{}, source '{}'{}{}; ", host, to_string(server.read_only.read_only),
                       server.read_only.super_read_only == true ? "+super" : "", server.source,
                       !server.threads.has_value()
                           ? ""
                           : fmt::format(" (receiver {} applier {})", server.threads->receiver,
                                         server.threads->applier),
                       server.events ? " events" : "");
    for (const std::string& event : server.enabled_events) out << "event " << event << " enabled; ";
  }
  return out << fmt::format("vip on [{}]", fmt::join(seen.vip_holders, " "));
}

class EngineCluster {
 public:
  explicit EngineCluster(GtidUse gtid_use = GtidUse::kAuto,
                         ServerFamily family = ServerFamily::kMysql) {
    for (const std::string& host : hosts_) {
      FakeMysqlState& state = server(host);
      if (family == ServerFamily::kMariadb) make_mariadb(state);
      state.replication.gtids = gtid_use != GtidUse::kNone;
      state.read_only.read_only = host == "db1" ? ReadOnly::kOff : ReadOnly::kOn;
      ssh.add_host(host);
      request.cluster.hosts.push_back(host_of(host));
    }
    server("db1").write(3);
    mysql.follow("db2:3306", "db1:3306", gtid_use);
    mysql.follow("db3:3306", "db1:3306", gtid_use);
    vip.set_holders({"db1"});
    request.cluster.conf_file = "/etc/mha/app1.cnf";
    request.cluster.application = "app1";
    request.cluster.workdir = folder.path();
  }
  EngineCluster(const EngineCluster&) = delete;
  EngineCluster& operator=(const EngineCluster&) = delete;

  // One more than db1 to db3, read-only and of the conf: it has what db1 has, and follows nobody
  // yet.
  void add_host(const std::string& host) {
    FakeMysqlState& state = server(host);
    const FakeMysqlState& like = server("db1");
    if (like.identity.family == ServerFamily::kMariadb) make_mariadb(state);
    state.replication.gtids = like.replication.gtids;
    state.replication.executed = like.replication.executed;
    state.replication.binlog = like.replication.binlog;
    if (!like.replication.executed.empty()) {
      state.replication.slave_pos = like.replication.executed.back();
    }
    state.read_only.read_only = ReadOnly::kOn;
    ssh.add_host(host);
    request.cluster.hosts.push_back(host_of(host));
    hosts_.push_back(host);
  }

  // db1 is a semi-sync source, and these its semi-sync replicas.
  void use_semi_sync(const std::vector<std::string>& replicas) {
    for (const std::string& host : hosts_) server(host).replication.semi_sync.available = true;
    server("db1").replication.semi_sync.source_enabled = true;
    for (const std::string& host : replicas) {
      FakeReplicationState& replica = server(host).replication;
      replica.semi_sync.replica_enabled = true;
      replica.connected = false;  // it asks when it connects
    }
    mysql.replicate();
  }

  FakeMysqlState& server(const std::string& host) { return mysql.server(host + ":3306"); }
  ClusterHost& conf(const std::string& host) {
    for (ClusterHost& one : request.cluster.hosts) {
      if (one.node.host == host) return one;
    }
    return request.cluster.hosts.emplace_back(host_of(host));
  }

  Environment environment() {
    return Environment{NodePorts{mysql, ssh, vip_factory_}, clock, log, interrupt, state_dir};
  }

  // All of what a person does: look, and switch where nothing speaks against it.
  Outcome run() {
    Environment all = environment();
    Switchover switchover(request, all);
    Outcome outcome;
    outcome.ending = Ending::kUndone;
    Result<std::vector<Problem>> problems = switchover.look();
    if (!problems.ok()) {
      outcome.headline = problems.error();
      return outcome;
    }
    if (!problems.value().empty()) {
      outcome.headline = Error{Code::kRefused, problems.value().front().text()};
      return outcome;
    }
    outcome = switchover.run();
    summary = switchover.summary();
    return outcome;
  }

  ClusterSeen seen() {
    ClusterSeen all;
    for (const std::string& host : hosts_) {
      FakeMysqlState& state = server(host);
      all.servers[host] = {state.read_only,
                           state.replica,
                           state.replica.has_value() ? state.replication.source.host : "",
                           state.replication.event_scheduler,
                           state.replication.semi_sync.source_enabled,
                           enabled_events_of(state)};
    }
    all.vip_holders = vip.holders();
    return all;
  }

  SwitchRequest request;
  OperationSummary summary;
  FakeClock clock;
  FakeLog log;
  FaultPlan faults;
  Interrupt interrupt;
  FakeMysqlConnector mysql{faults, &clock};
  FakeSsh ssh{faults, clock};
  FakeVipNetwork vip{faults, &clock};
  StateFolder folder;
  std::string state_dir = folder.path("state");

 private:
  static std::set<std::string> enabled_events_of(const FakeMysqlState& state) {
    std::set<std::string> names;
    for (const ScheduledEvent& event : state.replication.events) {
      if (event.status == EventStatus::kEnabled) names.insert(event.schema + "." + event.name);
    }
    return names;
  }

  static ClusterHost host_of(const std::string& host) {
    ClusterHost one;
    one.node.role = "server";
    one.node.host = host;
    one.node.mysql.host = host;
    one.node.mysql.user = "mha";
    one.node.ssh.host = host;
    one.node.settings.vip_type = VipType::kMetal;
    one.node.settings.writer_vip = Cidr{"10.0.0.100", 24, false};
    one.node.settings.cluster_interface = "eth0";
    one.repl_user = "repl";
    one.repl_password = Secret{"repl-password"};
    one.candidate_master = host == "db2";
    return one;
  }

  VipDriverFactory vip_factory_ = [this](const VipSite& site, const VipSite* /*counterpart*/,
                                         RemoteShell* shell) -> std::unique_ptr<VipDriver> {
    if (site.settings.vip_type == VipType::kNone) return make_none_driver();
    return std::make_unique<FakeVipDriver>(vip, site.host, shell);
  };
  std::vector<std::string> hosts_{"db1", "db2", "db3"};
};

// A process that was killed has noted nothing of its own end.
inline void forget_what_the_dead_noted(const std::string& state_dir) {
  if (!std::filesystem::exists(state_dir)) return;
  for (const auto& entry : std::filesystem::directory_iterator(state_dir)) {
    const std::string path = entry.path().string();
    const Result<JournalFile> journal = read_journal(path);
    ASSERT_TRUE(journal.ok());
    std::string kept;
    for (const nlohmann::json& record : journal.value().records) {
      const std::string event = record.value("event", "");
      if (event == "step_failed" || event.starts_with("undo_") || event == "end") break;
      kept += record.dump() + "\n";
    }
    write_whole(path, kept);
  }
}

}  // namespace mha
