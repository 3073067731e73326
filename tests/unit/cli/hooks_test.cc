// The hooks' bodies, as MHA calls them, where nothing answers: what they say and with which code.
#include "cli/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/report_hook.h"
#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class HooksTest : public testing::Test {
 protected:
  HooksTest() {
    conf("");
    for (ChildProgram* hook : {&online_, &hard_, &report_}) {
      hook->unknown = UnknownOptions::kWarn;
      hook->environment = {{"MHA_HELPER_CONFIG_DIR", folder_.path("conf")},
                           {"MHA_HELPER_STATE_DIR", folder_.path("state")}};
    }
    online_.text.name = "master_ip_online_failover_helper";
    online_.described.add(online_hook_options());
    online_.body = run_online_hook;
    hard_.text.name = "master_ip_hard_failover_helper";
    hard_.described.add(hard_hook_options());
    hard_.body = run_hard_hook;
    report_.text.name = "master_failover_report";
    report_.described.add(report_options());
    report_.body = run_report;
  }
  // Nobody listens on port 1 here.
  void conf(const std::string& more) {
    folder_.write("conf/cluster.conf",
                  "[default]\nvip_type = none\noperation_timeout = 3\nlock_wait_timeout = 1\n"
                  "kill_after_timeout = 0\nsmtp_host = 127.0.0.1\nsmtp_port = 1\n" +
                      more);
  }
  static std::vector<std::string> with_masters(const std::string& command) {
    return {"--command=" + command,          "--orig_master_host=db1.invalid",
            "--orig_master_ip=127.0.0.1",    "--orig_master_port=1",
            "--orig_master_user=mha",        "--orig_master_password=s3cret",
            "--new_master_host=db2.invalid", "--new_master_ip=127.0.0.1",
            "--new_master_port=1",           "--new_master_user=mha",
            "--new_master_password=s3cret"};
  }
  static int lines(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }

  CliFolder folder_;
  ChildProgram online_;
  ChildProgram hard_;
  ChildProgram report_;
};

TEST_F(HooksTest, ACommandThatIsMissingOrUnknownIsUsage) {
  for (const ChildProgram* hook : {&online_, &hard_}) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{}, {"--command="}, {"--command=stopp"}, {"--command=STOP"}}) {
      const ChildEnd end = hook->run(arguments);
      EXPECT_EQ(end.exit_code, 2);
      EXPECT_EQ(lines(end.err), 1) << end.err;
      EXPECT_THAT(end.err, AllOf(HasSubstr("--command"), HasSubstr("start")));
    }
  }
  EXPECT_EQ(online_.run(with_masters("stopssh")).exit_code, 2) << "the other hook's";
}

TEST_F(HooksTest, AMissingHostIsUsage) {
  for (const char* command : {"stop", "start"}) {
    const ChildEnd end = online_.run({std::string("--command=") + command});
    EXPECT_EQ(end.exit_code, 2);
    EXPECT_EQ(lines(end.err), 1) << end.err;
  }
  for (const char* command : {"status", "stop", "stopssh", "start"}) {
    EXPECT_EQ(hard_.run({std::string("--command=") + command}).exit_code, 2);
  }
  EXPECT_EQ(report_.run({}).exit_code, 2);
}

TEST_F(HooksTest, AMissingConfigurationIsThree) {
  std::filesystem::remove_all(folder_.path("conf"));
  for (const ChildEnd& end :
       {online_.run(with_masters("stop")), hard_.run(with_masters("status")),
        hard_.run(with_masters("start")), report_.run({"--orig_master_host=db1.invalid"})}) {
    EXPECT_EQ(end.exit_code, 3);
    EXPECT_EQ(lines(end.err), 1) << end.err;
    EXPECT_THAT(end.err, HasSubstr(folder_.path("conf")));
  }
}

