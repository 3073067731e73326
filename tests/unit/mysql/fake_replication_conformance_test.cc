// The replication suite over fake servers.
#include "component/mysql/replication_conformance.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_mysql.h"

namespace mha {
namespace {

class FakePair : public ReplicationWorld {
 public:
  FakePair(ServerFamily family, GtidUse gtid_use) : gtid_use_(gtid_use) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (family == ServerFamily::kMariadb) {
        make_mariadb(server(i));
        server(i).replication.semi_sync.available = true;
      }
      server(i).replication.gtids = gtid_use != GtidUse::kNone;
    }
  }

  MysqlConnector& connector() override { return connector_; }
  Clock& clock() override { return clock_; }
  [[nodiscard]] MysqlTarget target(std::size_t server) const override {
    MysqlTarget target;
    target.host = server == 0 ? "db1" : "db2";
    target.user = "mha";
    return target;
  }
  [[nodiscard]] NewSource account() const override {
    NewSource account;
    account.user = "repl";
    return account;
  }
  [[nodiscard]] GtidUse gtid_use() const override { return gtid_use_; }

  void write(std::size_t i, std::size_t transactions) override {
    ASSERT_TRUE(server(i).write(transactions));
  }
  std::size_t written(std::size_t i) override {
    connector_.replicate();
    return server(i).replication.executed.size();
  }
  std::string script(std::size_t transactions) override {
    FakeHistory elsewhere;
    for (std::size_t i = 1; i <= transactions; ++i) elsewhere.push_back({7, i});
    return fake_binlog_script(elsewhere);
  }
  void hold_applier(std::size_t i) override { server(i).replication.applier_held = true; }
  void release_applier(std::size_t i) override { server(i).replication.applier_held = false; }
  int break_applier(std::size_t i, std::size_t source) override {
    server(i).replication.applier_fault = {1062, "Duplicate entry"};
    write(source, 1);
    return 1062;
  }
  void create_event(std::size_t i, const std::string& name, EventStatus status) override {
    server(i).put_event({"shop", name, status, 0, "app@10.%", "latin1", "latin1_swedish_ci"});
  }

 private:
  FakeMysqlState& server(std::size_t i) { return connector_.server(target(i).name()); }

  FakeClock clock_;
  FaultPlan faults_;
  FakeMysqlConnector connector_{faults_, &clock_};
  GtidUse gtid_use_;
};

ReplicationConformance::ParamType world(const std::string& name, ServerFamily family,
                                        GtidUse gtid_use) {
  return {name, [=] { return std::make_unique<FakePair>(family, gtid_use); }};
}

INSTANTIATE_TEST_SUITE_P(
    , ReplicationConformance,
    testing::Values(world("fake_mysql_gtid", ServerFamily::kMysql, GtidUse::kAuto),
                    world("fake_mysql_position", ServerFamily::kMysql, GtidUse::kNone),
                    world("fake_mariadb_gtid", ServerFamily::kMariadb, GtidUse::kAuto),
                    world("fake_mariadb_position", ServerFamily::kMariadb, GtidUse::kNone)),
    replication_world_name);

}  // namespace
}  // namespace mha
