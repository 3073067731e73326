// Ending the clients of a server: how long they may leave, whom it spares, when it gives up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/client_threads.h"
#include "core/steps_clients.h"
#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class ClientsTest : public testing::Test {
 protected:
  static Status run(Step& step, FakeCluster& cluster, Milliseconds at_most) {
    const Deadline deadline = cluster.clock.deadline_after(at_most);
    const Result<nlohmann::json> found = step.observe(deadline);
    return found.ok() ? step.apply(found.value(), deadline) : found.status();
  }
  Status end_clients(Milliseconds leave, Milliseconds end = Milliseconds{5000},
                     Thoroughness thoroughness = Thoroughness::kGone) {
    const std::unique_ptr<Step> step = ensure_no_clients(
        orig_, "now", {leave, end, thoroughness}, cluster_.clock, cluster_.log, cluster_.interrupt);
    return run(*step, cluster_, Milliseconds{60000});
  }
  std::vector<std::uint64_t> clients_left() {
    std::vector<std::uint64_t> ids;
    for (const ServerThread& client : client_threads(server_.threads, {})) ids.push_back(client.id);
    return ids;
  }
  [[nodiscard]] bool killed(std::uint64_t id) const {
    const std::vector<std::string> calls = cluster_.faults.calls();
    return std::any_of(calls.begin(), calls.end(), [&](const std::string& call) {
      const std::size_t kill = call.find(" kill ");
      if (kill == std::string::npos) return false;
      return ("," + call.substr(kill + 6) + ",").find(fmt::format(",{},", id)) != std::string::npos;
    });
  }
  // When the first KILL was sent, since the clock was made; nullopt where there was none.
  void note_first_kill() {
    server_.on_call = [this](FakeMysqlState& /*state*/, const std::string& call) {
      if (call.find(" kill ") != std::string::npos && !first_kill_) {
        first_kill_ = cluster_.clock.elapsed();
      }
    };
  }
  // A client that is gone from that moment on.
  void leaves_at(std::uint64_t id, Milliseconds at) {
    server_.on_call = [this, id, at](FakeMysqlState& state, const std::string& /*call*/) {
      if (cluster_.clock.elapsed() >= at) state.remove_thread(id);
    };
  }

  FakeCluster cluster_;
  FakeMysqlState& server_ = cluster_.orig_server();
  Environment environment_ = cluster_.environment();
  Node orig_{cluster_.orig(), environment_.ports};
  std::optional<Milliseconds> first_kill_;
};

TEST_F(ClientsTest, WithoutClientsNothingIsWaitedForOrKilled) {
  EXPECT_TRUE(end_clients(Milliseconds{5000}).ok());
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{0});
  EXPECT_THAT(cluster_.faults.calls(), Not(Contains(HasSubstr(" kill "))));
  EXPECT_FALSE(cluster_.log.has(LogLevel::kInfo, "Waiting"));
}

TEST_F(ClientsTest, ZeroIsNoWait) {
  server_.add_thread("app");
  note_first_kill();
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_EQ(first_kill_, Milliseconds{0});
  EXPECT_FALSE(cluster_.log.has(LogLevel::kInfo, "Waiting"));
  EXPECT_THAT(clients_left(), testing::IsEmpty());
}

TEST_F(ClientsTest, TheWaitIsExact) {
  for (const int ms : {1, 49, 50, 51, 999, 5000}) {
    FakeCluster cluster;
    cluster.orig_server().add_thread("app");
    std::optional<Milliseconds> first_kill;
    cluster.orig_server().on_call = [&](FakeMysqlState& /*state*/, const std::string& call) {
      if (call.find(" kill ") != std::string::npos && !first_kill) {
        first_kill = cluster.clock.elapsed();
      }
    };
    Environment environment = cluster.environment();
    Node orig(cluster.orig(), environment.ports);
    const std::unique_ptr<Step> step =
        ensure_no_clients(orig, "now", {Milliseconds{ms}, Milliseconds{5000}}, cluster.clock,
                          cluster.log, cluster.interrupt);
    ASSERT_TRUE(run(*step, cluster, Milliseconds{60000}).ok());
    EXPECT_EQ(first_kill, Milliseconds{ms});
  }
}

// A listing of a loaded server takes its time: that does not make the wait longer than by itself.
TEST_F(ClientsTest, SlowListingsAreNotAddedUp) {
  server_.add_thread("app");
  server_.on_call = [this](FakeMysqlState& /*state*/, const std::string& call) {
    if (call.ends_with(" threads")) cluster_.clock.advance(Milliseconds{300});
    if (call.find(" kill ") != std::string::npos && !first_kill_) {
      first_kill_ = cluster_.clock.elapsed();
    }
  };
  EXPECT_TRUE(end_clients(Milliseconds{5000}).ok());
  ASSERT_TRUE(first_kill_.has_value());
  EXPECT_GE(*first_kill_, Milliseconds{5000});
  EXPECT_LE(*first_kill_, Milliseconds{5000 + 2 * 300}) << "the listing before, and the last one";
}

