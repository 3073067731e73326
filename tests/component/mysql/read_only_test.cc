// Taking writes away from a server that is in use, and who is named when it cannot be done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "altering_wire.h"
#include "mysql_fixture.h"
#include "ports/replication.h"

namespace mha {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr ReadOnlyState kWritable{ReadOnly::kOff, std::nullopt};
constexpr ReadOnlyState kBlocked{ReadOnly::kOn, std::nullopt};

// The server's options say what it can tell about locks.
struct LockKnowledge {
  std::string name;
  std::vector<std::string> options;
};

class ReadOnlyTest : public MysqlTest, public testing::WithParamInterface<LockKnowledge> {
 protected:
  void SetUp() override {
    MysqlTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::unique_ptr<MariadbServer>& server = servers_[GetParam().name];
    if (server == nullptr) server = std::make_unique<MariadbServer>(GetParam().options);
    server_ = server.get();
    session_ = open(server_->target());
    ASSERT_NE(session_, nullptr);
    expect_state(kWritable);
    ASSERT_TRUE(client_.connect(server_->port()));
    ASSERT_TRUE(other_client_.connect(server_->port()));
  }

  void TearDown() override {
    if (session_ == nullptr) return;
    EXPECT_TRUE(session_->kill({client_.id(), other_client_.id()}, soon()).ok());
    EXPECT_TRUE(session_->set_read_only(kWritable, seconds{5}, soon()).ok());
  }
  static void TearDownTestSuite() { servers_.clear(); }

  void expect_state(const ReadOnlyState& state) {
    const Result<ReadOnlyState> found = session_->read_only_state(soon());
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found.value(), state);
  }

  // Blocking writes fails after one second, and leaves all as it was.
  void expect_refused() {
    const Status status =
        timed([&] { return session_->set_read_only(kBlocked, seconds{1}, soon()); });
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kRefused);
    EXPECT_THAT(status.error().message, AllOf(HasSubstr(server_->target().name()),
                                              HasSubstr("1205"), HasSubstr("read_only is OFF")));
    EXPECT_GE(took_ms(), 900);
    EXPECT_LT(took_ms(), 1500);
    expect_state(kWritable);
  }

  std::vector<WriteBlocker> blockers() {
    Result<std::vector<WriteBlocker>> found = session_->write_blockers(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? std::move(found).value() : std::vector<WriteBlocker>{};
  }

  [[nodiscard]] bool knows_lock_holders() const { return GetParam().name != "plain"; }

  static inline std::map<std::string, std::unique_ptr<MariadbServer>> servers_;
  MariadbServer* server_ = nullptr;
  std::unique_ptr<MysqlServer> session_;
  TestClient client_;
  TestClient other_client_;
};

TEST_P(ReadOnlyTest, IsSetReadBackAndTakenBack) {
  expect_state(kWritable);
  // MariaDB has no super_read_only: asked for, it is ignored.
  const Status set = timed([&] {
    return session_->set_read_only({ReadOnly::kOn, true}, seconds{1}, soon());
  });
  ASSERT_TRUE(set.ok()) << set.error().message;
  std::cout << "set_read_only: " << took_ms() << " ms\n";
  expect_state(kBlocked);
  EXPECT_FALSE(client_.execute("REPLACE INTO shop.orders VALUES (10, 1)"));
  EXPECT_EQ(client_.error(), 1290U);
  EXPECT_TRUE(session_->set_read_only(kBlocked, seconds{1}, soon()).ok());
  ASSERT_TRUE(session_->set_read_only(kWritable, seconds{1}, soon()).ok());
  expect_state(kWritable);
  EXPECT_TRUE(client_.execute("REPLACE INTO shop.orders VALUES (10, 1)"));
}

TEST_P(ReadOnlyTest, IdleTransactionAndLongSelectDoNotBlock) {
  ASSERT_TRUE(client_.execute("BEGIN"));
  ASSERT_TRUE(client_.execute("UPDATE shop.orders SET amount = 7 WHERE id = 1"));
  other_client_.send("SELECT SLEEP(5) FROM shop.orders");
  ASSERT_TRUE(eventually([&] {
    const auto threads = session_->threads(soon());
    return std::any_of(threads.value().begin(), threads.value().end(), [&](const auto& thread) {
      return thread.id == other_client_.id() && thread.command == "Query";
    });
  }));
  // (The table is in use, and that is all a server without lock tables knows.)
  if (knows_lock_holders()) {
    EXPECT_THAT(blockers(), IsEmpty());
  }
  const Status set = session_->set_read_only(kBlocked, seconds{1}, soon());
  EXPECT_TRUE(set.ok()) << set.error().message;
  EXPECT_FALSE(client_.execute("COMMIT"));
}

