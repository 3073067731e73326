// Listing threads and ending them, few and many.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "mysql/text.h"
#include "mysql_fixture.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

MATCHER_P2(Outcome, id, result, "") { return arg.thread_id == id && arg.result == result; }

class ClientsTest : public PlainServerTest {
 protected:
  void SetUp() override {
    PlainServerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    session_ = open(server_->target());
    ASSERT_NE(session_, nullptr);
  }

  std::vector<ServerThread> threads() {
    Result<std::vector<ServerThread>> all = session_->threads(soon());
    EXPECT_TRUE(all.ok()) << all.error().message;
    return all.ok() ? std::move(all).value() : std::vector<ServerThread>{};
  }
  std::vector<std::uint64_t> ids_of(const std::string& user) {
    std::vector<std::uint64_t> ids;
    for (const ServerThread& thread : threads()) {
      if (thread.user == user) ids.push_back(thread.id);
    }
    return ids;
  }
  std::optional<ServerThread> thread(std::uint64_t id) {
    for (const ServerThread& candidate : threads()) {
      if (candidate.id == id) return candidate;
    }
    return std::nullopt;
  }
  std::vector<KillOutcome> kill(const std::vector<std::uint64_t>& ids) {
    Result<std::vector<KillOutcome>> outcomes = timed([&] { return session_->kill(ids, soon()); });
    EXPECT_TRUE(outcomes.ok()) << outcomes.error().message;
    return outcomes.ok() ? std::move(outcomes).value() : std::vector<KillOutcome>{};
  }
  std::vector<std::unique_ptr<TestClient>> connect_clients(std::size_t count) {
    std::vector<std::unique_ptr<TestClient>> clients(count);
    for (auto& client : clients) {
      client = std::make_unique<TestClient>();
      EXPECT_TRUE(client->connect(server_->port()));
    }
    return clients;
  }
  void TearDown() override {
    if (session_ != nullptr) {
      EXPECT_TRUE(eventually([&] { return ids_of("app").empty(); }));
    }
  }

  std::unique_ptr<MysqlServer> session_;
};

TEST_F(ClientsTest, ListsAllButItself) {
  TestClient client;
  ASSERT_TRUE(client.connect(server_->port()));
  client.send("SELECT SLEEP(3), 'twelve'");
  ASSERT_TRUE(eventually([&] { return thread(client.id())->command == "Query"; }));
  const std::optional<ServerThread> seen = thread(client.id());
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->user, "app");
  EXPECT_THAT(seen->host, testing::StartsWith("127.0.0.1:"));
  EXPECT_EQ(seen->info, "SELECT SLEEP(3), 'twelve'");
  EXPECT_GE(seen->seconds, 0);
  EXPECT_FALSE(thread(session_->identity().connection_id).has_value());
  EXPECT_EQ(std::ranges::count(threads(), "Daemon", &ServerThread::command), 1);
}

TEST_F(ClientsTest, StatementIsValidUtf8AndShort) {
  TestClient client;
  ASSERT_TRUE(client.connect(server_->port()));
  std::string statement =
      "SELECT SLEEP(3) /* \xC3\xA9 \xE2\x82\xAC \xFF\xFE \xC3( \xF0\x9F\x98\x80 ";
  for (int i = 0; i < 300; ++i) statement += "\xE2\x82\xAC";
  statement += " */";
  client.send(statement);
  ASSERT_TRUE(eventually([&] { return thread(client.id())->command == "Query"; }));
  const std::string info = thread(client.id())->info;
  EXPECT_THAT(info, HasSubstr("SELECT SLEEP(3) /* \xC3\xA9 \xE2\x82\xAC "));
  EXPECT_LE(info.size(), 200U);
  EXPECT_EQ(info, valid_utf8(info));
  EXPECT_THAT(kill({client.id()}), SizeIs(1));
}

