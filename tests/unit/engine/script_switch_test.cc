// A switch with a master_ip_online_change_script that is not ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/steps_script.h"
#include "fakes/fake_scripts.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ScriptSwitchTest : public testing::Test {
 protected:
  ScriptSwitchTest() {
    for (ClusterHost& host : cluster_.request.cluster.hosts) {
      host.scripts.master_ip_online_change = "/usr/local/bin/change.sh";
      host.node.mysql.password = Secret{"mysql-password"};
    }
  }
  // What each script saw of the servers when it was called: the writers, and who has the address.
  void note(const std::string& part, const std::string& name, int status) {
    scripts_.on(part, [this, name, status]() -> Result<int> {
      const ClusterSeen seen = cluster_.seen();
      called_.push_back(fmt::format("{}: writers [{}], vip [{}]", name,
                                    fmt::join(seen.writers(), " "),
                                    fmt::join(seen.vip_holders, " ")));
      return status;
    });
  }
  Environment environment() {
    Environment all = cluster_.environment();
    all.scripts = &scripts_;
    return all;
  }
  Outcome run() {
    Environment all = environment();
    Switchover switchover(cluster_.request, all);
    const Result<std::vector<Problem>> problems = switchover.look();
    EXPECT_TRUE(problems.ok() && problems.value().empty());
    return switchover.run();
  }
  void script_for_new_master(const std::string& command, const std::string& host, int status) {
    note(fmt::format("--command={} --orig_master_host={}", command, host == "db2" ? "db1" : "db2"),
         fmt::format("{} for {}", command, host), status);
  }

  EngineCluster cluster_;
  FakeScripts scripts_{cluster_.clock};
  std::vector<std::string> called_;
};

TEST_F(ScriptSwitchTest, StopBeforeWeFreezeAndStartOnceTheNewMasterIsWritable) {
  script_for_new_master("stop", "db2", 0);
  script_for_new_master("start", "db2", 0);
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_THAT(called_, ElementsAre("stop for db2: writers [db1], vip [db1]",
                                   "start for db2: writers [db2], vip []"));
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db2"));
  EXPECT_THAT(cluster_.seen().vip_holders, ElementsAre("db2"))
      << "what the script did not do, our own steps do";
  for (const FakeLog::Line& line : cluster_.log.lines()) {
    EXPECT_EQ(line.text.find("mysql-password"), std::string::npos) << line.text;
  }
}

TEST_F(ScriptSwitchTest, TenGoesOnWithAWarning) {
  script_for_new_master("stop", "db2", 10);
  script_for_new_master("start", "db2", 10);
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning,
                               "change.sh --command=stop ended with exit "
                               "status 10: proceeding"));
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "change.sh --command=start ended with"));
}

TEST_F(ScriptSwitchTest, AStopThatFailsIsUndoneByItsStartForTheOriginal) {
  const ClusterSeen found = cluster_.seen();
  script_for_new_master("stop", "db2", 1);
  script_for_new_master("start", "db1", 0);
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("--command=stop ended with exit status 1"));
  EXPECT_THAT(called_, ElementsAre("stop for db2: writers [db1], vip [db1]",
                                   "start for db1: writers [db1], vip [db1]"));
  EXPECT_EQ(cluster_.seen(), found);
}

TEST_F(ScriptSwitchTest, AnUndoThatFailsIsSaidWithTheCommandByHand) {
  script_for_new_master("stop", "db2", 1);
  script_for_new_master("start", "db1", 10);
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  ASSERT_EQ(outcome.leftovers.size(), 1U);
  EXPECT_THAT(outcome.leftovers.front(),
              AllOf(HasSubstr("what change.sh --command=stop did was not undone"),
                    HasSubstr("exit status 10"),
                    HasSubstr("by hand: /usr/local/bin/change.sh --command=start "
                              "--orig_master_host=db2"),
                    HasSubstr("--new_master_password=xxx")));
}

TEST_F(ScriptSwitchTest, AScriptThatNeverRanHasNothingToUndo) {
  script_for_new_master("stop", "db2", 127);
  EXPECT_EQ(run().ending, Ending::kUndone);
  EXPECT_EQ(scripts_.commands().size(), 1U);
}

TEST_F(ScriptSwitchTest, AScriptThatHangsCostsNoMoreThanTheDowntimeAllowed) {
  cluster_.request.max_downtime = Milliseconds{700};
  scripts_.hang();
  const TimePoint before = cluster_.clock.now();
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone) << "its start for the original hangs as well";
  EXPECT_THAT(outcome.headline->message, HasSubstr("did not end in time"));
  EXPECT_LE(cluster_.clock.now() - before,
            Milliseconds{800} + cluster_.request.max_downtime +
                cluster_.conf("db1").node.settings.operation_timeout);
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db1"));
}

TEST_F(ScriptSwitchTest, AStartThatFailsIsPastThePointOfNoReturn) {
  script_for_new_master("start", "db2", 1);
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(cluster_.seen().writers(), ElementsAre("db2"));
  EXPECT_THAT(cluster_.seen().vip_holders, ElementsAre("db2"));
  EXPECT_EQ(cluster_.seen().servers.at("db3").source, "db2");
  EXPECT_EQ(scripts_.commands().size(), 2U) << "stop and start, and no way back";
}

TEST_F(ScriptSwitchTest, AScriptThatEndsOurOwnSessionIsForgiven) {
  scripts_.on("--command=stop", [this]() -> Result<int> {
    FakeMysqlState& db1 = cluster_.server("db1");
    while (!db1.sessions.empty()) db1.remove_thread(db1.sessions.begin()->first);
    return 0;
  });
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
}

