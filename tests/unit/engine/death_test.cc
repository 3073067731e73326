// Who is believed about a master's death, and how long it takes. Witnesses are asked in threads of
// their own, which a clock that stands still would confuse: these tests take real time.
#include "engine/death.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "component/real_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_mysql.h"
#include "fakes/fake_vip.h"
#include "unit/core/fake_ssh.h"
#include "vip/none.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr Milliseconds kLong{10000};  // must not be waited out
constexpr Milliseconds kShort{1000};  // must be

const char* const kNothingRuns = "listed=yes\n";
const char* const kStoppedServer =
    "process=42\nname=mysqld\nstate=T\nparent=1\nuid=105\nport=3306\nlisted=yes\n";

class DeathTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* host : {"db1", "db2", "db3"}) {
      ClusterHost one;
      one.node.role = "server";
      one.node.host = host;
      one.node.mysql.host = host;
      one.node.mysql.user = "mha";
      one.node.ssh.host = host;
      cluster_.hosts.push_back(one);
      server(host);
    }
    ssh_.add_host("db1");
    host_says(kNothingRuns);
    server("db1").write(3);
    mysql_.follow("db2:3306", "db1:3306");
    mysql_.follow("db3:3306", "db1:3306");
    found_ = discover(cluster_, kLong, std::chrono::seconds{1}, environment_);
    ASSERT_TRUE(found_.views[1].replicates());
    ASSERT_TRUE(found_.views[2].replicates());
  }

  FakeMysqlState& server(const std::string& host) { return mysql_.server(host + ":3306"); }
  void host_says(const std::string& listing) {
    ssh_.add_host("db1")->set_answer([listing](const std::string&) -> Result<CommandOutput> {
      return CommandOutput{0, listing, ""};
    });
    for (const auto& node : found_.nodes) node->forget_shell();
  }
  // As a killed one: its port is closed, and its connections are.
  static void kill_server(FakeMysqlState& state) {
    const std::lock_guard lock{state.mutex};
    state.health = FakeHealth::kDown;
  }
  void kill_server(const std::string& host) { kill_server(server(host)); }
  void refuse_us() {
    server("db1").connect_error = Error{Code::kUnreachable, "connection refused"};
  }

  DeathReport confirm(Milliseconds patience) {
    const TimePoint begin = clock_.now();
    DeathReport report = confirm_death(found_, 0, patience, environment_);
    took_ = std::chrono::duration_cast<Milliseconds>(clock_.now() - begin);
    return report;
  }
  static Witness of(const DeathReport& report, std::size_t host) {
    for (const ReplicaWitness& witness : report.replicas) {
      if (witness.host == host) return witness.sees;
    }
    ADD_FAILURE() << "host " << host << " is not told of";
    return Witness::kNotAsked;
  }

  RealClock clock_;
  FakeLog log_;
  FaultPlan faults_;
  Interrupt interrupt_;
  FakeMysqlConnector mysql_{faults_, &clock_};
  FakeSsh ssh_{faults_, clock_};
  VipDriverFactory vip_ = [](const VipSite&, const VipSite*, RemoteShell*) {
    return make_none_driver();
  };
  Environment environment_{NodePorts{mysql_, ssh_, vip_}, clock_, log_, interrupt_, ""};
  Cluster cluster_;
  Discovery found_;
  Milliseconds took_{0};
};

TEST_F(DeathTest, AKilledServerIsDeadAtOnce) {
  kill_server("db1");
  const DeathReport report = confirm(kLong);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_TRUE(report.host_answers);
  EXPECT_EQ(report.host_call, nullptr);
  EXPECT_FALSE(report.server_runs);
  EXPECT_EQ(of(report, 1), Witness::kLost);
  EXPECT_EQ(of(report, 2), Witness::kLost);
  EXPECT_EQ(report.why_not, "");
  EXPECT_LT(took_, kLong / 2) << "all have spoken: nobody is waited for";
  ASSERT_THAT(report.evidence, SizeIs(4));
  EXPECT_THAT(report.evidence[0], AllOf(HasSubstr("our own connection"), HasSubstr("refused")));
  EXPECT_THAT(report.evidence[1], HasSubstr("no server of port 3306 runs there"));
  EXPECT_THAT(report.evidence[2], AllOf(HasSubstr("db2: "), HasSubstr("2003")));
}