TEST_F(ClientsTest, WhoLeavesByHimselfIsNotKilledAndNotWaitedForLonger) {
  const std::uint64_t id = server_.add_thread("app");
  leaves_at(id, Milliseconds{1234});
  EXPECT_TRUE(end_clients(Milliseconds{5000}).ok());
  EXPECT_THAT(cluster_.faults.calls(), Not(Contains(HasSubstr(" kill "))));
  EXPECT_GE(cluster_.clock.elapsed(), Milliseconds{1234});
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{1300});
  EXPECT_TRUE(
      cluster_.log.has(LogLevel::kInfo, "Waiting 5 seconds for application threads to disconnect"));
}

TEST_F(ClientsTest, TheLogNamesWhomItEnds) {
  const std::uint64_t id = server_.add_thread("app", "Sleep", "10.0.0.7:4711");
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_TRUE(cluster_.log.has(
      LogLevel::kInfo,
      fmt::format("Terminating thread Id => {}, User => app, Host => 10.0.0.7:4711", id)));
}

TEST_F(ClientsTest, ReplicationDaemonsAndMhaAreSpared) {
  const std::uint64_t app = server_.add_thread("app");
  const std::uint64_t dump = server_.add_thread("repl", "Binlog Dump GTID");
  const std::uint64_t applier = server_.add_thread("system user", "Query");
  const std::uint64_t daemon = server_.add_thread("event_scheduler", "Daemon");
  const std::uint64_t monitor = server_.add_thread("mha", "Sleep");
  const std::uint64_t switcher = server_.add_thread("mha", "Sleep");
  const std::uint64_t other_lock = server_.add_thread("app", "Sleep");
  server_.locks["MHA_Master_High_Availability_Monitor"] = monitor;
  server_.locks["MHA_Master_High_Availability_Failover"] = switcher;
  server_.locks["app_lock"] = other_lock;
  EXPECT_TRUE(end_clients(Milliseconds{100}).ok());
  EXPECT_TRUE(killed(app));
  EXPECT_TRUE(killed(other_lock));
  for (const std::uint64_t spared : {dump, applier, daemon, monitor, switcher}) {
    EXPECT_FALSE(killed(spared)) << spared;
  }
  EXPECT_EQ(server_.threads.size(), 5U);
}

TEST_F(ClientsTest, OurOwnSessionIsNotAClient) {
  server_.add_thread("app");
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_EQ(server_.sessions.size(), 1U);
}

TEST_F(ClientsTest, WhoComesBackIsEndedAgain) {
  for (int i = 0; i < 20; ++i) server_.reconnects[server_.add_thread("app")] = 5;
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_THAT(clients_left(), testing::IsEmpty());
}

// One that comes back for ever, and one that takes its time to die, are for a later step, once the
// address is gone.
TEST_F(ClientsTest, TellingThemOnceCanBeEnough) {
  const std::uint64_t idle = server_.add_thread("app");
  const std::uint64_t hot = server_.add_thread("app");
  server_.reconnects[hot] = 1000;
  const std::uint64_t slow = server_.add_thread("app");
  server_.undying.insert(slow);
  EXPECT_TRUE(end_clients(Milliseconds{0}, Milliseconds{5000}, Thoroughness::kTold).ok());
  EXPECT_TRUE(killed(idle));
  EXPECT_TRUE(killed(hot));
  EXPECT_TRUE(killed(slow));
  EXPECT_THAT(clients_left(), testing::SizeIs(2)) << "one that came back, one that is dying";
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{0});
}

TEST_F(ClientsTest, WhoCannotBeToldIsToldAgain) {
  server_.unkillable.insert(server_.add_thread("app"));
  const Status ended = end_clients(Milliseconds{0}, Milliseconds{300}, Thoroughness::kTold);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Code::kTimeout);
}

TEST_F(ClientsTest, WhoCannotBeEndedIsNamedWithTheServersWords) {
  const std::uint64_t id = server_.add_thread("root", "Sleep", "10.0.0.7:4711");
  server_.unkillable.insert(id);
  const Status ended = end_clients(Milliseconds{0}, Milliseconds{5000});
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Code::kTimeout);
  EXPECT_THAT(ended.error().message,
              AllOf(HasSubstr("the original master 'db1'"), HasSubstr("1 still connected"),
                    HasSubstr(fmt::format("{} root@10.0.0.7:4711", id)),
                    HasSubstr("You are not owner of thread")));
  EXPECT_GE(cluster_.clock.elapsed(), Milliseconds{5000});
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{5010});
}

TEST_F(ClientsTest, AThreadIsNamedOnceHoweverOftenItIsKilled) {
  const std::uint64_t id = server_.add_thread("root");
  server_.unkillable.insert(id);
  ASSERT_FALSE(end_clients(Milliseconds{0}, Milliseconds{1000}).ok());
  int named = 0;
  for (const FakeLog::Line& line : cluster_.log.lines()) {
    if (line.text.find("Terminating thread") != std::string::npos) ++named;
  }
  EXPECT_EQ(named, 1);
}

TEST_F(ClientsTest, OfThousandsTheRestIsCounted) {
  for (int i = 0; i < 2000; ++i) server_.add_thread("app");
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_THAT(clients_left(), testing::IsEmpty());
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo, "Terminating 1500 more threads"));
  EXPECT_LE(cluster_.log.lines().size(), 600U);
}