TEST_F(ClientsTest, KillTellsForEachThread) {
  auto clients = connect_clients(3);
  const std::uint64_t gone = clients[2]->id();
  clients.pop_back();
  ASSERT_TRUE(eventually([&] { return !thread(gone).has_value(); }));
  std::uint64_t daemon = 0;
  for (const ServerThread& candidate : threads()) {
    if (candidate.command == "Daemon") daemon = candidate.id;
  }
  ASSERT_NE(daemon, 0U);
  const std::uint64_t own = session_->identity().connection_id;

  const std::vector<KillOutcome> outcomes =
      kill({gone, clients[0]->id(), daemon, own, clients[1]->id(), 4'000'000'000});
  EXPECT_THAT(outcomes,
              ElementsAre(Outcome(gone, KillResult::kAlreadyGone),
                          Outcome(clients[0]->id(), KillResult::kKilled),
                          Outcome(daemon, KillResult::kRefused), Outcome(own, KillResult::kRefused),
                          Outcome(clients[1]->id(), KillResult::kKilled),
                          Outcome(4'000'000'000U, KillResult::kAlreadyGone)));
  EXPECT_THAT(outcomes[2].message, HasSubstr("1094"));
  EXPECT_TRUE(thread(daemon).has_value());
}

TEST_F(ClientsTest, KillOfNobody) { EXPECT_THAT(kill({}), IsEmpty()); }

TEST_F(ClientsTest, KillWithoutThePrivilegeIsRefusedForEach) {
  auto clients = connect_clients(1);
  TestClient admin;
  ASSERT_TRUE(admin.connect(server_->port(), "mha", kPassword));
  ASSERT_TRUE(admin.execute("CREATE OR REPLACE USER watcher@'%'"));
  ASSERT_TRUE(admin.execute("GRANT PROCESS ON *.* TO watcher@'%'"));
  MysqlTarget target = server_->target();
  target.user = "watcher";
  target.password = Secret{};
  session_ = open(target);
  ASSERT_NE(session_, nullptr);
  const std::vector<KillOutcome> outcomes = kill({clients[0]->id(), admin.id()});
  EXPECT_THAT(outcomes, ElementsAre(Outcome(clients[0]->id(), KillResult::kRefused),
                                    Outcome(admin.id(), KillResult::kRefused)));
  EXPECT_THAT(outcomes[0].message, HasSubstr("1095"));
  const Status read_only =
      session_->set_read_only({ReadOnly::kOn, std::nullopt}, std::chrono::seconds{1}, soon());
  ASSERT_FALSE(read_only.ok());
  EXPECT_EQ(read_only.error().code, Code::kDenied) << read_only.error().message;
}

// The second order may find it still ending, or ended.
TEST_F(ClientsTest, ThreadThatIsBeingKilledIsNotRefused) {
  auto clients = connect_clients(1);
  clients[0]->send("SELECT SLEEP(5)");
  const std::uint64_t id = clients[0]->id();
  EXPECT_THAT(kill({id, id}), ElementsAre(Outcome(id, KillResult::kKilled),
                                          testing::AnyOf(Outcome(id, KillResult::kKilled),
                                                         Outcome(id, KillResult::kAlreadyGone))));
}

// 200 clients; 50 of them come back as soon as they are cut off, three times each, every other one
// of them writing. Some are cut off again while they log in.
TEST_F(ClientsTest, TwoHundredClientsOfWhichFiftyReconnect) {
  constexpr std::size_t kIdle = 150;
  constexpr std::size_t kStubborn = 50;
  auto idle = connect_clients(kIdle);
  std::vector<std::thread> stubborn;
  for (std::size_t i = 0; i < kStubborn; ++i) {
    stubborn.emplace_back([port = server_->port(), writes = i % 2 == 0] {
      TestClient client;
      for (int comebacks = 0; comebacks <= 3; ++comebacks) {
        if (!client.connect(port)) continue;
        while (writes &&
               client.execute("UPDATE shop.orders SET amount = amount + 1 WHERE id = 1")) {
        }
        if (!writes) client.wait_for_loss();
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return ids_of("app").size() == kIdle + kStubborn; }));

  std::set<std::uint64_t> ended;
  const Deadline deadline = soon();
  // Four lives each.
  while (ended.size() < kIdle + 4 * kStubborn && !clock_.passed(deadline)) {
    for (const KillOutcome& outcome : kill(ids_of("app"))) {
      EXPECT_NE(outcome.result, KillResult::kRefused) << outcome.message;
      ended.insert(outcome.thread_id);
    }
    std::cout << ended.size() << " ended, the last kill in " << took_ms() << " ms\n";
  }
  EXPECT_EQ(ended.size(), kIdle + 4 * kStubborn);
  for (std::thread& client : stubborn) client.join();
}

TEST_F(ClientsTest, ThousandInOneRoundTrip) {
  constexpr std::size_t kClients = 1000;
  auto clients = connect_clients(kClients);
  const std::vector<std::uint64_t> ids = ids_of("app");
  ASSERT_THAT(ids, SizeIs(kClients));
  TestClient admin;
  ASSERT_TRUE(admin.connect(server_->port(), "mha", kPassword));
  const std::vector<KillOutcome> outcomes = kill(ids);
  std::cout << "kill of " << kClients << " threads: " << took_ms() << " ms\n";
  ASSERT_THAT(outcomes, SizeIs(kClients));
  EXPECT_THAT(outcomes, Each(Field(&KillOutcome::result, KillResult::kKilled)));
  for (std::size_t i = 0; i < kClients; ++i) EXPECT_EQ(outcomes[i].thread_id, ids[i]);
}

TEST_F(ClientsTest, ManyOfOneUserAndOneToSpare) {
  auto clients = connect_clients(250);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 1; i < clients.size(); ++i) ids.push_back(clients[i]->id());
  EXPECT_THAT(kill(ids), Each(Field(&KillOutcome::result, KillResult::kKilled)));
  EXPECT_EQ(clients[0]->value("SELECT 1"), "1") << "it was not asked to end";
  EXPECT_FALSE(clients[1]->execute("SELECT 1"));

  auto more = connect_clients(250);
  ids.clear();
  for (const auto& client : more) ids.push_back(client->id());
  ids.push_back(clients[0]->id());
  ids.push_back(3'000'000'000U);
  const std::vector<KillOutcome> outcomes = kill(ids);
  ASSERT_THAT(outcomes, SizeIs(ids.size()));
  EXPECT_EQ(outcomes.back().result, KillResult::kAlreadyGone);
  EXPECT_EQ(outcomes.front().result, KillResult::kKilled);
  EXPECT_FALSE(clients[0]->execute("SELECT 1"));
  EXPECT_TRUE(session_->read_only_state(soon()).ok()) << "our own session lives";
}

// Connected, and silent when asked to log in: they have no user by which they could be ended.
TEST_F(ClientsTest, ManyWhoHaveNotLoggedIn) {
  constexpr const char* kNotLoggedIn = "unauthenticated user";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server_->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> silent(150);
  for (int& one : silent) {
    one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(eventually([&] { return ids_of(kNotLoggedIn).size() == silent.size(); }));
  EXPECT_THAT(kill(ids_of(kNotLoggedIn)), Each(Field(&KillOutcome::result, KillResult::kKilled)));
  const TimePoint killed = clock_.now();
  EXPECT_TRUE(eventually([&] { return ids_of(kNotLoggedIn).empty(); }));
  EXPECT_LT(clock_.now() - killed, Milliseconds{5000})
      << "the server's own connect_timeout is 10 s";
  for (const int one : silent) close(one);
}

// More than fits into the server's smallest packet, half of them unknown: the order stays.
TEST_F(ClientsTest, ManyIdsInSmallPackets) {
  TestClient admin;
  ASSERT_TRUE(admin.connect(server_->port(), "mha", kPassword));
  ASSERT_TRUE(admin.execute("SET GLOBAL max_allowed_packet=1024"));
  session_ = open(server_->target());
  ASSERT_TRUE(admin.execute("SET GLOBAL max_allowed_packet=16777216"));
  ASSERT_NE(session_, nullptr);
  auto clients = connect_clients(300);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    ids.push_back(clients[i]->id());
    ids.push_back(3'000'000'000 + i);
  }
  const std::vector<KillOutcome> outcomes = kill(ids);
  ASSERT_THAT(outcomes, SizeIs(ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_THAT(outcomes[i],
                Outcome(ids[i], i % 2 == 0 ? KillResult::kKilled : KillResult::kAlreadyGone));
  }
}

TEST_F(ClientsTest, FiveThousandUnknownIds) {
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 5000; ++i) ids.push_back(3'000'000'000 + i);
  EXPECT_THAT(kill(ids),
              AllOf(SizeIs(5000), Each(Field(&KillOutcome::result, KillResult::kAlreadyGone))));
  std::cout << "kill of 5000 threads that are gone: " << took_ms() << " ms\n";
}

TEST_F(ClientsTest, LockHolders) {
  auto clients = connect_clients(2);
  ASSERT_EQ(clients[0]->value("SELECT GET_LOCK('MHA_it''s \"me\"', 0)"), "1");
  ASSERT_EQ(clients[1]->value("SELECT GET_LOCK('other', 0)"), "1");
  Result<std::vector<std::uint64_t>> holders =
      session_->lock_holders({"nobody's", R"(MHA_it's "me")", "free"}, soon());
  ASSERT_TRUE(holders.ok()) << holders.error().message;
  EXPECT_THAT(holders.value(), ElementsAre(clients[0]->id()));
  holders = session_->lock_holders({}, soon());
  ASSERT_TRUE(holders.ok());
  EXPECT_THAT(holders.value(), IsEmpty());
}

TEST_F(ClientsTest, SessionThatIsKilledIsUnreachable) {
  const std::unique_ptr<MysqlServer> victim = open(server_->target());
  ASSERT_NE(victim, nullptr);
  const std::uint64_t id = victim->identity().connection_id;
  EXPECT_THAT(kill({id}), ElementsAre(Outcome(id, KillResult::kKilled)));
  ASSERT_TRUE(eventually([&] { return !thread(id).has_value(); }));
  for (int call = 0; call < 2; ++call) {
    const Result<std::vector<ServerThread>> listed = victim->threads(soon());
    ASSERT_FALSE(listed.ok());
    EXPECT_EQ(listed.error().code, Code::kUnreachable) << listed.error().message;
  }
}

}  // namespace
}  // namespace mha
