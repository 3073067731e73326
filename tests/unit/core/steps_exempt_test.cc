// Clients whom read_only does not bind: found before the switch, and watched for afterwards.
#include "core/steps_exempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ExemptTest : public testing::Test {
 protected:
  ExemptTest() { orig_.exempt_users = {"root", "admin", "mha"}; }

  std::vector<std::string> found() {
    Node node(cluster_.orig(), cluster_.environment().ports);
    const Result<std::vector<std::string>> users = exempt_clients(node, soon());
    EXPECT_TRUE(users.ok());
    return users.ok() ? users.value() : std::vector<std::string>{};
  }
  Status watch(const std::vector<std::string>& users) {
    Node node(cluster_.orig(), cluster_.environment().ports);
    return ensure_no_exempt_writer(node, users, cluster_.clock, cluster_.log)
        ->apply(nlohmann::json::object(), soon());
  }
  Deadline soon() { return cluster_.clock.deadline_after(Milliseconds{30000}); }

  FakeCluster cluster_;
  FakeMysqlState& orig_ = cluster_.orig_server();
};

TEST_F(ExemptTest, OnlyWhoIsConnectedAndOnce) {
  orig_.add_thread("app");
  EXPECT_THAT(found(), IsEmpty());
  orig_.add_thread("admin");
  orig_.add_thread("admin");
  EXPECT_THAT(found(), ElementsAre("admin"));
}

TEST_F(ExemptTest, MhaOurselvesAndReplicationAreNone) {
  orig_.exempt_users.emplace_back("system user");
  orig_.exempt_users.emplace_back("manager");
  orig_.add_thread("mha");
  orig_.add_thread("system user", "Query");
  orig_.add_thread("root", "Binlog Dump");
  orig_.locks["MHA_Master_High_Availability_Monitor"] = orig_.add_thread("manager");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ExemptTest, SuperReadOnlyBindsAll) {
  orig_.add_thread("admin");
  cluster_.settings.super_read_only = true;
  EXPECT_THAT(found(), IsEmpty());
  // But not where the server has none.
  make_mariadb(orig_);
  EXPECT_THAT(found(), ElementsAre("admin"));
}

TEST_F(ExemptTest, WithoutAnyThereIsNothingToWatch) {
  EXPECT_TRUE(watch({}).ok());
  EXPECT_EQ(cluster_.faults.count(), 0U);
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{0});
}

TEST_F(ExemptTest, OneThatStaysAwayIsWatchedForForAMoment) {
  orig_.add_thread("app");
  EXPECT_TRUE(watch({"admin"}).ok());
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{300});
}

TEST_F(ExemptTest, OneThatComesBackIsNamed) {
  orig_.on_call = [this](FakeMysqlState& state, const std::string& /*call*/) {
    if (cluster_.clock.elapsed() >= Milliseconds{100} && state.threads.empty()) {
      state.add_thread("admin", "Sleep", "10.0.0.7:4711");
    }
  };
  const Status watched = watch({"admin"});
  ASSERT_FALSE(watched.ok());
  EXPECT_EQ(watched.error().code, Code::kRefused);
  EXPECT_THAT(watched.error().message,
              AllOf(HasSubstr("admin@10.0.0.7:4711"), HasSubstr("the original master 'db1'"),
                    HasSubstr("super_read_only")));
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{110});
}

TEST_F(ExemptTest, ASwitchWithoutThemDoesNotWait) {
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_FALSE(cluster_.log.has(LogLevel::kInfo, "Watching"));
}

TEST_F(ExemptTest, ASwitchWithOneThatLeavesIsDone) {
  orig_.add_thread("admin");
  ASSERT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo, "Watching"));
  EXPECT_THAT(orig_.threads, IsEmpty());
}

TEST_F(ExemptTest, ASwitchWithOneThatComesBackIsUndone) {
  const ClusterState found_state = cluster_.state();
  orig_.add_thread("admin");
  bool gone = false;
  cluster_.vip.set_on_call([&](const std::string& call) { gone |= call == "vip db1 remove"; });
  int looks = 0;
  orig_.on_call = [&](FakeMysqlState& state, const std::string& call) {
    // After the kill that follows the removal has listed nobody.
    if (gone && call.ends_with(" threads") && ++looks == 3) state.add_thread("admin");
  };
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("admin@"));
  EXPECT_EQ(cluster_.state(), found_state);
}

}  // namespace
}  // namespace mha
