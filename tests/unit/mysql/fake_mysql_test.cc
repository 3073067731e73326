// The fake keeps the port's contract, and does what its own tests-only members say.
#include "fakes/fake_mysql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "component/mysql/mysql_conformance.h"
#include "fakes/fake_clock.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

MysqlTarget target_at(std::uint16_t port) {
  MysqlTarget target;
  target.host = "db1";
  target.port = port;
  target.user = "mha";
  return target;
}

class FakeWorld : public MysqlWorld {
 public:
  explicit FakeWorld(ServerFamily family) {
    if (family == ServerFamily::kMariadb) make_mariadb(state_);
  }
  MysqlConnector& connector() override { return connector_; }
  Clock& clock() override { return clock_; }
  [[nodiscard]] MysqlTarget target() const override { return target_at(3306); }
  [[nodiscard]] MysqlTarget nowhere() const override { return target_at(1); }

  std::uint64_t add_client() override { return state_.add_thread("app"); }
  void drop_client(std::uint64_t id) override { state_.remove_thread(id); }
  std::uint64_t add_blocker() override {
    const std::uint64_t id = state_.add_thread("app", "Query");
    state_.blockers.push_back({id, fmt::format("thread {}", id)});
    return id;
  }
  void take_lock(std::uint64_t id, const std::string& lock_name) override {
    state_.locks[lock_name] = id;
  }

 private:
  FakeClock clock_;
  FaultPlan faults_;
  FakeMysqlConnector connector_{faults_, &clock_};
  FakeMysqlState& state_ = connector_.server("db1:3306");
};

INSTANTIATE_TEST_SUITE_P(
    , MysqlConformance,
    testing::Values(std::pair{"fake_mysql",
                              [] { return std::make_unique<FakeWorld>(ServerFamily::kMysql); }},
                    std::pair{"fake_mariadb",
                              [] { return std::make_unique<FakeWorld>(ServerFamily::kMariadb); }}),
    world_name);

class FakeMysqlTest : public testing::Test {
 protected:
  std::unique_ptr<MysqlServer> open() {
    auto session = connector_.connect(target_at(3306), soon());
    EXPECT_TRUE(session.ok());
    return std::move(session).value();
  }
  Deadline soon() { return clock_.deadline_after(Milliseconds{5000}); }

  FakeClock clock_;
  FaultPlan faults_;
  FakeMysqlConnector connector_{faults_, &clock_};
  FakeMysqlState& state_ = connector_.server("db1:3306");
};

TEST_F(FakeMysqlTest, RecordsCallsInOrder) {
  const auto session = open();
  ASSERT_TRUE(session->set_read_only({ReadOnly::kOn, true}, std::chrono::seconds{1}, soon()).ok());
  ASSERT_TRUE(session->kill({7, 8}, soon()).ok());
  EXPECT_THAT(faults_.calls(), ElementsAre("mysql db1:3306 connect mha",
                                           "mysql db1:3306 set_read_only ON super_read_only=ON",
                                           "mysql db1:3306 kill 7,8"));
  EXPECT_THAT(connector_.targets(), SizeIs(1));
}

TEST_F(FakeMysqlTest, FaultBeforeAndAfterTheEffect) {
  auto session = open();
  faults_.fail_call(2, FaultTime::kBefore, {Code::kRefused, "no"});
  faults_.fail_call(3, FaultTime::kAfter, {Code::kTimeout, "late"});
  const ReadOnlyState on{ReadOnly::kOn, std::nullopt};
  EXPECT_EQ(session->set_read_only(on, std::chrono::seconds{1}, soon()).error().message, "no");
  EXPECT_EQ(state_.read_only.read_only, ReadOnly::kOff);
  EXPECT_EQ(session->set_read_only(on, std::chrono::seconds{1}, soon()).error().message, "late");
  EXPECT_EQ(state_.read_only.read_only, ReadOnly::kOn);
  // The time-out ended the session: nothing reaches the server any more.
  EXPECT_EQ(session->threads(soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(faults_.count(), 3U);
  EXPECT_TRUE(open()->threads(soon()).ok());
}

TEST_F(FakeMysqlTest, KilledClientComesBackAsOftenAsItIsSaidTo) {
  std::uint64_t id = state_.add_thread("app");
  state_.reconnects[id] = 2;
  const auto session = open();
  for (int life = 0; life < 3; ++life) {
    ASSERT_THAT(state_.threads, SizeIs(1));
    const std::uint64_t now = state_.threads[0].id;
    EXPECT_EQ(now == id, life == 0);
    EXPECT_EQ(session->kill({now}, soon()).value()[0].result, KillResult::kKilled);
  }
  EXPECT_THAT(state_.threads, SizeIs(0));
}

TEST_F(FakeMysqlTest, BlockedReadOnlyTakesTheLockWait) {
  state_.blockers.push_back({std::nullopt, "a table in use"});
  const auto session = open();
  const TimePoint begin = clock_.now();
  const Status status =
      session->set_read_only({ReadOnly::kOn, std::nullopt}, std::chrono::seconds{3}, soon());
  EXPECT_EQ(status.error().code, Code::kRefused);
  EXPECT_EQ(clock_.now() - begin, std::chrono::seconds{3});
  // Less time than the lock wait: nobody knows how it ends.
  EXPECT_EQ(session->set_read_only({ReadOnly::kOn, std::nullopt}, std::chrono::seconds{9}, soon())
                .error()
                .code,
            Code::kTimeout);
}

TEST_F(FakeMysqlTest, SilentServerCostsTheDeadline) {
  const auto session = open();
  state_.health = FakeHealth::kSilent;
  const Deadline deadline = soon();
  EXPECT_EQ(session->read_only_state(deadline).error().code, Code::kTimeout);
  EXPECT_EQ(clock_.now(), deadline.at());
  EXPECT_EQ(connector_.connect(target_at(3306), soon()).error().code, Code::kTimeout);
}

TEST_F(FakeMysqlTest, ServerThatIsDownBreaksSessions) {
  const auto session = open();
  state_.health = FakeHealth::kDown;
  EXPECT_EQ(session->threads(soon()).error().code, Code::kUnreachable);
  state_.health = FakeHealth::kUp;
  EXPECT_EQ(session->threads(soon()).error().code, Code::kUnreachable);
}

TEST_F(FakeMysqlTest, ConnectErrorIsAnswered) {
  state_.connect_error = Error{Code::kDenied, "no such user"};
  const auto session = connector_.connect(target_at(3306), soon());
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, Code::kDenied);
}

TEST_F(FakeMysqlTest, DaemonsAreNotKilled) {
  const std::uint64_t daemon = state_.add_thread("event_scheduler", "Daemon", "localhost");
  const KillOutcome outcome = open()->kill({daemon}, soon()).value()[0];
  EXPECT_EQ(outcome.result, KillResult::kRefused);
  EXPECT_THAT(outcome.message, HasSubstr(std::to_string(daemon)));
  EXPECT_THAT(state_.threads, SizeIs(1));
}

TEST_F(FakeMysqlTest, WorldMovesOnBetweenCalls) {
  const std::uint64_t client = state_.add_thread("app");
  int listings = 0;
  state_.on_call = [&](FakeMysqlState& state, const std::string& call) {
    if (call.ends_with("threads") && ++listings == 2) state.remove_thread(client);
  };
  const auto session = open();
  EXPECT_THAT(session->threads(soon()).value(), SizeIs(1));
  EXPECT_THAT(session->threads(soon()).value(), SizeIs(0));
}

}  // namespace
}  // namespace mha