TEST_F(HooksTest, OnlineOverDeadServersChangesNothing) {
  for (const char* command : {"stop", "start"}) {
    const ChildEnd end = online_.run(with_masters(command));
    EXPECT_EQ(end.exit_code, 20) << end.err;
    EXPECT_THAT(end.err, AllOf(HasSubstr("everything is as it was found"), HasSubstr("127.0.0.1:1"),
                               Not(HasSubstr("s3cret"))));
    EXPECT_THAT(end.out, Not(HasSubstr("s3cret")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("state")));
}

TEST_F(HooksTest, HardWithoutAVirtualIp) {
  EXPECT_EQ(hard_.run(with_masters("status")).exit_code, 0);
  EXPECT_EQ(hard_.run(with_masters("stop")).exit_code, 0);
  EXPECT_EQ(hard_.run(with_masters("start")).exit_code, 20) << "no server to make writable";
}

// MHA names no user to stop.
TEST_F(HooksTest, StopKnowsTheSshUserThatStatusWasGiven) {
  folder_.write("conf/cluster.conf",
                "[default]\nvip_type = metal\nwriter_vip_cidr = 10.0.0.100/24\n"
                "cluster_interface = eth0\nunfenced_failover = refuse\n");
  const std::vector<std::string> host{"--orig_master_host=db1.invalid",
                                      "--orig_master_ip=127.0.0.1",
                                      "--ssh_options=-p 1 -o StrictHostKeyChecking=no"};
  std::vector<std::string> arguments{"--command=status", "--ssh_user=mha_helper"};
  arguments.insert(arguments.end(), host.begin(), host.end());
  EXPECT_EQ(hard_.run(arguments).exit_code, 20);
  arguments = {"--command=stop"};
  arguments.insert(arguments.end(), host.begin(), host.end());
  const ChildEnd stop = hard_.run(arguments);
  EXPECT_EQ(stop.exit_code, 20);
  EXPECT_THAT(stop.err, HasSubstr("mha_helper@"));
}

TEST_F(HooksTest, OptionsOfAnotherMhaAreNoFailure) {
  std::vector<std::string> arguments = with_masters("status");
  arguments.emplace_back("--new_in_mha_059=s3cret");
  const ChildEnd end = hard_.run(arguments);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("--new_in_mha_059"), Not(HasSubstr("s3cret"))));
}

// --- the report

TEST_F(HooksTest, WithoutAnAddresseeThereIsNoReport) {
  const ChildEnd end = report_.run({"--orig_master_host=db1.invalid", "--subject=s", "--body=b"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, HasSubstr("report_email is not set"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("state/spool")));
}

TEST_F(HooksTest, AReportThatCannotBeSentIsKeptAndThatIsSaid) {
  conf("report_email = dba@example.com\n");
  const std::string body(1 << 20, 'x');
  const ChildEnd end =
      report_.run({"--orig_master_host=db1.invalid", "--conf=" + folder_.path("none.cnf"),
                   "--subject=failover", "--body=" + body});
  EXPECT_EQ(end.exit_code, 10) << end.err;
  EXPECT_THAT(end.err, AllOf(HasSubstr("was not sent"), HasSubstr(folder_.path("state/spool")),
                             HasSubstr("none.cnf")));
  ASSERT_FALSE(std::filesystem::is_empty(folder_.path("state/spool")));
}

// As the hooks find it, whose arguments have the address.
TEST_F(HooksTest, AReportsHostIsFoundByItsAddressToo) {
  conf("[10.0.0.1]\nreport_email = dba@example.com\n");
  folder_.write("conf/other.conf", "[default]\nvip_type = none\n[db9]\n");
  const std::string mha =
      folder_.write("app.cnf", "[server1]\nhostname=db1.invalid\nip=10.0.0.1\nport=1\n");
  const ChildEnd end =
      report_.run({"--orig_master_host=db1.invalid", "--conf=" + mha, "--subject=s", "--body=b"});
  EXPECT_EQ(end.exit_code, 10) << end.err;
  EXPECT_THAT(end.err, HasSubstr("was not sent"));
  EXPECT_FALSE(std::filesystem::is_empty(folder_.path("state/spool")));
  // And without --conf by the resolver.
  conf("[127.0.0.1]\n");
  const ChildEnd without = report_.run({"--orig_master_host=localhost", "--body=b"});
  EXPECT_EQ(without.exit_code, 0) << without.err;
  EXPECT_THAT(without.out, HasSubstr("report_email is not set for localhost"));
}

TEST_F(HooksTest, APasswordThatOthersCanReadIsNotUsed) {
  const std::string file = folder_.write("smtp_password", "s3cret\n", 0644);
  conf("report_email = dba@example.com\nsmtp_user = u\nsmtp_password_file = " + file + "\n");
  const ChildEnd end = report_.run({"--orig_master_host=db1.invalid", "--subject=s", "--body=b"});
  EXPECT_EQ(end.exit_code, 10);
  EXPECT_THAT(end.err, AllOf(HasSubstr("chmod 600"), HasSubstr(file), Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace mha
