// The ladder: each rung, each verdict, and what a rung that hangs costs.
#include "engine/fence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/report.h"
#include "fakes/fake_scripts.h"
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

class FenceTest : public testing::Test {
 protected:
  FenceTest() {
    environment_.scripts = &scripts_;
    orig_spec().role = "original master";
    orig_spec().ip = "10.0.0.1";
    orig_spec().ssh.user = "mha_helper";
    request_.host_answers = true;
    request_.patience = Milliseconds{5000};
    request_.one_more_try = Milliseconds{1000};
    request_.script_patience = Milliseconds{30000};
    server_runs();
  }

  NodeSpec& orig_spec() { return cluster_.conf("db1").node; }
  // A kill that is allowed ends it; else it says this.
  void server_runs(const std::string& refusal = "") {
    cluster_.ssh.add_host("db1")->set_answer(
        [this, refusal](const std::string& command) -> Result<CommandOutput> {
          const bool kills = command.find("kill -KILL 42") != std::string::npos;
          if (kills && refusal.empty()) running_ = false;
          std::string out = kills && !refusal.empty() ? "refused=" + refusal + "\n" : "";
          if (running_) out += "process=42\nname=mysqld\nstate=S\nparent=1\nuid=105\nport=3306\n";
          return CommandOutput{0, out + "listed=yes\n", ""};
        });
  }
  void no_vip() {
    orig_spec().settings.vip_type = VipType::kNone;
    orig_spec().settings.writer_vip.reset();
    cluster_.vip.set_holders({});
  }
  void silence_host(FakeHealth health) {
    cluster_.ssh.set_health("db1", health);
    if (health == FakeHealth::kSilent) cluster_.vip.set_silent("db1");
  }

  FenceVerdict run() {
    Node orig(orig_spec(), environment_.ports);
    const Milliseconds before = cluster_.clock.elapsed();
    FenceVerdict verdict = fence(orig, request_, journal_, environment_);
    took_ = cluster_.clock.elapsed() - before;
    return verdict;
  }
  std::optional<Status> shut(const FenceVerdict& verdict) {
    Node orig(orig_spec(), environment_.ports);
    return shut_down(orig, request_, verdict, environment_);
  }

  EngineCluster cluster_;
  FakeScripts scripts_{cluster_.clock};
  Environment environment_ = cluster_.environment();
  FenceRequest request_;
  RecordingJournal journal_;
  std::atomic<bool> running_{true};
  Milliseconds took_{0};
};

TEST_F(FenceTest, OverSshTheAddressGoesAndTheServerIsKilled) {
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kFenced);
  EXPECT_TRUE(verdict.address_off && verdict.server_down && verdict.host_answers);
  EXPECT_FALSE(running_);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_EQ(verdict.text(),
            "fenced: the virtual IP is not on the original master 'db1' (read back); db1: mysqld "
            "(pid 42) was killed (read back)");
}

TEST_F(FenceTest, AServerThatDoesNotRunIsNotKilled) {
  running_ = false;
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kFenced);
  EXPECT_THAT(verdict.text(), HasSubstr("no server of port 3306 runs there (read back)"));
}

TEST_F(FenceTest, TwiceIsTheSame) {
  run();
  EXPECT_EQ(run().state(), FenceState::kFenced);
}

TEST_F(FenceTest, WithoutTheRightToKillOnlyTheAddressIsFenced) {
  server_runs("sudo: a password is required");
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kAddressFenced);
  EXPECT_TRUE(verdict.host_answers);
  EXPECT_THAT(verdict.text(),
              AllOf(StartsWith("the virtual IP is fenced, the server itself is not"),
                    HasSubstr("a password is required"), HasSubstr("sample sudoers file"),
                    Not(HasSubstr("NOT FENCED"))));
}

TEST_F(FenceTest, WhereNoAddressIsMovedOnlyTheServersEndFences) {
  no_vip();
  server_runs("no");
  const FenceVerdict open = run();
  EXPECT_EQ(open.state(), FenceState::kNotFenced);
  EXPECT_THAT(open.text(), StartsWith("NOT FENCED: "));
  server_runs();
  const FenceVerdict fenced = run();
  EXPECT_EQ(fenced.state(), FenceState::kFenced);
  EXPECT_THAT(fenced.text(), Not(HasSubstr("virtual IP")));
}

TEST_F(FenceTest, AnAddressThatStaysIsNotFencedThoughTheServerIsDown) {
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "no sudo"});
  const FenceVerdict verdict = run();
  EXPECT_TRUE(verdict.server_down);
  EXPECT_EQ(verdict.state(), FenceState::kNotFenced);
  EXPECT_THAT(verdict.text(), AllOf(StartsWith("NOT FENCED: "), HasSubstr("no sudo"),
                                    HasSubstr("by hand: del-vip-on db1"), HasSubstr("was killed")));
}

TEST_F(FenceTest, AHostThatIsGoneIsNotFenced) {
  silence_host(FakeHealth::kSilent);
  request_.host_answers = false;
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kNotFenced);
  EXPECT_FALSE(verdict.host_answers);
  EXPECT_THAT(verdict.text(), AllOf(StartsWith("NOT FENCED: "), HasSubstr("no answer in time")));
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db1"));
  // Both wait at the same time; on a clock that one of them moves for the other, one after another.
  EXPECT_LE(took_, 2 * request_.one_more_try);
}

TEST_F(FenceTest, AnSshdThatHangsCostsNoMoreThanItsPatience) {
  silence_host(FakeHealth::kSilent);
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kNotFenced);
  EXPECT_LE(took_, 2 * request_.patience);
}

