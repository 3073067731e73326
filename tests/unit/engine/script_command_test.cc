// The words that MHA's scripts get.
#include "engine/script_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

ClusterHost host_named(const std::string& name, const std::string& ip) {
  ClusterHost host;
  host.node.host = name;
  host.node.ip = ip;
  host.node.mysql.user = "mha";
  host.node.mysql.password = Secret{"it's a $ecret"};
  host.mha_ssh.user = "root";
  host.mha_ssh.host = name;
  host.mha_ssh.ip = ip;
  return host;
}

const ResolveHost kResolve = [](const std::string& host) {
  return host == "db2" ? std::vector<std::string>{"10.0.0.2", "fe80::2"}
                       : std::vector<std::string>{};
};

class ScriptCommandTest : public testing::Test {
 protected:
  ClusterHost orig_ = host_named("db1", "10.0.0.1");
  ClusterHost next_ = host_named("db2", "");

  [[nodiscard]] ScriptCommand stop(OrigMaster orig_master = OrigMaster::kBecomesReplica) const {
    return online_change_command("/usr/bin/change.pl --key=hush", OnlineChange::kStop,
                                 script_host(orig_, kResolve), script_host(next_, kResolve),
                                 orig_master);
  }
};

TEST_F(ScriptCommandTest, OnlineChangeAsMhaCallsIt) {
  EXPECT_EQ(stop().command.reveal(),
            "/usr/bin/change.pl --key=hush --command=stop --orig_master_host=db1 "
            "--orig_master_ip=10.0.0.1 --orig_master_port=3306 --orig_master_user=mha "
            "--new_master_host=db2 --new_master_ip=10.0.0.2 --new_master_port=3306 "
            "--new_master_user=mha --orig_master_ssh_user=root --new_master_ssh_user=root "
            "--orig_master_is_new_slave --orig_master_password='it'\\''s\\ a\\ \\$ecret' "
            "--new_master_password='it'\\''s\\ a\\ \\$ecret'");
  EXPECT_THAT(stop(OrigMaster::kStaysAlone).command.reveal(), Not(HasSubstr("is_new_slave")));
}

TEST_F(ScriptCommandTest, WhatIsShownHasNoSecret) {
  const std::string shown = stop().shown;
  EXPECT_THAT(shown, HasSubstr("/usr/bin/change.pl ... --command=stop"));
  EXPECT_THAT(shown, HasSubstr("--orig_master_password=xxx"));
  EXPECT_THAT(shown, Not(HasSubstr("ecret")));
  EXPECT_THAT(shown, Not(HasSubstr("hush"))) << "the script's own arguments may be secret";
}

TEST_F(ScriptCommandTest, AnEmptyPasswordComesAsMhaPassesIt) {
  next_.node.mysql.password = Secret{};
  EXPECT_THAT(stop().command.reveal(), HasSubstr(" --new_master_password="));
  EXPECT_TRUE(stop().command.reveal().ends_with("--new_master_password="));
}

TEST_F(ScriptCommandTest, SshIsToldOnlyWhereItDiffers) {
  EXPECT_THAT(stop().command.reveal(), Not(HasSubstr("ssh_host")));
  next_.mha_ssh.host = "db2-admin";
  next_.mha_ssh.ip = "192.168.0.2";
  next_.mha_ssh.port = 2222;
  orig_.mha_ssh.options = "-i /root/key";
  const std::string command = stop().command.reveal();
  EXPECT_THAT(command, HasSubstr(" --new_master_ssh_host=db2-admin "
                                 "--new_master_ssh_ip=192.168.0.2 --new_master_ssh_port=2222"));
  EXPECT_THAT(command, Not(HasSubstr("orig_master_ssh_host")));
  EXPECT_THAT(command, HasSubstr("--ssh_options='-o ServerAliveInterval=60 -o "
                                 "ServerAliveCountMax=20 -o StrictHostKeyChecking=no -o "
                                 "ConnectionAttempts=5 -o PasswordAuthentication=no -o "
                                 "BatchMode=yes -i /root/key'"));
}

TEST_F(ScriptCommandTest, FailoverStopByWhetherSshAnswers) {
  const ScriptHost dead = script_host(orig_, kResolve);
  const std::string with = failover_stop_command("/s", dead, SshReach::kReachable).command.reveal();
  EXPECT_EQ(with,
            "/s --orig_master_host=db1 --orig_master_ip=10.0.0.1 --orig_master_port=3306 "
            "--command=stopssh --ssh_user=root");
  const std::string without =
      failover_stop_command("/s", dead, SshReach::kUnreachable).command.reveal();
  EXPECT_THAT(without, HasSubstr("--command=stop"));
  EXPECT_THAT(without, Not(HasSubstr("stopssh")));
  EXPECT_THAT(without, Not(HasSubstr("ssh_user")));
  EXPECT_THAT(without, Not(HasSubstr("password")));
}

TEST_F(ScriptCommandTest, FailoverStart) {
  EXPECT_EQ(failover_start_command("/s", script_host(orig_, kResolve), script_host(next_, kResolve),
                                   SshReach::kUnreachable)
                .command.reveal(),
            "/s --command=start --ssh_user=root --orig_master_host=db1 "
            "--orig_master_ip=10.0.0.1 --orig_master_port=3306 --new_master_host=db2 "
            "--new_master_ip=10.0.0.2 --new_master_port=3306 --new_master_user=mha "
            "--new_master_password='it'\\''s\\ a\\ \\$ecret'");
}

TEST_F(ScriptCommandTest, AReportsTextCannotLeaveItsQuotes) {
  ReportRequest report;
  report.orig_master_host = "db1";
  report.subject = "it's $(reboot)";
  report.body = "a\n\"b\"";
  EXPECT_EQ(report_command("/r", report, "/etc/app1.cnf").command.reveal(),
            "/r --orig_master_host=db1 --conf=/etc/app1.cnf "
            "--subject='it'\\''s $(reboot)' --body='a\n\"b\"'");
}

TEST(ScriptNames, OursIsKnownInAnyFolder) {
  EXPECT_TRUE(is_our_program("/opt/bin/master_ip_online_failover_helper --x=1",
                             "master_ip_online_failover_helper"));
  EXPECT_TRUE(
      is_our_program("master_ip_online_failover_helper", "master_ip_online_failover_helper"));
  EXPECT_FALSE(is_our_program("/opt/wrap master_ip_online_failover_helper",
                              "master_ip_online_failover_helper"));
  EXPECT_EQ(script_name("  /a/b.sh --c=/d/e"), "b.sh");
  EXPECT_EQ(script_name(""), "");
}

}  // namespace
}  // namespace mha
