// The two programs that a DBA types, over a masterha_master_switch that does as the test says.
#include "cli/switches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Ports on which nobody listens: connecting fails at once.
constexpr const char* kApp = R"([server default]
user = mha
password = s3cret
ssh_user = mha_helper
manager_workdir = /tmp
[server1]
hostname = db1.invalid
ip = 127.0.0.1
port = 1
[server2]
hostname = db2.invalid
ip = 127.0.0.1
port = 2
)";

// What hooks write to the state folder; STAMP and NAME are put in.
constexpr const char* kJournal = R"(#!/bin/sh
# journal OPERATION LINES...
operation=$1; shift
dir=$MHA_HELPER_STATE_DIR; mkdir -p -m 700 "$dir"
file="$dir/$operation-db1.invalid_1-$(date -u +%Y%m%dT%H%M%S%3N)-$$.journal"
stamp=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
echo '{"event":"operation","operation":"'$operation'","time":"'$stamp'","orig_master":{"host":"db1.invalid","port":1},"new_master":{"host":"db2.invalid","port":2}}' >"$file"
for line in "$@"; do echo "$line" >>"$file"; done
)";

class SwitchesTest : public testing::Test {
 protected:
  SwitchesTest() {
    folder_.write("conf/cluster.conf",
                  "[default]\nvip_type = none\noperation_timeout = 3\nlock_wait_timeout = 1\n"
                  "kill_after_timeout = 0\n");
    app_ = folder_.write("app.cnf", kApp);
    folder_.write("bin/journal", kJournal, 0700);
    for (ChildProgram* program : {&online_, &dead_}) {
      program->environment = {{"PATH", folder_.path("bin") + ":" + std::getenv("PATH")},
                              {"MHA_HELPER_CONFIG_DIR", folder_.path("conf")},
                              {"MHA_HELPER_STATE_DIR", folder_.path("state")}};
    }
    online_.text.name = "mysql_online_failover";
    online_.described.add(online_switch_options());
    online_.body = run_online_switch;
    dead_.text.name = "mysql_failover";
    dead_.described.add(dead_switch_options());
    dead_.body = run_dead_switch;
  }

  // MHA: notes its arguments, then runs `script`.
  void mha(const std::string& script) {
    folder_.write(
        "bin/masterha_master_switch",
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"" + folder_.path("arguments") + "\"\n" + script + "\n",
        0700);
  }
  [[nodiscard]] std::string arguments() const { return folder_.read("arguments"); }

  CliFolder folder_;
  std::string app_;
  ChildProgram online_;
  ChildProgram dead_;
};

TEST_F(SwitchesTest, MhasStatusIsInterpreted) {
  for (const auto& [status, exit_code] : {std::pair{0, 0}, std::pair{10, 10}, std::pair{1, 20}}) {
    mha("echo 'a line of MHA'; exit " + std::to_string(status));
    const ChildEnd online = online_.run({"--engine=mha", "-c", app_});
    EXPECT_EQ(online.exit_code, exit_code) << online.err;
    EXPECT_THAT(online.out, HasSubstr("a line of MHA"));
    EXPECT_EQ(dead_.run({"--engine=mha", "-c", app_, "-d", "db1.invalid"}).exit_code, exit_code);
  }
  mha("kill -9 $$");
  const ChildEnd killed = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(killed.exit_code, 20);
  EXPECT_THAT(killed.err, HasSubstr("signal 9"));
}

TEST_F(SwitchesTest, OnlineArguments) {
  mha("exit 0");
  online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(arguments(), "--master_state=alive\n--conf=" + app_ +
                             "\n--interactive=0\n--orig_master_is_new_slave\n");
  online_.run({"--engine=mha", "--conf=" + app_, "--new-master-host", "db2.invalid",
               "--new_master_port=2", "--interactive=1", "--orig_master_is_new_slave=0",
               "--running_updates_limit=60"});
  EXPECT_EQ(arguments(), "--master_state=alive\n--conf=" + app_ +
                             "\n--interactive=1\n--new_master_host=db2.invalid\n"
                             "--new_master_port=2\n--running_updates_limit=60\n");
  online_.run({"--engine=mha", "-c", app_, "--orig_master_is_new_slave"});
  EXPECT_THAT(arguments(), HasSubstr("--orig_master_is_new_slave\n"));
}