TEST_F(FenceTest, AKillThatHangsDoesNotKeepTheAddress) {
  cluster_.ssh.add_host("db1")->set_answer([this](const std::string&) -> Result<CommandOutput> {
    cluster_.clock.advance(request_.patience);
    return Error{Code::kTimeout, "no answer in time"};
  });
  cluster_.vip.be_a_cloud();  // whose interface needs no host, should the clock have moved first
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kAddressFenced);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_THAT(verdict.text(), HasSubstr("whether its server runs is not known"));
}

TEST_F(FenceTest, ACloudFencesTheAddressOfAHostThatIsGone) {
  cluster_.vip.be_a_cloud();
  silence_host(FakeHealth::kSilent);
  request_.host_answers = false;
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kAddressFenced);
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
  EXPECT_THAT(verdict.text(), HasSubstr("no longer leads to the original master 'db1'"));
  EXPECT_EQ(took_, request_.one_more_try);
}

TEST_F(FenceTest, TheScriptPowersOffAHostThatIsGone) {
  silence_host(FakeHealth::kDown);
  request_.host_answers = false;
  request_.shutdown_script = "/usr/local/bin/power --level=2";
  request_.pid_file = "/run/my sqld.pid";
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kFenced);
  EXPECT_TRUE(verdict.powered_off);
  EXPECT_THAT(verdict.text(), AllOf(StartsWith("fenced: "), HasSubstr("powered off (exit 0)")));
  EXPECT_THAT(scripts_.commands(),
              ElementsAre("/usr/local/bin/power --level=2 --command=stop --host=db1 "
                          "--ip=10.0.0.1 --port=3306 --pid_file='/run/my sqld.pid'"));
  EXPECT_FALSE(shut(verdict).has_value()) << "not twice";
}

TEST_F(FenceTest, TheScriptIsToldThatSshAnswers) {
  server_runs("no");
  request_.shutdown_script = "/power";
  scripts_.set_answer(10);
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kFenced);
  EXPECT_TRUE(verdict.server_down);
  EXPECT_FALSE(verdict.powered_off);
  EXPECT_THAT(verdict.text(), HasSubstr("(exit 10)"));
  EXPECT_THAT(scripts_.commands(), ElementsAre(StartsWith("/power --command=stopssh "
                                                          "--ssh_user=mha_helper --host=db1")));
}

TEST_F(FenceTest, AScriptThatFailsFencesNothing) {
  silence_host(FakeHealth::kDown);
  request_.shutdown_script = "/power";
  scripts_.set_answer(1);
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kNotFenced);
  EXPECT_THAT(verdict.text(), HasSubstr("shutdown_script failed (exit 1)"));
}

TEST_F(FenceTest, AScriptThatHangsCostsItsPatience) {
  silence_host(FakeHealth::kDown);
  request_.shutdown_script = "/power";
  scripts_.hang();
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kNotFenced);
  EXPECT_EQ(took_, request_.script_patience);
}

TEST_F(FenceTest, TheScriptWaitsWhereTheServerIsDown) {
  request_.shutdown_script = "/power";
  const FenceVerdict verdict = run();
  EXPECT_EQ(verdict.state(), FenceState::kFenced);
  EXPECT_THAT(scripts_.commands(), IsEmpty()) << "its binary log may be wanted";
  const std::optional<Status> done = shut(verdict);
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(done->ok());
  EXPECT_THAT(scripts_.commands(), ElementsAre(HasSubstr("--command=stopssh")));
  scripts_.set_answer(7);
  EXPECT_THAT(shut(verdict)->error().message, AllOf(HasSubstr("exit 7"), HasSubstr("'db1'")));
}

TEST_F(FenceTest, WithoutAScriptThereIsNothingToShutDown) { EXPECT_FALSE(shut(run()).has_value()); }

TEST_F(FenceTest, TheJournalTellsTheReport) {
  server_runs("sudo: a password is required");
  const FenceVerdict verdict = run();
  ASSERT_EQ(journal_.records.size(), 3U);
  EXPECT_EQ(journal_.records[0].value("event", ""), "fence_rung");
  EXPECT_TRUE(journal_.records[0].value("done", false));
  EXPECT_FALSE(journal_.records[1].value("done", true));
  EXPECT_EQ(journal_.records[2].value("event", ""), "fence");
  EXPECT_TRUE(journal_.records[2].value("fenced", false));
  EXPECT_EQ(journal_.records[2].value("text", ""), verdict.text());
  const std::string report =
      compose_report({"db1", "db2", "", "", ""}, {}, {JournalFile{"/x", journal_.records}});
  EXPECT_THAT(report,
              AllOf(StartsWith("!! db1: the virtual IP is fenced, the server itself is not"),
                    HasSubstr("fencing the dead master: the virtual IP is not on"),
                    HasSubstr("fencing the dead master FAILED: db1: SIGKILL for mysqld")));
}

TEST_F(FenceTest, AGoodFenceIsNoAlarm) {
  run();
  const std::string report =
      compose_report({"db1", "db2", "", "", ""}, {}, {JournalFile{"/x", journal_.records}});
  EXPECT_THAT(report,
              AllOf(Not(HasSubstr("!! db1")), HasSubstr("fenced: the virtual IP is not on")));
}

TEST_F(FenceTest, AMasterThatIsNotFencedStandsFirstInTheReport) {
  silence_host(FakeHealth::kDown);
  run();
  const std::string report =
      compose_report({"db1", "db2", "", "", ""}, {}, {JournalFile{"/x", journal_.records}});
  EXPECT_THAT(report, StartsWith("!! db1: NOT FENCED: the virtual IP was not removed"));
}

}  // namespace
}  // namespace mha