TEST_P(ReadOnlyTest, LockedTableBlocksAndOthersGoOn) {
  ASSERT_TRUE(client_.execute("LOCK TABLES shop.orders WRITE"));
  ASSERT_TRUE(other_client_.execute("CREATE TABLE shop.free (id INT)"));
  // A write that comes while the SET waits hangs behind it, and no longer than it.
  std::thread writer{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    EXPECT_TRUE(other_client_.execute("INSERT INTO shop.free VALUES (1)"));
  }};
  expect_refused();
  writer.join();
  EXPECT_TRUE(other_client_.execute("INSERT INTO shop.free VALUES (2)"));

  const std::vector<WriteBlocker> found = blockers();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].text, HasSubstr("`shop`.`orders`"));
  if (knows_lock_holders()) {
    EXPECT_EQ(found[0].thread_id, client_.id());
    EXPECT_THAT(found[0].text, HasSubstr("(app@127.0.0.1:"));
  } else {
    EXPECT_EQ(found[0].thread_id, std::nullopt);
  }

  ASSERT_TRUE(client_.execute("UNLOCK TABLES"));
  // A server that does not name who holds a lock may show a table as in use a moment longer.
  EXPECT_TRUE(eventually([&] { return blockers().empty(); }));
  EXPECT_TRUE(session_->set_read_only(kBlocked, seconds{1}, soon()).ok());
}

// While the SET waits, and when it has just given up.
TEST_P(ReadOnlyTest, WhoHangsBehindTheSetIsNotNamed) {
  ASSERT_TRUE(client_.execute("LOCK TABLES shop.orders WRITE"));
  ASSERT_TRUE(other_client_.execute("CREATE TABLE shop.behind (id INT)"));
  const auto asking = open(server_->target());
  ASSERT_NE(asking, nullptr);
  // (Where the server does not say who holds a lock, the victim's table counts as in use for a
  // moment after it went on.)
  const auto expect_only_the_table = [](const Result<std::vector<WriteBlocker>>& found) {
    ASSERT_TRUE(found.ok()) << found.error().message;
    std::string all;
    for (const WriteBlocker& blocker : found.value()) all += blocker.text + "\n";
    EXPECT_THAT(all, AllOf(HasSubstr("`shop`.`orders`"), Not(HasSubstr("INSERT"))));
  };
  auto set = std::async(std::launch::async, [&] {
    return session_->set_read_only(kBlocked, seconds{3}, within(Milliseconds{9000}));
  });
  std::this_thread::sleep_for(Milliseconds{200});
  other_client_.send("INSERT INTO shop.behind VALUES (1)");
  std::this_thread::sleep_for(Milliseconds{1600});
  EXPECT_EQ(set.wait_for(seconds{0}), std::future_status::timeout) << "it has not waited";
  expect_only_the_table(asking->write_blockers(soon()));
  EXPECT_EQ(set.get().error().code, Code::kRefused);
  expect_only_the_table(session_->write_blockers(soon()));
  EXPECT_TRUE(other_client_.finish());
}

TEST_P(ReadOnlyTest, RunningUpdateBlocksUntilItIsKilled) {
  client_.send("/* app */ UPDATE shop.orders SET amount = amount + SLEEP(8)");
  ASSERT_TRUE(eventually([&] { return !blockers().empty(); }));
  expect_refused();
  const std::vector<WriteBlocker> found = blockers();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].thread_id, client_.id());
  EXPECT_THAT(found[0].text, AllOf(HasSubstr("(app@127.0.0.1:"), HasSubstr("UPDATE shop.orders")));

  const auto killed = session_->kill({client_.id()}, soon());
  ASSERT_TRUE(killed.ok());
  EXPECT_EQ(killed.value()[0].result, KillResult::kKilled);
  EXPECT_TRUE(session_->set_read_only(kBlocked, seconds{2}, soon()).ok());
  EXPECT_FALSE(client_.finish());
}