TEST_F(DeathTest, AReceiverThatHasNotNoticedYetIsAskedAgain) {
  refuse_us();
  server("db1").health = FakeHealth::kSilent;  // its connections are still there
  int calls = 0;
  FakeMysqlState& master = server("db1");
  server("db2").on_call = [&](FakeMysqlState&, const std::string& call) {
    if (call.find("receiver_seen") != std::string::npos && ++calls == 3) kill_server(master);
  };
  const DeathReport report = confirm(kLong);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_EQ(of(report, 1), Witness::kLost);
  EXPECT_GE(calls, 3);
  EXPECT_LT(took_, kLong / 2);
}

TEST_F(DeathTest, AHostThatIsGoneTakesAllOfThePatienceAndNoMore) {
  server("db1").health = FakeHealth::kSilent;
  ssh_.set_health("db1", FakeHealth::kSilent);
  const DeathReport report = confirm(kShort);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_FALSE(report.host_answers);
  EXPECT_EQ(of(report, 1), Witness::kSilent);
  EXPECT_GE(took_, kShort * 8 / 10);
  EXPECT_LT(took_, kShort * 3);
  ASSERT_NE(report.host_call, nullptr);
  EXPECT_GE(report.host_call->called(), kShort * 2 / 10) << "since half of the time";
  ssh_.set_health("db1", FakeHealth::kUp);
  EXPECT_EQ(report.host_call->wait_and_take(), nullptr) << "it began while the host was silent";
  EXPECT_TRUE(found_.nodes[1]
                  ->mysql(clock_.deadline_after(kLong))
                  .value()
                  ->replication()
                  .receiver_seen(clock_.deadline_after(kLong))
                  .ok())
      << "the failover goes on with the replicas' sessions";
}

TEST_F(DeathTest, AServerThatHangsIsDeadAndRuns) {
  server("db1").health = FakeHealth::kSilent;
  host_says(kStoppedServer);
  const DeathReport report = confirm(kShort);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_TRUE(report.host_answers);
  EXPECT_TRUE(report.server_runs);
  EXPECT_THAT(report.evidence, Contains(HasSubstr("mysqld (pid 42, stopped) runs there")));
}

TEST_F(DeathTest, WhateverItAnswersItLives) {
  struct Case {
    std::optional<Error> answer;
    const char* said;
  };
  for (const Case& one :
       {Case{std::nullopt, "accepts"}, Case{Error{Code::kDenied, "Access denied"}, "Access denied"},
        Case{Error{Code::kRefused, "Too many connections"}, "Too many connections"}}) {
    server("db1").connect_error = one.answer;
    const DeathReport report = confirm(kLong);
    EXPECT_FALSE(report.dead);
    EXPECT_THAT(report.why_not, AllOf(HasSubstr("'db1' lives"), HasSubstr(one.said)));
    EXPECT_LT(took_, kLong / 2);
  }
}

// Slow to greet, under load: the first attempt has had nothing yet, the second has.
TEST_F(DeathTest, AServerThatAnswersALaterAttemptLives) {
  faults_.fail_matching("mysql db1:3306 connect", FaultTime::kBefore,
                        {Code::kUnreachable, "lost connection"}, 1);
  const DeathReport report = confirm(kLong);
  EXPECT_FALSE(report.dead);
}

TEST_F(DeathTest, AMasterThatAReplicaReceivesFromLives) {
  refuse_us();
  ssh_.set_health("db1", FakeHealth::kDown);
  FakeMysqlState& master = server("db1");
  for (const bool by_heartbeat : {true, false}) {
    server("db3").on_call = [&](FakeMysqlState& state, const std::string& call) {
      if (call.find("receiver_seen") == std::string::npos) return;
      if (by_heartbeat) {
        ++state.replication.heartbeats;
      } else {
        master.write(1);
      }
    };
    const DeathReport report = confirm(kShort);
    EXPECT_FALSE(report.dead);
    EXPECT_EQ(of(report, 2), Witness::kReceiving);
    EXPECT_THAT(report.why_not, AllOf(HasSubstr(": receives from it"),
                                      HasSubstr("the way from here to it"), Not(HasSubstr("\n"))));
  }
}

