// Whether a real master is dead, asked of itself, of this machine's /proc and of a real replica;
// and the fence that ends one that hangs.
#include "engine/death.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "component/mysql/mariadb_server.h"
#include "component/mysql/mysql_fixture.h"
#include "component/mysql/server_pair.h"
#include "engine/fence.h"
#include "fakes/fake_log.h"
#include "fakes/local_shell.h"
#include "vip/none.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Milliseconds kLong{20000};  // must not be waited out
constexpr Milliseconds kUsual{1000};  // as the failover asks

// The host is this machine.
class LocalConnector : public ShellConnector {
 public:
  explicit LocalConnector(Clock& clock) : clock_(clock) {}
  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target,
                                               Deadline /*deadline*/) override {
    return std::unique_ptr<RemoteShell>{std::make_unique<LocalShell>(target.host, clock_)};
  }

 private:
  Clock& clock_;
};

class RealDeathTest : public MysqlTest {
 protected:
  void SetUp() override {
    MysqlTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    master_ = std::make_unique<MariadbServer>(replication_options(1));
    replica_ = std::make_unique<MariadbServer>(replication_options(2));
    pair_ = std::make_unique<ServerPair>(
        std::array<std::uint16_t, 2>{master_->port(), replica_->port()});
    NewSource source = ServerPair::account();
    source.host = "127.0.0.1";
    source.port = master_->port();
    source.gtid_use = GtidUse::kAuto;
    const auto session = open(replica_->target());
    ASSERT_NE(session, nullptr);
    Replication& replication = session->replication();
    for (const Status& done :
         {replication.replicate_from(source, soon()), replication.start_replica(soon())}) {
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
    Cluster cluster;
    cluster.hosts = {host_of(*master_), host_of(*replica_)};
    found_ = discover(cluster, kLong, std::chrono::seconds{1}, environment_);
    ASSERT_TRUE(found_.views[0].living()) << found_.views[0].why;
    ASSERT_TRUE(found_.views[1].replicates()) << found_.views[1].why;
  }

  static ClusterHost host_of(const MariadbServer& server) {
    ClusterHost one;
    one.node.role = "server";
    one.node.host = "127.0.0.1";
    one.node.port = server.port();
    one.node.mysql = server.target();
    one.node.ssh.host = "127.0.0.1";
    one.node.settings.requires_sudo = false;
    return one;
  }

  DeathReport confirm(Milliseconds patience) {
    DeathReport report = timed([&] { return confirm_death(found_, 0, patience, environment_); });
    for (const std::string& line : report.evidence) std::printf("  %s\n", line.c_str());
    std::printf("  %s%s; %.0f ms\n", report.dead ? "dead" : "not dead: ", report.why_not.c_str(),
                took_ms());
    return report;
  }
  void expect_life(const DeathReport& report, const std::string& said) {
    EXPECT_FALSE(report.dead);
    EXPECT_THAT(report.why_not, HasSubstr(said));
    EXPECT_TRUE(report.server_runs);
  }
  // Our own way to the master is cut: what we would connect to refuses.
  void cut_us_off() {
    ClusterHost away = host_of(*master_);
    away.node.mysql.port = 1;
    found_.nodes[0] = std::make_unique<Node>(away.node, environment_.ports);
  }

  LocalConnector shells_{clock_};
  VipDriverFactory vip_ = [](const VipSite&, const VipSite*, RemoteShell*) {
    return make_none_driver();
  };
  FakeLog log_;
  Interrupt interrupt_;
  Environment environment_{NodePorts{connector_, shells_, vip_}, clock_, log_, interrupt_, ""};
  std::unique_ptr<MariadbServer> master_;
  std::unique_ptr<MariadbServer> replica_;
  std::unique_ptr<ServerPair> pair_;
  Discovery found_;
};

TEST_F(RealDeathTest, KilledIsDeadWithoutAnyWaiting) {
  master_->crash();
  const DeathReport report = confirm(kLong);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_TRUE(report.host_answers);
  EXPECT_FALSE(report.server_runs);
  ASSERT_FALSE(report.replicas.empty());
  EXPECT_EQ(report.replicas.front().sees, Witness::kLost) << report.replicas.front().text;
  EXPECT_LT(took_, kLong / 4);
}

TEST_F(RealDeathTest, OneThatHangsIsDeadAndTheFenceEndsIt) {
  master_->freeze();
  const DeathReport report = confirm(kUsual);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_TRUE(report.host_answers);
  EXPECT_TRUE(report.server_runs);
  ASSERT_FALSE(report.replicas.empty());
  EXPECT_EQ(report.replicas.front().sees, Witness::kSilent) << report.replicas.front().text;

  FenceRequest request;
  request.host_answers = report.host_answers;
  request.patience = kLong;
  const std::unique_ptr<Journal> journal = make_null_journal();
  const FenceVerdict verdict =
      timed([&] { return fence(*found_.nodes[0], request, *journal, environment_); });
  std::printf("  %s; %.0f ms\n", verdict.text().c_str(), took_ms());
  EXPECT_EQ(verdict.state(), FenceState::kFenced) << verdict.text();
  EXPECT_THAT(verdict.text(), AllOf(HasSubstr("stopped) was killed (read back)")));
  EXPECT_LT(took_, kLong / 2);
  EXPECT_TRUE(confirm(kLong).dead);
  TestClient neighbour;
  EXPECT_TRUE(neighbour.connect(replica_->port(), "mha", kPassword)) << "only the one of that port";
}

TEST_F(RealDeathTest, ALivingOneIsNotDeadBeItIdleOrNot) {
  expect_life(confirm(kLong), "accepts our own connection");
  EXPECT_LT(took_, kLong / 4);
  pair_->write(0, 20);
  expect_life(confirm(kLong), "accepts our own connection");
}

TEST_F(RealDeathTest, AnAccountThatIsLockedIsAnAnswer) {
  TestClient& admin = pair_->admin(0);
  ASSERT_TRUE(admin.execute("SET sql_log_bin=0"));
  ASSERT_TRUE(admin.execute("ALTER USER mha@'%' ACCOUNT LOCK"));
  expect_life(confirm(kLong), "if only to refuse it");
}

TEST_F(RealDeathTest, TooManyConnectionsIsAnAnswer) {
  ASSERT_TRUE(pair_->admin(0).execute("SET GLOBAL max_connections=10"));
  std::vector<std::unique_ptr<TestClient>> crowd;
  do {
    crowd.push_back(std::make_unique<TestClient>());
  } while (crowd.size() < 100 && crowd.back()->connect(master_->port(), "mha", kPassword));
  ASSERT_LT(crowd.size(), 100U);
  expect_life(confirm(kLong), "Too many connections");
}

// From here the port is closed: a partition of ours alone.
TEST_F(RealDeathTest, WhomAReplicaReceivesFromLives) {
  cut_us_off();
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    while (!enough) {
      pair_->write(0, 1);
      clock_.sleep_for(Milliseconds{2});
    }
  });
  const DeathReport report = confirm(kUsual);
  enough = true;
  writer.join();
  expect_life(report, "receives from it");
  EXPECT_THAT(report.why_not, HasSubstr("the way from here to it"));
}

TEST_F(RealDeathTest, HeartbeatsOfAnIdleMasterAreReceivedToo) {
  TestClient& admin = pair_->admin(1);
  for (const char* statement :
       {"STOP SLAVE", "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD=0.05", "START SLAVE"}) {
    ASSERT_TRUE(admin.execute(statement)) << statement;
  }
  ASSERT_TRUE(eventually([&] {
    return admin.value(
               "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE "
               "VARIABLE_NAME = 'Slave_received_heartbeats'") != "0";
  }));
  cut_us_off();
  expect_life(confirm(kUsual), "receives from it");
}

}  // namespace
}  // namespace mha
