// Fencing a host that is silent at first: called while the failover goes on beside it.
#include "engine/steps_fence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "core/report.h"
#include "unit/engine/engine_cluster.h"
#include "unit/engine/recording_journal.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Lets the first try for a session wait until answer().
class HeldSsh : public ShellConnector {
 public:
  explicit HeldSsh(ShellConnector& inner) : inner_(inner) {}
  ~HeldSsh() override { answer(); }

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target,
                                               Deadline deadline) override {
    opened_.wait();
    return inner_.connect(target, deadline);
  }
  void answer() {
    if (!std::exchange(answered_, true)) open_.set_value();
  }

 private:
  ShellConnector& inner_;
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
  bool answered_ = false;
};

class StepsFenceTest : public testing::Test {
 protected:
  StepsFenceTest() {
    cluster_.ssh.add_host("db1")->set_answer(
        [this](const std::string& command) -> Result<CommandOutput> {
          if (command.find("kill -KILL 42") != std::string::npos) running_ = false;
          std::string out;
          if (running_) out = "process=42\nname=mysqld\nstate=S\nparent=1\nuid=105\nport=3306\n";
          return CommandOutput{0, out + "listed=yes\n", ""};
        });
    orig_.set_role("dead master");
    next_.set_role("new master");
  }

  [[nodiscard]] Deadline soon() { return cluster_.clock.deadline_after(Milliseconds{1000}); }
  FenceOrder order(HostCall& call) { return {orig_, {}, Fencing::kWanted, &call}; }
  void run(std::unique_ptr<Step> step) {
    const Status done = step->apply(json::object(), cluster_.clock.deadline_after(kLong));
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void fence_first(HostCall& call) {
    run(ensure_fenced(order(call), state_, journal_, environment_));
  }
  void fence_by_now(HostCall& call) {
    run(ensure_fenced_by_now(order(call), state_, journal_, environment_));
  }
  void settle(HostCall& call) {
    run(ensure_fence_settled(order(call), state_, journal_, environment_));
  }
  void fence_late(HostCall& call) {
    run(ensure_fenced_late(order(call), next_, state_, journal_, environment_));
  }
  std::string report() {
    return compose_report({"db1", "db2", "", "", ""}, {}, {JournalFile{"/x", journal_.records}});
  }

  static constexpr Milliseconds kLong{60000};
  EngineCluster cluster_;
  HeldSsh held_{cluster_.ssh};
  Environment environment_ = cluster_.environment();
  Environment held_environment_{NodePorts{cluster_.mysql, held_, environment_.ports.vip},
                                cluster_.clock, cluster_.log, cluster_.interrupt,
                                cluster_.state_dir};
  Node orig_{cluster_.conf("db1").node, environment_.ports};
  Node next_{cluster_.conf("db2").node, environment_.ports};
  FailoverState state_;
  RecordingJournal journal_;
  std::atomic<bool> running_{true};
};

TEST_F(StepsFenceTest, NobodyWaitsForAHostThatIsSilent) {
  HostCall call(orig_.spec().ssh, soon(), held_environment_);
  fence_first(call);
  EXPECT_THAT(state_.fence.rungs, IsEmpty()) << "no word yet";
  settle(call);
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{0});
  EXPECT_EQ(state_.fence.state(), FenceState::kNotFenced);
  EXPECT_THAT(state_.fence.text(),
              AllOf(StartsWith("NOT FENCED: the virtual IP was not removed from"),
                    HasSubstr("its host gave us no SSH session"),
                    HasSubstr("whether its server runs is not known")));
  EXPECT_THAT(report(), AllOf(StartsWith("!! db1: NOT FENCED"), HasSubstr("Power it off")));
  cluster_.ssh.set_health("db1", FakeHealth::kSilent);
  held_.answer();
  fence_late(call);
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{1000}) << "the rest of its time";
  EXPECT_THAT(state_.fence.text(), StartsWith("NOT FENCED: "));
}

TEST_F(StepsFenceTest, AHostThatAnswersBeforeThePromotionIsFenced) {
  HostCall call(orig_.spec().ssh, soon(), environment_);
  fence_first(call);
  // Its answer is on its way: the step does not wait for it.
  while (!state_.fence.host_answers) {
    fence_by_now(call);
    std::this_thread::yield();
  }
  EXPECT_EQ(state_.fence.state(), FenceState::kFenced) << state_.fence.text();
  EXPECT_FALSE(running_);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_THAT(report(), Not(HasSubstr("!! db1")));
  const std::size_t records = journal_.records.size();
  settle(call);
  fence_late(call);
  EXPECT_EQ(journal_.records.size(), records) << "it is fenced";
}

TEST_F(StepsFenceTest, OneThatComesBackWhileOthersCatchUpIsFenced) {
  cluster_.ssh.set_health("db1", FakeHealth::kSilent);
  HostCall call(orig_.spec().ssh, soon(), environment_);
  fence_first(call);
  ASSERT_EQ(call.wait_and_take(), nullptr);
  cluster_.ssh.set_health("db1", FakeHealth::kUp);
  cluster_.clock.advance(kLong);
  fence_by_now(call);
  EXPECT_EQ(state_.fence.state(), FenceState::kFenced) << state_.fence.text();
  EXPECT_TRUE(state_.fence.host_answers && state_.fence.server_down) << "it can be salvaged from";
}

TEST_F(StepsFenceTest, OneThatAnswersAfterThePromotionIsFencedAndSaidToBeLate) {
  HostCall call(orig_.spec().ssh, soon(), held_environment_);
  fence_first(call);
  settle(call);
  ASSERT_TRUE(running_);
  held_.answer();
  fence_late(call);
  EXPECT_FALSE(running_);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_THAT(state_.fence.text(),
              StartsWith("fenced (only once the new master 'db2' took writes: until then the dead "
                         "master 'db1' may have taken some as well): "));
  EXPECT_THAT(report(), AllOf(StartsWith("!! db1: fenced (only once"),
                              Not(HasSubstr("!! db1: NOT")), Not(HasSubstr("Power it off."))));
}

TEST_F(StepsFenceTest, ACloudTakesTheAddressMeanwhile) {
  cluster_.vip.be_a_cloud();
  HostCall call(orig_.spec().ssh, soon(), held_environment_);
  fence_first(call);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  settle(call);
  EXPECT_EQ(state_.fence.state(), FenceState::kAddressFenced);
  EXPECT_THAT(state_.fence.rungs,
              ElementsAre(HasSubstr("no longer leads to"), HasSubstr("gave us no SSH session")));
  held_.answer();
}

TEST_F(StepsFenceTest, WhatDependsOnTheAnswerWaitsForIt) {
  FenceRequest request;
  EXPECT_TRUE(may_call_meanwhile(orig_, request, Fencing::kWanted));
  EXPECT_FALSE(may_call_meanwhile(orig_, request, Fencing::kRequired));
  request.shutdown_script = "/power";
  EXPECT_FALSE(may_call_meanwhile(orig_, request, Fencing::kWanted));
  request.shutdown_script.clear();
  NodeSpec spec = orig_.spec();
  spec.settings.unfenced_failover = UnfencedFailover::kRefuse;
  const Node strict(spec, environment_.ports);
  EXPECT_FALSE(may_call_meanwhile(strict, request, Fencing::kWanted));
}

}  // namespace
}  // namespace mha
