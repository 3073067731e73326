// Connecting: who is let in, what errors say, and that no peer costs more than the deadline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iterator>

#include "component/name_service.h"
#include "mysql/connection.h"
#include "mysql_fixture.h"
#include "silent_listener.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The slack that two busy cores may need.
constexpr double kSlackMs = 250;

long entries(const char* folder) {
  const std::filesystem::directory_iterator begin{folder};
  return std::distance(begin, std::filesystem::directory_iterator{});
}

class ConnectTest : public PlainServerTest {
 protected:
  Error connect_error(const MysqlTarget& target, Milliseconds limit) {
    Result<std::unique_ptr<MysqlServer>> session =
        timed([&] { return connector_.connect(target, within(limit)); });
    if (!session.ok()) return session.error();
    ADD_FAILURE() << "connected to " << target.name();
    return {Code::kInternal, "connected"};
  }

  static MysqlTarget at_port(std::uint16_t port) {
    MysqlTarget target;
    target.host = "127.0.0.1";
    target.port = port;
    target.user = "mha";
    target.password = Secret{kPassword};
    return target;
  }

  void expect_deadline_kept(Milliseconds limit) {
    EXPECT_GE(took_ms(), static_cast<double>(limit.count()));
    EXPECT_LT(took_ms(), static_cast<double>(limit.count()) + kSlackMs);
  }
};

TEST_F(ConnectTest, TellsWhoTheServerIs) {
  const std::unique_ptr<MysqlServer> session = timed([&] { return open(server_->target()); });
  ASSERT_NE(session, nullptr);
  RecordProperty("connect_ms", std::to_string(took_ms()));
  EXPECT_EQ(session->identity().family, ServerFamily::kMariadb);
  EXPECT_GE(session->identity().version_number, 100500U);
  EXPECT_THAT(session->identity().version, HasSubstr("MariaDB"));
  EXPECT_GT(session->identity().connection_id, 0U);
  EXPECT_EQ(session->identity().server_id, 1U);
  EXPECT_EQ(session->name(), "127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(ConnectTest, WrongPasswordIsDeniedAndNotTold) {
  MysqlTarget target = server_->target();
  target.password = Secret{"wr0ng-Secret"};
  const Error error = connect_error(target, Milliseconds{5000});
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, AllOf(HasSubstr(target.name()), HasSubstr("'mha'"), HasSubstr("1045"),
                                   Not(HasSubstr("wr0ng-Secret"))));
}

TEST_F(ConnectTest, SharedPasswordIsNotTold) {
  MysqlTarget target = server_->target();
  target.user = "nobody";
  EXPECT_THAT(connect_error(target, Milliseconds{5000}).message, Not(HasSubstr("p@ss")));
}

TEST_F(ConnectTest, ClosedPortIsUnreachableAtOnce) {
  std::uint16_t port = 0;
  {
    const SilentListener listener;
    port = listener.port();
  }
  const Error error = connect_error(at_port(port), Milliseconds{5000});
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr(at_port(port).name()), HasSubstr("Connection refused")));
  EXPECT_LT(took_ms(), kSlackMs);
}

TEST_F(ConnectTest, UnknownNameIsUnreachable) {
  MysqlTarget target = server_->target();
  target.host = "no-such-host.invalid";
  const Error error = connect_error(target, Milliseconds{5000});
  EXPECT_THAT(error.code, testing::AnyOf(Code::kUnreachable, Code::kTimeout));
  EXPECT_THAT(error.message, HasSubstr("no-such-host.invalid"));
}

// Exit status of the child: 0 good, 77 no namespaces to be had, 1 wrong.
[[noreturn]] void connect_without_name_service(MysqlConnector& connector, const Clock& clock) {
  if (!become_machine_with_silent_resolver()) _exit(77);
  MysqlTarget target;
  target.host = "db1.example.org";
  const TimePoint begin = clock.now();
  const auto session = connector.connect(target, clock.deadline_after(Milliseconds{600}));
  const auto took = clock.now() - begin;
  const bool good = !session.ok() && session.error().code == Code::kTimeout &&
                    took >= Milliseconds{600} && took < Milliseconds{850};
  _exit(good ? 0 : 1);  // not exit(): the parent's servers are not ours to end
}

