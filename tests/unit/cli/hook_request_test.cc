// From MHA's options and the configuration to a host.
#include "cli/hook_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/hooks.h"
#include "fakes/fake_log.h"
#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class HookRequestTest : public testing::Test {
 protected:
  HookRequestTest() { conf("[default]\nvip_type = none\n"); }

  void conf(const std::string& text) { folder_.write("conf/cluster.conf", text); }
  Result<NodeSpec> node(std::vector<std::string> arguments, Master master = Master::kOrig) {
    Result<CommandLine> line =
        CommandLine::parse(arguments, online_hook_options(), UnknownOptions::kWarn);
    if (!line.ok()) return line.error();
    Program program{{"hook", "", ""},     std::move(line).value(), log_, clock_, interrupt_,
                    folder_.path("conf"), folder_.path("state")};
    return node_from_options(program, master);
  }

  CliFolder folder_;
  FakeLog log_;
  SystemClock clock_;
  Interrupt interrupt_;
};

TEST_F(HookRequestTest, AllThatMhaPasses) {
  const Result<NodeSpec> spec =
      node({"--orig_master_host=db1", "--orig_master_ip=10.0.0.1", "--orig_master_port=3307",
            "--orig_master_user=m\\ ha", "--orig_master_password=p@ss\\ w'o\\\\rd\\$1\\\"\\!",
            "--orig_master_ssh_user=mha_helper", "--orig_master_ssh_port=2222",
            "--orig_master_ssh_host=db1-admin", "--ssh_options=-i /key -o ConnectTimeout=3"});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  const NodeSpec& found = spec.value();
  EXPECT_EQ(found.role, "original master");
  EXPECT_EQ(found.host, "db1");
  EXPECT_EQ(found.port, 3307);
  EXPECT_EQ(found.mysql.host, "10.0.0.1") << "as MHA does: without a name server";
  EXPECT_EQ(found.mysql.port, 3307);
  EXPECT_EQ(found.mysql.user, "m ha");
  EXPECT_EQ(found.mysql.password.reveal(), "p@ss w'o\\rd$1\"!");
  EXPECT_EQ(found.ssh.host, "db1-admin");
  EXPECT_EQ(found.ssh.port, 2222);
  EXPECT_EQ(found.ssh.user, "mha_helper");
  EXPECT_THAT(found.ssh.identity_files, ElementsAre("/key"));
  EXPECT_EQ(found.ssh.connect_timeout, Milliseconds{3000});
}

// As MHA's own ssh goes by ssh_ip, and names it where it is not the host's address.
TEST_F(HookRequestTest, TheAddressIsForSshToo) {
  const auto address = [this](std::vector<std::string> more) {
    more.insert(more.end(), {"--orig_master_host=db1", "--orig_master_ip=10.0.0.1"});
    const Result<NodeSpec> spec = node(std::move(more));
    EXPECT_TRUE(spec.ok());
    return spec.value().ssh.address;
  };
  EXPECT_EQ(address({}), "10.0.0.1");
  EXPECT_EQ(address({"--orig_master_ssh_host=DB1"}), "10.0.0.1");
  EXPECT_EQ(address({"--orig_master_ssh_host=db1-admin"}), "");
  EXPECT_EQ(address({"--orig_master_ssh_host=db1-admin", "--orig_master_ssh_ip=192.168.0.1"}),
            "192.168.0.1");
}

TEST_F(HookRequestTest, SshOptionsThatAreNotHonouredAreWarnedOf) {
  const Result<NodeSpec> spec =
      node({"--orig_master_host=db1", "--ssh_options=-6 -o ProxyJump=gate -o LogLevel=ERROR"});
  ASSERT_TRUE(spec.ok());
  EXPECT_THAT(spec.value().ssh.config_options, ElementsAre("proxyjump=gate"));
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "SSH to db1: ssh_options: not honoured here"));
  EXPECT_FALSE(log_.has(LogLevel::kWarning, "LogLevel"));
}

// A dead master's hook gets no MySQL user: nothing that is amiss with its password is in the way.
TEST_F(HookRequestTest, PasswordFilesAreForWhereMhaPassesAUserAndNoPassword) {
  conf("[default]\nvip_type = none\nmysql_password_file = " + folder_.path("password") + "\n");
  EXPECT_TRUE(node({"--orig_master_host=db1"}).ok());
  EXPECT_TRUE(
      node({"--orig_master_host=db1", "--orig_master_user=mha", "--orig_master_password=p"}).ok());
  const Result<NodeSpec> missing =
      node({"--orig_master_host=db1", "--orig_master_user=mha", "--orig_master_password="});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kConfig);
  EXPECT_THAT(missing.error().message, HasSubstr("[db1] mysql_password_file: "));
  folder_.write("password", "from file\n", 0600);
  EXPECT_EQ(node({"--orig_master_host=db1", "--orig_master_user=mha", "--orig_master_password="})
                .value()
                .mysql.password.reveal(),
            "from file");
}

