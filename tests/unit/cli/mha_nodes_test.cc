// From MHA's own configuration to the host that MHA would have passed to a hook.
#include "cli/mha_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/hooks.h"
#include "fakes/fake_log.h"
#include "unit/cli/child_program.h"
#include "unit/config/login_sample.h"

namespace mha {
namespace {

using testing::ElementsAre;

class MhaNodesTest : public testing::Test {
 protected:
  Result<NodeSpec> node(const MhaServer& server) {
    folder_.write("conf/cluster.conf",
                  "[default]\nvip_type = none\nkill_after_timeout = 7\n" + more_);
    Program program{{"p", "", ""},
                    CommandLine::parse({}, online_hook_options(), UnknownOptions::kWarn).value(),
                    log_,
                    clock_,
                    interrupt_,
                    folder_.path("conf"),
                    folder_.path("state"),
                    passwords_};
    const Result<HelperConfig> config = HelperConfig::load(program.config_dir);
    if (!config.ok()) return config.error();
    return node_from_mha(program, config.value(), server, "original master");
  }
  static MhaServer server() {
    MhaServer found;
    found.hostname = "db1";
    found.ip = "10.0.0.1";
    found.port = 3307;
    found.user = "mha";
    found.password = Secret{std::string{"p$w"}};
    found.ssh_user = "mha_helper";
    return found;
  }

  CliFolder folder_;
  FakeLog log_;
  SystemClock clock_;
  Interrupt interrupt_;
  VariablePasswords passwords_;
  std::string more_;  // of our configuration
};

TEST_F(MhaNodesTest, UsersPortsAndSettings) {
  const Result<NodeSpec> spec = node(server());
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec.value().role, "original master");
  EXPECT_EQ(spec.value().host, "db1");
  EXPECT_EQ(spec.value().port, 3307);
  EXPECT_EQ(spec.value().mysql.host, "10.0.0.1");
  EXPECT_EQ(spec.value().mysql.user, "mha");
  EXPECT_EQ(spec.value().mysql.password.reveal(), "p$w") << "a conf is not escaped";
  EXPECT_EQ(spec.value().ssh.host, "db1");
  EXPECT_EQ(spec.value().ssh.user, "mha_helper");
  EXPECT_FALSE(spec.value().ssh.port.has_value()) << "22 is left to ssh_config";
  EXPECT_FALSE(spec.value().ssh.host_key_policy.has_value());
  EXPECT_EQ(spec.value().settings.kill_after_timeout.count(), 7);
}

TEST_F(MhaNodesTest, ALoginPathIsForWhereTheConfHasNoPassword) {
  MhaServer without = server();
  without.password = Secret{};
  passwords_.mysql = Secret{std::string{"from the environment"}};
  EXPECT_EQ(node(without).value().mysql.password.reveal(), "from the environment");
  EXPECT_EQ(node(server()).value().mysql.password.reveal(), "p$w");
  more_ = "mysql_login_path = hard\nmysql_login_file = " +
          folder_.write("mylogin.cnf", login_file_sample(), 0600) + "\n";
  EXPECT_EQ(node(without).value().mysql.user, "repl user");
  EXPECT_EQ(node(without).value().mysql.password.reveal(), "a#b'c\"d\n e;=");
  EXPECT_EQ(node(server()).value().mysql.user, "mha");
}

TEST_F(MhaNodesTest, WithoutAnAddressByName) {
  MhaServer nameless = server();
  nameless.ip = "";
  const Result<NodeSpec> spec = node(nameless);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec.value().mysql.host, "db1");
}

// As MHA passes ssh_options on: its own defaults first.
TEST_F(MhaNodesTest, SshOptionsHaveMhasDefaultsBeforeThem) {
  MhaServer with_options = server();
  with_options.ssh_host = "db1-admin";
  with_options.ssh_port = 2222;
  with_options.ssh_options = "-i /key -o StrictHostKeyChecking=yes";
  const Result<NodeSpec> spec = node(with_options);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec.value().ssh.host, "db1-admin");
  EXPECT_EQ(spec.value().ssh.port, 2222);
  EXPECT_THAT(spec.value().ssh.identity_files, ElementsAre("/key"));
  EXPECT_EQ(spec.value().ssh.host_key_policy, HostKeyPolicy::kStrict)
      << "but for the one that accepts any host key";
  EXPECT_EQ(spec.value().ssh.connection_attempts, 5U);
}

TEST_F(MhaNodesTest, TheAddressIsForSshToo) {
  MhaServer with_address = server();
  with_address.ssh_ip = "10.0.0.1";
  EXPECT_EQ(node(with_address).value().ssh.address, "10.0.0.1");
  with_address.ssh_options = "-6";
  EXPECT_EQ(node(with_address).value().ssh.address, "10.0.0.1");
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "SSH to db1: ssh_options: not honoured here"));
}

// As a hook finds it, which gets the address from MHA.
TEST_F(MhaNodesTest, ASectionNamedByTheAddressIsFoundWithoutOneInTheConf) {
  MhaServer nameless = server();
  nameless.hostname = "localhost";
  nameless.ip = "";
  EXPECT_EQ(node(nameless).value().ip, "") << "nobody is asked where no section is an address";
  more_ = "[127.0.0.1]\nkill_after_timeout = 3\n";
  const Result<NodeSpec> spec = node(nameless);
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec.value().settings.kill_after_timeout.count(), 3);
  EXPECT_EQ(spec.value().mysql.host, "localhost");
  more_ += "[localhost]\nkill_after_timeout = 4\n";
  EXPECT_EQ(node(nameless).value().settings.kill_after_timeout.count(), 4);
}

TEST_F(MhaNodesTest, BadSshOptionsAreNamed) {
  MhaServer bad = server();
  bad.ssh_options = "-o";
  const Result<NodeSpec> spec = node(bad);
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(spec.error().message, testing::HasSubstr("ssh_options of db1"));
}

}  // namespace
}  // namespace mha