TEST_F(ScriptSwitchTest, AnotherProcessUndoesItsStopAsWell) {
  script_for_new_master("stop", "db2", 0);
  script_for_new_master("start", "db1", 0);
  // As if this process had been killed before the freeze: the read-only of db1 never comes, and
  // nothing of the undo either.
  const ClusterSeen found = cluster_.seen();
  cluster_.faults.fail_matching("db1:3306 set_read_only", FaultTime::kBefore,
                                {Code::kTimeout, "killed"});
  run();
  called_.clear();
  cluster_.faults.clear_faults();
  const std::vector<std::string> journals =
      find_journals(cluster_.state_dir, kSwitchOperation, journal_subject("db1", 3306));
  ASSERT_EQ(journals.size(), 1U);
  std::string kept;
  const Result<JournalFile> whole = read_journal(journals.front());
  ASSERT_TRUE(whole.ok());
  for (const nlohmann::json& record : whole.value().records) {
    const std::string event = record.value("event", "");
    if (event == "step_failed" || event.starts_with("undo_") || event == "end") break;
    kept += record.dump() + "\n";
  }
  write_whole(journals.front(), kept);
  Environment all = environment();
  const auto journal = find_unfinished_switch(cluster_.request.cluster, all);
  ASSERT_TRUE(journal.has_value());
  EXPECT_EQ(roll_back_switch(cluster_.request.cluster, *journal, all).ending, Ending::kUndone);
  EXPECT_THAT(called_, ElementsAre("start for db1: writers [db1], vip [db1]"));
  EXPECT_EQ(cluster_.seen(), found);
}

TEST_F(ScriptSwitchTest, OurOwnHookIsNotRun) {
  for (ClusterHost& host : cluster_.request.cluster.hosts) {
    host.scripts.master_ip_online_change = "/usr/bin/master_ip_online_failover_helper";
  }
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_THAT(scripts_.commands(), IsEmpty());
}

// M:MasterRotate.pm: the original master's script stops, the new one's starts.
TEST_F(ScriptSwitchTest, AHostMayHaveAScriptOfItsOwn) {
  cluster_.conf("db1").scripts.master_ip_online_change = "/usr/local/bin/change_db1.sh";
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_THAT(scripts_.commands(),
              ElementsAre(HasSubstr("/change_db1.sh --command=stop --orig_master_host=db1"),
                          HasSubstr("/change.sh --command=start --orig_master_host=db1")));
}

TEST_F(ScriptSwitchTest, OneHostAloneMayHaveAScript) {
  cluster_.conf("db2").scripts.master_ip_online_change = "";
  script_for_new_master("stop", "db2", 1);
  script_for_new_master("start", "db1", 0);
  EXPECT_EQ(run().ending, Ending::kUndone);
  EXPECT_THAT(scripts_.commands(),
              ElementsAre(HasSubstr("--command=stop"), HasSubstr("--new_master_host=db1")));
}

TEST_F(ScriptSwitchTest, EachMastersOwnFailoverScript) {
  const NodeSpec& dead = cluster_.conf("db1").node;
  const NodeSpec& next = cluster_.conf("db2").node;
  const Cluster& cluster = cluster_.request.cluster;
  EXPECT_FALSE(failover_script(cluster, dead, next, SshReach::kReachable).has_value());
  cluster_.conf("db2").scripts.master_ip_failover = "/usr/local/bin/of_db2.sh";
  auto script = failover_script(cluster, dead, next, SshReach::kReachable);
  ASSERT_TRUE(script.has_value() && script->start.has_value());
  EXPECT_FALSE(script->stop.has_value());
  EXPECT_EQ(script->start->name, "of_db2.sh");
  cluster_.conf("db1").scripts.master_ip_failover = "/usr/local/bin/of_db1.sh --key=1";
  script = failover_script(cluster, dead, next, SshReach::kReachable);
  ASSERT_TRUE(script->stop.has_value());
  EXPECT_EQ(script->stop->name, "of_db1.sh");
  EXPECT_EQ(script->start->name, "of_db2.sh");
}

TEST_F(ScriptSwitchTest, FailoverScriptsAreJudgedAlike) {
  for (ClusterHost& host : cluster_.request.cluster.hosts) {
    host.scripts.master_ip_failover = "/usr/local/bin/failover.sh";
  }
  Environment all = environment();
  const NodeSpec& dead = cluster_.conf("db1").node;
  const NodeSpec& next = cluster_.conf("db2").node;
  const auto script = failover_script(cluster_.request.cluster, dead, next, SshReach::kUnreachable);
  ASSERT_TRUE(script.has_value());
  Node dead_node(dead, all.ports);
  Node next_node(next, all.ports);
  const Deadline soon = cluster_.clock.deadline_after(Milliseconds{500});
  const auto stop = ensure_failover_stop_script_ran(dead_node, *script->stop, all);
  const auto start = ensure_failover_start_script_ran(next_node, *script->start, all);
  EXPECT_TRUE(stop->apply({}, soon).ok());
  scripts_.set_answer(10);
  EXPECT_TRUE(start->apply({}, soon).ok());
  scripts_.set_answer(2);
  EXPECT_EQ(start->apply({}, soon).error().code, Code::kRefused);
  EXPECT_THAT(scripts_.commands(), ElementsAre(HasSubstr("failover.sh --orig_master_host=db1"),
                                               HasSubstr("failover.sh --command=start"),
                                               HasSubstr("failover.sh --command=start")));
}

}  // namespace
}  // namespace mha