// MHA's own defaults come first, and ssh takes the first: only what the conf says is to count.
TEST_F(HookRequestTest, HostKeysAreCheckedUnlessTheConfSaysOtherwise) {
  const std::string alive =
      "-o ServerAliveInterval=60 -o ServerAliveCountMax=20 -o StrictHostKeyChecking=no "
      "-o ConnectionAttempts=5 -o PasswordAuthentication=no -o BatchMode=yes ";
  const std::string check =
      "-o StrictHostKeyChecking=no -o PasswordAuthentication=no -o BatchMode=yes "
      "-o ConnectTimeout=5 ";
  const auto policy = [this](const std::string& options) {
    const Result<NodeSpec> spec = node({"--orig_master_host=db1", "--ssh_options=" + options});
    EXPECT_TRUE(spec.ok()) << options;
    return spec.value().ssh.host_key_policy;
  };
  for (const std::string& mha : {alive, check}) {
    EXPECT_EQ(policy(mha + "-i /key"), std::nullopt) << "as ssh_config says";
    EXPECT_EQ(policy(mha + "-o StrictHostKeyChecking=yes"), HostKeyPolicy::kStrict);
    EXPECT_EQ(policy(mha + "-o StrictHostKeyChecking=accept-new"), HostKeyPolicy::kAcceptNew);
    EXPECT_EQ(policy(mha + "-o StrictHostKeyChecking=no -i /key"), HostKeyPolicy::kOff);
    EXPECT_EQ(policy(mha + mha + "-i /key"), HostKeyPolicy::kOff) << "written in the conf";
  }
  EXPECT_EQ(policy("-o StrictHostKeyChecking=no -i /key"), HostKeyPolicy::kOff);
}

TEST_F(HookRequestTest, TheOtherMastersOptionsAreItsOwn) {
  const std::vector<std::string> arguments{
      "--orig_master_host=db1", "--orig_master_password=one", "--new_master_host=db2",
      "--new_master_port=3308", "--new_master_password=two",  "--ssh_user=both"};
  const Result<NodeSpec> orig = node(arguments);
  const Result<NodeSpec> next = node(arguments, Master::kNew);
  ASSERT_TRUE(orig.ok());
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(orig.value().mysql.password.reveal(), "one");
  EXPECT_EQ(orig.value().port, 3306);
  EXPECT_EQ(orig.value().ssh.user, "both");
  EXPECT_EQ(next.value().role, "new master");
  EXPECT_EQ(next.value().host, "db2");
  EXPECT_EQ(next.value().port, 3308);
  EXPECT_EQ(next.value().mysql.password.reveal(), "two");
  EXPECT_EQ(next.value().ssh.user, "both");
}

TEST_F(HookRequestTest, ItsOwnSshUserWinsOverTheCommonOne) {
  const Result<NodeSpec> spec =
      node({"--orig_master_host=db1", "--orig_master_ssh_user=own", "--ssh_user=both"});
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec.value().ssh.user, "own");
}

TEST_F(HookRequestTest, TheAddressStandsInForAMissingName) {
  const Result<NodeSpec> spec = node({"--orig_master_ip=10.0.0.1"});
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec.value().host, "10.0.0.1");
  EXPECT_EQ(spec.value().ssh.host, "10.0.0.1");
}

TEST_F(HookRequestTest, AnEmptyPasswordIsOne) {
  const Result<NodeSpec> spec = node({"--orig_master_host=db1", "--orig_master_password="});
  ASSERT_TRUE(spec.ok());
  EXPECT_TRUE(spec.value().mysql.password.empty());
}

TEST_F(HookRequestTest, TheCommandLinesMistakesAreUsage) {
  for (const auto& [arguments, says] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--new_master_host=db2"}, "--orig_master_host"},
           {{"--orig_master_host=db1", "--orig_master_port=70000"}, "--orig_master_port=70000"},
           {{"--orig_master_host=db1", "--orig_master_port=x"}, "--orig_master_port=x"},
           {{"--orig_master_host=db1", "--orig_master_ssh_port=0"}, "--orig_master_ssh_port=0"},
           {{"--orig_master_host=db1", "--ssh_options=-p"}, "--ssh_options"}}) {
    const Result<NodeSpec> spec = node(arguments);
    ASSERT_FALSE(spec.ok()) << says;
    EXPECT_EQ(spec.error().code, Code::kUsage) << says;
    EXPECT_THAT(spec.error().message, HasSubstr(says));
  }
}

TEST_F(HookRequestTest, TheConfigurationsMistakesAreConfig) {
  conf("[default]\nvip_type = metal\n");
  const Result<NodeSpec> spec = node({"--orig_master_host=db1"});
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.error().code, Code::kConfig);
  std::filesystem::remove_all(folder_.path("conf"));
  const Result<NodeSpec> without = node({"--orig_master_host=db1"});
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code, Code::kConfig);
}

TEST_F(HookRequestTest, AHostsOwnSectionCountsByNameAndByAddress) {
  conf(
      "[default]\nkill_after_timeout = 1\n[db1]\nkill_after_timeout = 2\n"
      "[10.0.0.3]\nkill_after_timeout = 3\n");
  const auto seconds = [this](std::vector<std::string> arguments) {
    const Result<NodeSpec> spec = node(std::move(arguments));
    EXPECT_TRUE(spec.ok());
    return spec.ok() ? spec.value().settings.kill_after_timeout.count() : -1;
  };
  EXPECT_EQ(seconds({"--orig_master_host=db1", "--orig_master_ip=10.0.0.1"}), 2);
  EXPECT_EQ(seconds({"--orig_master_host=db3", "--orig_master_ip=10.0.0.3"}), 3);
  EXPECT_EQ(seconds({"--orig_master_host=db4", "--orig_master_ip=10.0.0.4"}), 1);
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "db4"));
}

// A certificate is checked against a name.
TEST_F(HookRequestTest, IdentityIsVerifiedByName) {
  conf("[default]\nmysql_ssl_mode = verify_identity\nmysql_ssl_ca = /ca.pem\n");
  const Result<NodeSpec> spec = node({"--orig_master_host=db1", "--orig_master_ip=10.0.0.1"});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec.value().mysql.host, "db1");
  EXPECT_EQ(spec.value().mysql.tls_mode, MysqlTlsMode::kVerifyIdentity);
  EXPECT_EQ(spec.value().mysql.tls_ca, "/ca.pem");
}

}  // namespace
}  // namespace mha
