// An original master db1 and a replica db2 that is to become master, all of it fake.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <memory>
#include <ostream>
#include <set>
#include <string>

#include "core/environment.h"
#include "core/hard.h"
#include "core/online.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_mysql.h"
#include "fakes/fake_vip.h"
#include "fakes/fault_plan.h"
#include "unit/core/fake_ssh.h"
#include "unit/core/state_folder.h"
#include "vip/none.h"

namespace mha {

// What must be as it was found when an operation says so.
struct ClusterState {
  ReadOnlyState orig;
  ReadOnlyState next;
  std::set<std::string> vip_holders;
  std::optional<ReplicaThreads> next_replica;  // db2's replication; nullopt: it is no replica

  bool operator==(const ClusterState&) const = default;
  [[nodiscard]] bool two_writers() const { return !orig.blocks_writes() && !next.blocks_writes(); }
};

inline std::string state_text(const ReadOnlyState& state) {
  return fmt::format("{}{}", to_string(state.read_only),
                     !state.super_read_only.has_value() ? ""
                     : *state.super_read_only           ? "+super"
                                                        : "-super");
}

inline std::ostream& operator<<(std::ostream& out, const ClusterState& state) {
  const std::string replica =
      !state.next_replica.has_value()
          ? "none"
          : fmt::format("receiver {} applier {}", state.next_replica->receiver ? "on" : "off",
                        state.next_replica->applier ? "on" : "off");
  return out << fmt::format("db1 {}, db2 {}, vip on [{}], replication of db2: {}",
                            state_text(state.orig), state_text(state.next),
                            fmt::join(state.vip_holders, " "), replica);
}

// As found: MySQL 8.0 on both, db1 takes writes and has the virtual IP, db2 is read-only.
class FakeCluster {
 public:
  FakeCluster() {
    orig_server().read_only = {ReadOnly::kOff, false};
    next_server().read_only = {ReadOnly::kOn, false};
    next_server().replica = ReplicaThreads{true, true};
    vip.set_holders({"db1"});
    settings.vip_type = VipType::kMetal;
    settings.writer_vip = Cidr{"10.0.0.100", 24, false};
    settings.cluster_interface = "eth0";
  }
  FakeCluster(const FakeCluster&) = delete;
  FakeCluster& operator=(const FakeCluster&) = delete;

  FakeMysqlState& orig_server() { return mysql.server("db1:3306"); }
  FakeMysqlState& next_server() { return mysql.server("db2:3306"); }

  [[nodiscard]] NodeSpec spec(const std::string& host, const std::string& role) const {
    NodeSpec node;
    node.role = role;
    node.host = host;
    node.mysql.host = host;
    node.mysql.user = "mha";
    node.ssh.host = host;
    node.settings = settings;
    return node;
  }
  [[nodiscard]] NodeSpec orig() const { return spec("db1", "original master"); }
  [[nodiscard]] NodeSpec next() const { return spec("db2", "new master"); }
  [[nodiscard]] OnlineRequest online() const { return {orig(), next()}; }
  [[nodiscard]] HardStartRequest hard() const { return {"db1", 3306, next()}; }

  Environment environment() {
    return Environment{NodePorts{mysql, ssh, vip_factory_}, clock, log, interrupt, state_dir};
  }
  Outcome stop() {
    Environment all = environment();
    return online_stop(online(), all);
  }
  Outcome start() {
    Environment all = environment();
    return online_start(online(), all);
  }
  std::optional<Outcome> roll_back() {
    Environment all = environment();
    return roll_back_online_stop(online(), clock.wall_now() - std::chrono::hours{1}, all);
  }

  ClusterState state() {
    return {orig_server().read_only, next_server().read_only, vip.holders(), next_server().replica};
  }
  void set_state(const ClusterState& wanted) {
    orig_server().read_only = wanted.orig;
    next_server().read_only = wanted.next;
    vip.set_holders(wanted.vip_holders);
    next_server().replica = wanted.next_replica;
  }

  // What MHA does between our two hooks: the new master applies all that it has, and no more.
  void mha_stops_the_applier() {
    if (next_server().replica.has_value()) next_server().replica->applier = false;
  }

  // sshd accepts and then says nothing: new sessions as well as open ones.
  void silence_ssh(const std::string& host) {
    ssh.set_health(host, FakeHealth::kSilent);
    vip.set_silent(host);
  }

  HostSettings settings;  // of both hosts
  FakeClock clock;
  FakeLog log;
  FaultPlan faults;
  Interrupt interrupt;
  FakeMysqlConnector mysql{faults, &clock};
  FakeSsh ssh{faults, clock};
  FakeVipNetwork vip{faults, &clock};
  StateFolder folder;
  std::string state_dir = folder.path("state");
  std::shared_ptr<FakeShellHost> orig_shell = ssh.add_host("db1");
  std::shared_ptr<FakeShellHost> next_shell = ssh.add_host("db2");

 private:
  VipDriverFactory vip_factory_ = [this](const VipSite& site, const VipSite* /*counterpart*/,
                                         RemoteShell* shell) -> std::unique_ptr<VipDriver> {
    if (site.settings.vip_type == VipType::kNone) return make_none_driver();
    return std::make_unique<FakeVipDriver>(vip, site.host, shell);
  };
};

// The position of the first call whose text contains `part`; calls.size() where there is none.
inline std::size_t position(const std::vector<std::string>& calls, std::string_view part) {
  std::size_t i = 0;
  while (i < calls.size() && calls[i].find(part) == std::string::npos) ++i;
  return i;
}

}  // namespace mha