// MHA takes the dead host's address and port from the conf, so another port than 3306 works.
TEST_F(SwitchesTest, DeadArguments) {
  mha("exit 0");
  for (const char* host : {"db1.invalid", "db1.invalid:1", "DB1.invalid"}) {
    const ChildEnd end = dead_.run({"--engine=mha", "-d", host, "-c", app_});
    if (std::string(host) == "DB1.invalid" && end.exit_code == 3) continue;  // the conf's affair
    EXPECT_EQ(arguments(), "--master_state=dead\n--conf=" + app_ +
                               "\n--interactive=0\n--dead_master_host=db1.invalid\n"
                               "--dead_master_ip=127.0.0.1\n--dead_master_port=1\n");
  }
  dead_.run({"--engine=mha", "--dead_master_host=db1.invalid", "-c", app_, "--ignore_last_failover",
             "--last_failover_minute=10"});
  EXPECT_THAT(arguments(), AllOf(HasSubstr("--ignore_last_failover\n"),
                                 HasSubstr("--last_failover_minute=10\n")));
}

TEST_F(SwitchesTest, MistakesCostNothing) {
  mha("exit 0");
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string says;
  };
  for (const Case& one :
       {Case{{}, 2, "-c CONF"}, Case{{"-c", app_}, 2, "-d HOST"},
        Case{{"-c", app_, "-d", "db1.invalid:0"}, 2, "port"},
        Case{{"-c", app_, "-d", "db1.invalid:65536"}, 2, "port"},
        Case{{"-c", app_, "-d", "db1.invalid:"}, 2, "port"},
        Case{{"-c", app_, "-d", "[::1"}, 2, "']'"}, Case{{"-c", app_, "-d", "[::1]x"}, 2, "port"},
        Case{{"-c", app_, "-d", "db9.invalid"}, 3, "db9.invalid"},
        Case{{"-c", app_, "-d", "db1.invalid:3306"}, 3, "3306"},
        Case{{"-c", folder_.path("none.cnf"), "-d", "db1.invalid"}, 3, "none.cnf"},
        Case{{"-c", app_, "-d", "db1.invalid", "--interactive=2"}, 2, "interactive"},
        Case{{"-c", app_, "-d", "db1.invalid", "--interactive=1"}, 2, "only for --engine=mha"},
        Case{{"-c", app_, "-d", "db1.invalid", "--new_master_port=0"}, 2, "port"},
        Case{{"-c", app_, "-d", "db1.invalid", "--last_failover_minute=x"},
             2,
             "last_failover_minute"},
        Case{{"-c", app_, "-d", "db1.invalid", "--nonsense"}, 2, "nonsense"},
        Case{{"-c", app_, "-d", "db1.invalid", "stray"}, 2, "stray"}}) {
    const ChildEnd end = dead_.run(one.arguments);
    EXPECT_EQ(end.exit_code, one.exit_code) << one.says << ": " << end.err;
    EXPECT_THAT(end.err, HasSubstr(one.says));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
  }
  EXPECT_EQ(online_.run({"--engine=mha", "-c", app_, "--running_updates_limit=-1"}).exit_code, 2);
  EXPECT_EQ(arguments(), "") << "MHA was never run";
}

TEST_F(SwitchesTest, WithoutMhaThereIsOneClearLine) {
  online_.environment["PATH"] = folder_.path("bin");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_THAT(end.err, AllOf(HasSubstr("masterha_master_switch"), HasSubstr("PATH")));
}

TEST_F(SwitchesTest, UsersThatTheConfScriptPrintsAreKnown) {
  const std::string script =
      folder_.write("bin/conf", "#!/bin/sh\necho user=secretary\necho password=s3cret\n", 0700);
  std::string app = kApp;
  app.insert(app.find("[server1]"), "init_conf_load_script = " + script + "\n");
  folder_.write("app.cnf", app);
  mha(R"(journal online_stop '{"event":"step_begin","step":"ensure_read_only db1.invalid:1","kind":"ensure_read_only","parameters":{"host":"db1.invalid","port":1},"found":{"read_only":"OFF"}}' \
    '{"event":"end","ending":0}'; exit 1)");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 21);
  EXPECT_THAT(end.err, AllOf(Not(HasSubstr("init_conf_load_script")), Not(HasSubstr("s3cret"))));
}

TEST_F(SwitchesTest, AConfScriptThatFailsCostsNothing) {
  std::string app = kApp;
  app.insert(app.find("[server1]"), "init_conf_load_script = exit 7\n");
  folder_.write("app.cnf", app);
  mha("echo MHA RAN");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_THAT(end.err, HasSubstr("exit ended with exit status 7"));
  EXPECT_THAT(end.out, Not(HasSubstr("MHA RAN")));
}

TEST_F(SwitchesTest, HooksFindOurFolders) {
  mha("echo conf=$MHA_HELPER_CONFIG_DIR state=$MHA_HELPER_STATE_DIR; exit 0");
  folder_.write("other/cluster.conf", "[default]\n");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_, "--config_dir",
                                    folder_.path("other"), "--state_dir", folder_.path("s2")});
  EXPECT_THAT(end.out, HasSubstr("conf=" + folder_.path("other") + " state=" + folder_.path("s2")));
}