// What lay in the network when it died is received afterwards.
TEST_F(DeathTest, WhatArrivesOnlyAtFirstIsNoSignOfLife) {
  refuse_us();
  int calls = 0;
  server("db2").on_call = [&](FakeMysqlState& state, const std::string& call) {
    const bool asked = call.find("receiver_seen") != std::string::npos;
    if (asked && ++calls < 3) ++state.replication.heartbeats;
  };
  const DeathReport report = confirm(kShort);
  EXPECT_TRUE(report.dead) << report.why_not;
  EXPECT_EQ(of(report, 1), Witness::kSilent);
}

// Nobody writes, and we alone are cut off from it.
TEST_F(DeathTest, AReplicasHostThatIsGreetedByItKnowsBetter) {
  refuse_us();
  std::string asked;
  ssh_.add_host("db3")->set_answer([&asked](const std::string& command) {
    asked = command;
    return CommandOutput{0, "greeted\n", ""};
  });
  const DeathReport report = confirm(kShort);
  EXPECT_FALSE(report.dead);
  EXPECT_EQ(of(report, 1), Witness::kSilent);
  EXPECT_EQ(of(report, 2), Witness::kReaches);
  EXPECT_THAT(asked, HasSubstr("/dev/tcp/db1/3306"));
  EXPECT_THAT(report.why_not, AllOf(HasSubstr("db3: its host gets a greeting"),
                                    HasSubstr("the way from here to it")));
}

TEST_F(DeathTest, AReplicaThatHasLostALivingMasterIsAnotherTrouble) {
  server("db2").on_call = [&](FakeMysqlState& state, const std::string&) {
    state.replication.connected = false;
  };
  const DeathReport report = confirm(kLong);
  EXPECT_FALSE(report.dead);
  EXPECT_EQ(of(report, 1), Witness::kLost);
  EXPECT_THAT(report.why_not, AllOf(HasSubstr("lives"), HasSubstr("another trouble (db2: ")));
}

TEST_F(DeathTest, WhoWasStoppedBeforeIsNoWitness) {
  kill_server("db1");
  server("db2").replica->receiver = false;
  kill_server("db3");
  const DeathReport report = confirm(kLong);
  EXPECT_TRUE(report.dead);
  EXPECT_EQ(of(report, 1), Witness::kNotAsked);
  EXPECT_EQ(of(report, 2), Witness::kNotAsked);
  EXPECT_THAT(report.evidence, Contains(HasSubstr("db2: its I/O thread had been stopped before")));
}

TEST_F(DeathTest, OurOwnFaultIsNoDeath) {
  kill_server("db1");
  server("db1").connect_error = Error{Code::kConfig, "no name of a server"};
  const DeathReport report = confirm(kShort);
  EXPECT_FALSE(report.dead);
  EXPECT_THAT(report.why_not, HasSubstr("not known"));
}

TEST_F(DeathTest, SessionsThatWereLostSinceAreOpenedAgain) {
  kill_server("db1");
  faults_.fail_matching("db2:3306 receiver_seen", FaultTime::kBefore,
                        {Code::kUnreachable, "server has gone away"}, 1);
  const DeathReport report = confirm(kLong);
  EXPECT_TRUE(report.dead);
  EXPECT_EQ(of(report, 1), Witness::kLost);
}

TEST_F(DeathTest, NothingIsChanged) {
  kill_server("db1");
  const std::size_t before = faults_.count();
  confirm(kLong);
  const std::vector<std::string> calls = faults_.calls();
  for (std::size_t i = before; i < calls.size(); ++i) {
    EXPECT_THAT(calls[i], testing::AnyOf(HasSubstr("connect"), HasSubstr("receiver_seen")));
  }
}

}  // namespace
}  // namespace mha
