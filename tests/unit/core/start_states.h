// States in which a cluster may be found, for tests that go through all of them.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "unit/core/fake_cluster.h"

namespace mha {

struct StartState {
  std::string name;
  std::function<void(FakeCluster&)> prepare;
};

inline std::ostream& operator<<(std::ostream& out, const StartState& state) {
  return out << state.name;
}

inline const std::vector<StartState>& start_states() {
  static const std::vector<StartState> states{
      {"AsItShouldBe", [](FakeCluster&) {}},
      {"NewMasterWritable",
       [](FakeCluster& cluster) { cluster.next_server().read_only.read_only = ReadOnly::kOff; }},
      {"OriginalReadOnly",
       [](FakeCluster& cluster) { cluster.orig_server().read_only.read_only = ReadOnly::kOn; }},
      {"SuperReadOnlyConfigured",
       [](FakeCluster& cluster) { cluster.settings.super_read_only = true; }},
      {"SuperReadOnlyFoundOnTheNewMaster",
       [](FakeCluster& cluster) {
         cluster.settings.super_read_only = true;
         cluster.next_server().read_only.super_read_only = true;
       }},
      {"SuperReadOnlyConfiguredOriginalReadOnly",
       [](FakeCluster& cluster) {
         cluster.settings.super_read_only = true;
         cluster.orig_server().read_only = {ReadOnly::kOn, false};
       }},
      {"Mariadb",
       [](FakeCluster& cluster) {
         make_mariadb(cluster.orig_server());
         make_mariadb(cluster.next_server());
         cluster.settings.super_read_only = true;
       }},
      {"VipOnBoth",
       [](FakeCluster& cluster) {
         cluster.vip.set_holders({"db1", "db2"});
       }},
      {"VipOnNeither", [](FakeCluster& cluster) { cluster.vip.set_holders({}); }},
      {"VipOnTheNewMaster", [](FakeCluster& cluster) { cluster.vip.set_holders({"db2"}); }},
      {"NoVip",
       [](FakeCluster& cluster) {
         cluster.settings.vip_type = VipType::kNone;
         cluster.settings.writer_vip.reset();
         cluster.vip.set_holders({});
       }},
      {"ApplierStopped",
       [](FakeCluster& cluster) {
         cluster.next_server().replica = ReplicaThreads{true, false};
       }},
      {"NoReplica", [](FakeCluster& cluster) { cluster.next_server().replica.reset(); }},
      {"ClientWhomReadOnlyDoesNotBind",
       [](FakeCluster& cluster) {
         cluster.settings.kill_after_timeout = std::chrono::seconds{0};
         cluster.orig_server().exempt_users = {"app"};
         cluster.orig_server().add_thread("app");
       }},
      {"Clients",
       [](FakeCluster& cluster) {
         FakeMysqlState& orig = cluster.orig_server();
         cluster.settings.kill_after_timeout = std::chrono::seconds{0};
         orig.add_thread("app");
         orig.reconnects[orig.add_thread("app")] = 2;
         orig.add_thread("repl", "Binlog Dump GTID");
         orig.add_thread("system user", "Query");
         orig.add_thread("event_scheduler", "Daemon");
         orig.locks["MHA_Master_High_Availability_Monitor"] = orig.add_thread("mha");
       }},
  };
  return states;
}

// Threads that no operation may end.
inline std::size_t spared_threads(FakeCluster& cluster) {
  std::size_t count = 0;
  for (const ServerThread& thread : cluster.orig_server().threads) {
    if (thread.user != "app") ++count;
  }
  return count;
}

}  // namespace mha