TEST_F(SwitchesTest, AnIncompleteStartIsSaidAgain) {
  mha(R"(journal online_start '{"event":"point_of_no_return"}' \
    '{"event":"step_failed","step":"x","error":"the address could not be added; by hand: mend it"}' \
    '{"event":"end","ending":10}'; exit 0)");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 10);
  EXPECT_THAT(end.err, HasSubstr("by hand: mend it"));
}

TEST_F(SwitchesTest, AFailureAfterTheNewMasterTookOverIsIncomplete) {
  mha("journal online_stop '{\"event\":\"end\",\"ending\":0}' '{\"event\":\"closed\"}'\n"
      "journal online_start '{\"event\":\"point_of_no_return\"}' "
      "'{\"event\":\"end\",\"ending\":0}'\n"
      "exit 1");
  const ChildEnd online = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(online.exit_code, 10);
  EXPECT_THAT(online.err, HasSubstr("the new master has taken over"));
  mha("journal hard_stop '{\"event\":\"end\",\"ending\":0}'\n"
      "journal hard_start '{\"event\":\"point_of_no_return\"}' '{\"event\":\"end\",\"ending\":0}'\n"
      "exit 1");
  EXPECT_EQ(dead_.run({"--engine=mha", "-c", app_, "-d", "db1.invalid"}).exit_code, 10);
}

TEST_F(SwitchesTest, AnUndoneStopIsNotUndoneAgain) {
  mha("journal online_stop '{\"event\":\"end\",\"ending\":20}'; exit 1");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 20);
  EXPECT_THAT(end.err, HasSubstr("exit status 1"));
}

// The stop was done, MHA failed, and now neither server answers: what is left is said, with the
// commands.
TEST_F(SwitchesTest, AStopThatCannotBeUndoneIsListed) {
  mha(R"(journal online_stop '{"event":"step_begin","step":"ensure_read_only db1.invalid:1","kind":"ensure_read_only","parameters":{"host":"db1.invalid","port":1},"found":{"read_only":"OFF"}}' \
    '{"event":"end","ending":0}'; exit 1)");
  const ChildEnd end = online_.run({"--engine=mha", "-c", app_});
  EXPECT_EQ(end.exit_code, 21);
  EXPECT_THAT(end.err, AllOf(HasSubstr("exit status 1"),
                             HasSubstr("mysql -h 127.0.0.1 -P 1 -e 'SET GLOBAL read_only=OFF'"),
                             Not(HasSubstr("s3cret"))));
}

TEST_F(SwitchesTest, AnOldJournalIsNobodysOfThisRun) {
  mha("exit 1");
  folder_.write("state/online_stop-db1.invalid_1-20200101T000000000-1.journal",
                "{\"event\":\"operation\",\"operation\":\"online_stop\","
                "\"time\":\"2020-01-01T00:00:00.000Z\"}\n");
  EXPECT_EQ(online_.run({"--engine=mha", "-c", app_}).exit_code, 20);
}

TEST_F(SwitchesTest, AFailedDeadFailoverSaysWhereThingsStand) {
  mha("journal hard_stop '{\"event\":\"fence\",\"fenced\":true}' "
      "'{\"event\":\"end\",\"ending\":0}'; "
      "exit 1");
  const ChildEnd fenced = dead_.run({"--engine=mha", "-c", app_, "-d", "db1.invalid"});
  EXPECT_EQ(fenced.exit_code, 21);
  EXPECT_THAT(fenced.err,
              AllOf(HasSubstr("is off db1.invalid"), HasSubstr("START SLAVE IO_THREAD")));
  mha("sleep 0.01; journal hard_stop '{\"event\":\"fence\",\"fenced\":false}' "
      "'{\"event\":\"end\",\"ending\":0}'; exit 1");
  const ChildEnd unfenced = dead_.run({"--engine=mha", "-c", app_, "-d", "db1.invalid"});
  EXPECT_EQ(unfenced.exit_code, 21);
  EXPECT_THAT(unfenced.err, HasSubstr("was not removed from db1.invalid"));
  mha("sleep 0.01; journal hard_stop '{\"event\":\"end\",\"ending\":0}'; exit 1");
  const ChildEnd no_vip = dead_.run({"--engine=mha", "-c", app_, "-d", "db1.invalid"});
  EXPECT_EQ(no_vip.exit_code, 21);
  EXPECT_THAT(no_vip.err, AllOf(HasSubstr("START SLAVE IO_THREAD"), Not(HasSubstr("virtual IP"))));
}

}  // namespace
}  // namespace mha