TEST_F(ConnectTest, NameLookupThatHangsCostsTheDeadline) {
  const pid_t child = fork();
  if (child == 0) connect_without_name_service(connector_, clock_);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77 && geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

[[noreturn]] void connect_when_names_are_gone(MysqlConnector& connector, MysqlTarget target,
                                              const Clock& clock) {
  target.host = "db1.example.org";
  if (!become_machine_that_knows("db1.example.org", "127.0.0.1")) _exit(77);
  const auto in_time = [&clock] { return clock.deadline_after(Milliseconds{5000}); };
  if (!connector.connect(target, in_time()).ok()) _exit(2);
  forget_the_name();
  MysqlTarget other = target;
  other.host = "db2.example.org";
  if (connector.connect(other, in_time()).ok()) _exit(3);
  const auto again = connector.connect(target, in_time());
  _exit(again.ok() && again.value()->name() == target.name() ? 0 : 1);
}

TEST_F(ConnectTest, ANameThatWasReachedIsReachedWithoutNameServers) {
  const pid_t child = fork();
  if (child == 0) connect_when_names_are_gone(connector_, server_->target(), clock_);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77 && geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(ConnectTest, ListOfHostsIsRefused) {
  MysqlTarget target = server_->target();
  target.host = "127.0.0.1,127.0.0.2";
  EXPECT_EQ(connect_error(target, Milliseconds{5000}).code, Code::kConfig);
}

TEST_F(ConnectTest, SilentPeerCostsTheDeadline) {
  const SilentListener listener;
  const Error error = connect_error(at_port(listener.port()), Milliseconds{700});
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr(at_port(listener.port()).name()));
  expect_deadline_kept(Milliseconds{700});
}

TEST_F(ConnectTest, PeerThatDribblesCostsTheDeadline) {
  const SilentListener listener{greeting_with_tls(), 50'000};
  EXPECT_EQ(connect_error(at_port(listener.port()), Milliseconds{1500}).code, Code::kTimeout);
  expect_deadline_kept(Milliseconds{1500});
}

TEST_F(ConnectTest, SilenceInTheTlsHandshakeCostsTheDeadline) {
  const SilentListener listener{greeting_with_tls()};
  MysqlTarget target = at_port(listener.port());
  for (const MysqlTlsMode mode : {MysqlTlsMode::kPreferred, MysqlTlsMode::kRequired}) {
    target.tls_mode = mode;
    EXPECT_EQ(connect_error(target, Milliseconds{600}).code, Code::kTimeout);
    expect_deadline_kept(Milliseconds{600});
  }
}

TEST_F(ConnectTest, AddressThatNobodyAnswersForCostsTheDeadline) {
  const FullListener listener;
  EXPECT_EQ(connect_error(at_port(listener.port()), Milliseconds{600}).code, Code::kTimeout);
  expect_deadline_kept(Milliseconds{600});
}

TEST_F(ConnectTest, GarbageIsAnError) {
  const SilentListener listener{"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"};
  const Error error = connect_error(at_port(listener.port()), Milliseconds{500});
  EXPECT_THAT(error.code, testing::AnyOf(Code::kUnreachable, Code::kTimeout));
  EXPECT_LT(took_ms(), 500 + kSlackMs);
}

// The library's own time-outs come a second and more after the deadline.
TEST_F(ConnectTest, NothingIsLeftBehindAfterADeadline) {
  const long threads = entries("/proc/self/task");
  const long files = entries("/proc/self/fd");
  for (const std::string& greeting : {std::string{}, greeting_with_tls()}) {
    const SilentListener silent{greeting};
    connect_error(at_port(silent.port()), Milliseconds{200});
    const TimePoint begin = clock_.now();
    EXPECT_TRUE(eventually([&] { return entries("/proc/self/task") == threads + 1; }));
    EXPECT_LT(clock_.now() - begin, Milliseconds{500});
  }
  EXPECT_EQ(entries("/proc/self/fd"), files);
}

TEST_F(ConnectTest, PassedDeadlineIsATimeout) {
  EXPECT_EQ(connect_error(server_->target(), Milliseconds{-1}).code, Code::kTimeout);
  EXPECT_LT(took_ms(), kSlackMs);
}

TEST_F(ConnectTest, Ipv6) {
  MysqlTarget target = server_->target();
  target.host = "::1";
  const std::unique_ptr<MysqlServer> session = open(target);
  ASSERT_NE(session, nullptr);
  EXPECT_THAT(session->name(), StartsWith("[::1]:"));
}

TEST_F(ConnectTest, LocalhostIsTcp) {
  MysqlTarget target = server_->target();
  target.host = "localhost";
  EXPECT_NE(open(target), nullptr);
}

TEST_F(ConnectTest, FromTwoThreadsAtOnce) {
  std::array<std::vector<std::string>, 2> errors;
  std::vector<std::thread> threads;
  for (std::vector<std::string>& own_errors : errors) {
    threads.emplace_back([&] {
      for (int i = 0; i < 8; ++i) {
        const auto session = connector_.connect(server_->target(), soon());
        if (!session.ok()) own_errors.push_back(session.error().message);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(errors, testing::Each(testing::IsEmpty()));
}

TEST_F(ConnectTest, SessionNamesItselfAndOutlivesShortTimeouts) {
  TestClient admin;
  ASSERT_TRUE(admin.connect(server_->port(), "mha", kPassword));
  ASSERT_TRUE(admin.execute("SET GLOBAL wait_timeout=1"));
  const std::unique_ptr<MysqlServer> session = open(server_->target());
  ASSERT_TRUE(admin.execute("SET GLOBAL wait_timeout=28800"));
  ASSERT_NE(session, nullptr);
  // The server ends sessions with the global value after one second.
  TestClient victim;
  ASSERT_TRUE(victim.connect(server_->port()));
  ASSERT_TRUE(victim.execute("SET SESSION wait_timeout=1"));
  EXPECT_TRUE(eventually([&] {
    return admin.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID=" +
                       std::to_string(victim.id())) == "0";
  }));
  EXPECT_TRUE(session->read_only_state(soon()).ok());
}

class SessionTest : public ConnectTest {};

TEST_F(SessionTest, FrozenServerCostsTheDeadlineAndEndsTheSession) {
  const std::unique_ptr<MysqlServer> session = open(server_->target());
  ASSERT_NE(session, nullptr);
  server_->freeze();
  Result<ReadOnlyState> state =
      timed([&] { return session->read_only_state(within(Milliseconds{500})); });
  server_->thaw();
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Code::kTimeout);
  expect_deadline_kept(Milliseconds{500});

  state = timed([&] { return session->read_only_state(soon()); });
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Code::kUnreachable);
  EXPECT_LT(took_ms(), kSlackMs);
}

// A failover has an hour for what takes its time; a server that hangs must not cost that.
TEST_F(SessionTest, FrozenServerCostsWhatAnAnswerMayTakeWhereThereIsMoreTime) {
  MysqlTarget target = server_->target();
  target.answers_within = Milliseconds{500};
  Result<std::unique_ptr<Connection>> connection = Connection::open(target, clock_, soon());
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  // What may take its time has the deadline alone.
  EXPECT_TRUE(connection.value()->run_long("SELECT SLEEP(0.7)", "sleeping", soon()).ok());
  server_->freeze();
  const auto rows = timed(
      [&] { return connection.value()->rows("SELECT 1", "asking", within(Milliseconds{60'000})); });
  server_->thaw();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Code::kTimeout);
  expect_deadline_kept(Milliseconds{500});
}

TEST_F(SessionTest, ClosingDoesNotBlockOnAFrozenServer) {
  std::unique_ptr<MysqlServer> idle = open(server_->target());
  std::unique_ptr<MysqlServer> timed_out = open(server_->target());
  ASSERT_NE(timed_out, nullptr);
  server_->freeze();
  EXPECT_FALSE(timed_out->threads(within(Milliseconds{100})).ok());
  timed([&] {
    idle.reset();
    timed_out.reset();
    return 0;
  });
  server_->thaw();
  EXPECT_LT(took_ms(), kSlackMs);
}

TEST_F(SessionTest, ServerThatStopsInMidResultCostsTheDeadline) {
  Result<std::unique_ptr<Connection>> connection =
      Connection::open(server_->target(), clock_, soon());
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  TestClient watcher;
  ASSERT_TRUE(watcher.connect(server_->port(), "mha", kPassword));
  const auto sent = [&] {
    return std::stoll(watcher
                          .value("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
                                 "WHERE VARIABLE_NAME='BYTES_SENT'")
                          .value_or("0"));
  };
  const long long before = sent();
  std::thread freezer{[&] {
    EXPECT_TRUE(eventually([&] { return sent() > before + 3'000'000; }));
    server_->freeze();
  }};
  Result<std::vector<SqlRow>> rows = timed([&] {
    return connection.value()->rows(
        "SELECT REPEAT('x', 1000), SLEEP(seq > 5000) FROM "
        "shop.seq_1_to_10000000",
        "reading much", within(Milliseconds{3000}));
  });
  freezer.join();
  server_->thaw();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Code::kTimeout) << rows.error().message;
  expect_deadline_kept(Milliseconds{3000});
}

TEST_F(SessionTest, KilledServerIsUnreachable) {
  MariadbServer victim;
  const std::unique_ptr<MysqlServer> session = open(victim.target());
  ASSERT_NE(session, nullptr);
  victim.crash();
  const Result<ReadOnlyState> state = session->read_only_state(soon());
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Code::kUnreachable);
  EXPECT_THAT(state.error().message, HasSubstr(victim.target().name()));
}

}  // namespace
}  // namespace mha