// MariaDB looks for each id among all threads; by user it is one pass.
TEST_F(ClientsTest, ManyOfOneUserAreEndedAtOnce) {
  server_.identity.family = ServerFamily::kMariadb;
  for (int i = 0; i < 150; ++i) server_.add_thread("app");
  for (int i = 0; i < 150; ++i) server_.add_thread("repl");
  server_.add_thread("repl", "Binlog Dump");
  for (int i = 0; i < 150; ++i) server_.add_thread("unauthenticated user", "Connect");
  for (int i = 0; i < 150; ++i) server_.add_thread(orig_.spec().mysql.user);
  const std::uint64_t few = server_.add_thread("few");
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_THAT(clients_left(), testing::IsEmpty());
  EXPECT_EQ(server_.threads.size(), 1U) << "the replica's";
  EXPECT_THAT(cluster_.faults.calls(), Contains(HasSubstr("end_sessions_of app")));
  EXPECT_THAT(cluster_.faults.calls(), testing::Contains(HasSubstr("end_sessions_of")).Times(1));
  EXPECT_TRUE(killed(few));
}

TEST_F(ClientsTest, WhomTheOrderForTheirUserHasNotEndedAreEndedOneByOne) {
  server_.identity.family = ServerFamily::kMariadb;
  for (int i = 0; i < 150; ++i) server_.add_thread("app");
  for (const ServerThread& thread : server_.threads) server_.not_by_user.insert(thread.id);
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_THAT(clients_left(), testing::IsEmpty());
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{10});
}

// MySQL 5.6 lists some of those that it has ended for hours.
TEST_F(ClientsTest, WhoIsKilledAndDoesNothingMoreIsNotWaitedFor) {
  const std::uint64_t husk = server_.add_thread("app");
  server_.undying.insert(husk);
  EXPECT_TRUE(end_clients(Milliseconds{0}).ok());
  EXPECT_THAT(clients_left(), testing::ElementsAre(husk));
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{50});
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo, fmt::format("Thread Id => {} is ended", husk)));
}

TEST_F(ClientsTest, WhoIsKilledAndRollsBackIsWaitedFor) {
  const std::uint64_t id = server_.add_thread("app");
  server_.undying.insert(id);
  server_.replication.long_writers.push_back({id, std::chrono::seconds{3}, "rolls back"});
  const Status ended = end_clients(Milliseconds{0}, Milliseconds{1000});
  ASSERT_FALSE(ended.ok());
  EXPECT_THAT(ended.error().message, HasSubstr("1 still connected"));
}

TEST_F(ClientsTest, WhoIsKilledInAStatementIsWaitedFor) {
  const std::uint64_t id = server_.add_thread("app", "Query");
  server_.undying.insert(id);
  server_.threads.back().info = "ALTER TABLE t ENGINE=MyISAM";
  EXPECT_FALSE(end_clients(Milliseconds{0}, Milliseconds{1000}).ok());
}

// Whom the server lists as killed, and we did not: KILL is said all the same, and at once.
TEST_F(ClientsTest, WhoWasKilledBeforeIsKilledAgain) {
  const std::uint64_t husk = server_.add_thread("app", "Killed");
  server_.undying.insert(husk);
  EXPECT_TRUE(end_clients(Milliseconds{5000}).ok());
  EXPECT_TRUE(killed(husk));
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{50});
}

TEST_F(ClientsTest, AnInterruptEndsTheWait) {
  const std::uint64_t id = server_.add_thread("app");
  server_.on_call = [this](FakeMysqlState& /*state*/, const std::string& /*call*/) {
    if (cluster_.clock.elapsed() >= Milliseconds{2000}) cluster_.interrupt.request();
  };
  const Status ended = end_clients(Milliseconds{60000});
  ASSERT_FALSE(ended.ok());
  EXPECT_THAT(ended.error().message, HasSubstr("interrupted"));
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{2100});
  EXPECT_FALSE(killed(id));
}

TEST_F(ClientsTest, AnInterruptEndsTheKilling) {
  server_.unkillable.insert(server_.add_thread("app"));
  server_.on_call = [this](FakeMysqlState& /*state*/, const std::string& /*call*/) {
    if (cluster_.clock.elapsed() >= Milliseconds{100}) cluster_.interrupt.request();
  };
  const Status ended = end_clients(Milliseconds{0});
  ASSERT_FALSE(ended.ok());
  EXPECT_THAT(ended.error().message, HasSubstr("interrupted"));
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{200});
}

TEST_F(ClientsTest, TheWholeDeadlineHoldsForTheWait) {
  server_.add_thread("app");
  const std::unique_ptr<Step> step =
      ensure_no_clients(orig_, "now", {Milliseconds{60000}, Milliseconds{5000}}, cluster_.clock,
                        cluster_.log, cluster_.interrupt);
  const Status ended = run(*step, cluster_, Milliseconds{2000});
  EXPECT_FALSE(ended.ok());
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{2000});
}

}  // namespace
}  // namespace mha