TEST_P(ReadOnlyTest, ServerGivesUpBeforeTheDeadline) {
  ASSERT_TRUE(client_.execute("LOCK TABLES shop.orders WRITE"));
  const Status status = timed(
      [&] { return session_->set_read_only(kBlocked, seconds{60}, within(Milliseconds{2600})); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kRefused) << status.error().message;
  EXPECT_LT(took_ms(), 2600);
  expect_state(kWritable);
}

// What a switch leaves whose connection was cut, or that was killed, while it took writes away.
TEST_P(ReadOnlyTest, WritesGivenBackAreNotTakenAwayByASessionLeftBehind) {
  ASSERT_TRUE(client_.execute("LOCK TABLES shop.orders WRITE"));
  for (const std::string ours : {"SET GLOBAL read_only='ON'", "set global read_only=1"}) {
    TestClient left_behind;
    ASSERT_TRUE(left_behind.connect(server_->port(), server_->target().user,
                                    server_->target().password.reveal()));
    left_behind.send(ours);
    ASSERT_TRUE(eventually([&] {
      const auto threads = session_->threads(soon());
      return std::any_of(threads.value().begin(), threads.value().end(), [&](const auto& thread) {
        return thread.id == left_behind.id() && thread.info == ours;
      });
    }));
    const Status back = session_->set_read_only(kWritable, seconds{5}, soon());
    EXPECT_TRUE(back.ok()) << back.error().message;
    EXPECT_FALSE(left_behind.finish());
  }
  ASSERT_TRUE(client_.execute("UNLOCK TABLES"));
  expect_state(kWritable);
}

// As where such a session comes to its end between our statement and what is read after it.
TEST_P(ReadOnlyTest, WritesTakenAwayAtTheSameMomentAreGivenBackOnceMore) {
  for (const int times : {1, 2}) {
    ASSERT_TRUE(session_->set_read_only(kBlocked, seconds{5}, soon()).ok());
    const AlteringWire wire{server_->port(), "read_only='OFF'", "read_only='ON' ", times};
    MysqlTarget target = server_->target();
    target.port = wire.port();
    const std::unique_ptr<MysqlServer> over_wire = open(target);
    ASSERT_NE(over_wire, nullptr);
    const Status back = over_wire->set_read_only(kWritable, seconds{5}, soon());
    EXPECT_EQ(wire.altered(), times);
    EXPECT_EQ(back.ok(), times == 1);
    if (back.ok()) {
      expect_state(kWritable);
    } else {
      EXPECT_EQ(back.error().code, Code::kRefused);
      EXPECT_THAT(back.error().message, HasSubstr("and yet read_only is ON"));
    }
  }
}

// Idle for a second as the threads are listed, at work as the locks are: with many such clients
// there is always one.
TEST_P(ReadOnlyTest, WhoWritesNowAndThenIsNoLongWriter) {
  std::atomic<bool> over{false};
  std::vector<std::thread> clients;
  for (int number = 9000; number < 9040; ++number) {
    clients.emplace_back([&over, number, port = server_->port()] {
      TestClient client;
      bool well = client.connect(port);
      while (well && !over) {
        std::this_thread::sleep_for(Milliseconds{1020 + number % 40});
        well = client.execute("INSERT IGNORE INTO shop.orders SELECT " + std::to_string(number) +
                              ", SLEEP(0.03)");
      }
      EXPECT_TRUE(well);
    });
  }
  std::this_thread::sleep_for(seconds{1});
  for (int look = 0; look < 200; ++look) {
    const auto found = session_->replication().long_writers(seconds{1}, soon());
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_THAT(found.value(), IsEmpty()) << found.value().front().text;
    std::this_thread::sleep_for(Milliseconds{7});
  }
  over = true;
  for (std::thread& client : clients) client.join();
  ASSERT_TRUE(client_.execute("DELETE FROM shop.orders WHERE id >= 9000"));
}

INSTANTIATE_TEST_SUITE_P(
    , ReadOnlyTest,
    testing::Values(
        LockKnowledge{"plain", {}},
        LockKnowledge{"performance_schema",
                      {"--performance-schema=ON",
                       "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON"}},
        LockKnowledge{"metadata_lock_info",
                      {"--plugin-maturity=unknown", "--plugin-load-add=metadata_lock_info"}}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace mha
