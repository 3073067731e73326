// Stopping a receiver that takes its time: one that is connecting may, a server that hangs may not.
#include "engine/steps_dead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ReceiverTest : public testing::Test {
 protected:
  // What MariaDB 11.8 needs with slave_net_timeout=60.
  static constexpr Milliseconds kAttempt{58'500};

  ReceiverTest() {
    cluster_.server("db2").on_call = [this](FakeMysqlState& /*state*/, const std::string& call) {
      if (call.ends_with(" stop_receiver")) cluster_.clock.advance(kAttempt);
    };
  }
  // Its server goes, so that it connects again, and then its host, so that nobody answers.
  void let_it_connect() {
    cluster_.server("db1").health = FakeHealth::kDown;
    cluster_.mysql.replicate();
    cluster_.server("db1").health = FakeHealth::kSilent;
  }
  Status stop_receiver() {
    const std::unique_ptr<Step> step = ensure_receiver_stopped(db2_, environment_);
    return step->apply(json{{"receiver", true}},
                       cluster_.clock.deadline_after(std::chrono::hours{1}));
  }

  EngineCluster cluster_;
  Environment environment_ = cluster_.environment();
  Node db2_{cluster_.conf("db2").node, environment_.ports};
};

TEST_F(ReceiverTest, ItsAttemptToConnectIsWaitedFor) {
  ASSERT_LT(db2_.settings().operation_timeout, kAttempt);
  cluster_.server("db2").identity = {ServerFamily::kMariadb, "11.8.9-MariaDB", 110809, 0, 2};
  let_it_connect();
  const Status stopped = stop_receiver();
  EXPECT_TRUE(stopped.ok()) << stopped.error().message;
  EXPECT_FALSE(cluster_.server("db2").replica->receiver);
}

// MySQL and MariaDB 10.11 stop it at once: one that takes longer hangs.
TEST_F(ReceiverTest, OfOtherServersItIsNot) {
  let_it_connect();
  const Status stopped = stop_receiver();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Code::kTimeout);
}

TEST_F(ReceiverTest, WhereItIsConnectedTheServerHangs) {
  const Status stopped = stop_receiver();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Code::kTimeout);
  EXPECT_THAT(stopped.error().message, HasSubstr("stopping the I/O thread of"));
}

}  // namespace
}  // namespace mha
