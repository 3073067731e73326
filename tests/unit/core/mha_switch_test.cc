// What masterha_master_switch is called with, and what its end means.
#include "core/mha_switch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;

TEST(MhaSwitchTest, TheLeastOfAnOnlineSwitch) {
  MhaOnlineSwitch request;
  request.common.conf = "/etc/mha/app 1.cnf";
  EXPECT_THAT(mha_arguments(request), ElementsAre("masterha_master_switch", "--master_state=alive",
                                                  "--conf=/etc/mha/app 1.cnf", "--interactive=0",
                                                  "--orig_master_is_new_slave"));
}

TEST(MhaSwitchTest, AllOfAnOnlineSwitch) {
  MhaOnlineSwitch request;
  request.common = {"/etc/app.cnf", "db2", std::uint16_t{3307}, true};
  request.orig_master_is_new_slave = false;
  request.running_updates_limit = 0;
  EXPECT_THAT(mha_arguments(request),
              ElementsAre("masterha_master_switch", "--master_state=alive", "--conf=/etc/app.cnf",
                          "--interactive=1", "--new_master_host=db2", "--new_master_port=3307",
                          "--running_updates_limit=0"));
}

// Never --ignore_last_failover by itself: the predecessor always passed it.
TEST(MhaSwitchTest, TheLeastOfADeadSwitch) {
  MhaDeadSwitch request;
  request.common.conf = "/etc/app.cnf";
  request.dead_host = "db1";
  request.dead_port = 3316;
  EXPECT_THAT(mha_arguments(request),
              ElementsAre("masterha_master_switch", "--master_state=dead", "--conf=/etc/app.cnf",
                          "--interactive=0", "--dead_master_host=db1", "--dead_master_port=3316"));
}

TEST(MhaSwitchTest, AllOfADeadSwitch) {
  MhaDeadSwitch request;
  request.common = {"/etc/app.cnf", "db3", std::uint16_t{3308}, true};
  request.dead_host = "db1";
  request.dead_ip = "10.0.0.1";
  request.ignore_last_failover = true;
  request.last_failover_minute = 60;
  EXPECT_THAT(
      mha_arguments(request),
      ElementsAre("masterha_master_switch", "--master_state=dead", "--conf=/etc/app.cnf",
                  "--interactive=1", "--new_master_host=db3", "--new_master_port=3308",
                  "--dead_master_host=db1", "--dead_master_ip=10.0.0.1", "--dead_master_port=3306",
                  "--ignore_last_failover", "--last_failover_minute=60"));
}

TEST(MhaSwitchTest, ItsEnd) {
  EXPECT_EQ(interpret({0, 0}), MhaEnd::kDone);
  EXPECT_EQ(interpret({10, 0}), MhaEnd::kPartly);
  EXPECT_EQ(interpret({1, 0}), MhaEnd::kFailed);
  EXPECT_EQ(interpret({20, 0}), MhaEnd::kFailed);
  EXPECT_EQ(interpret({255, 0}), MhaEnd::kFailed);
  // exit_status is 0 where a signal ended it: not a success.
  EXPECT_EQ(interpret({0, 9}), MhaEnd::kFailed);
  EXPECT_EQ(interpret({0, 15}), MhaEnd::kFailed);
}

TEST(MhaSwitchTest, ItsEndInWords) {
  EXPECT_EQ(describe({1, 0}), "exit status 1");
  EXPECT_EQ(describe({0, 15}), "signal 15");
}

}  // namespace
}  // namespace mha
