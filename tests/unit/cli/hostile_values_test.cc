// What could leave its place in a command line: refused where it is read, or one word to a real sh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/shell_quote.h"
#include "cli/hook_request.h"
#include "cli/hooks.h"
#include "config/helper_config.h"
#include "config/mha_conf.h"
#include "engine/remote_logs.h"
#include "engine/script_command.h"
#include "fakes/fake_log.h"
#include "fakes/local_shell.h"
#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

// Each would make a file PWNED somewhere, be an option, or be more than one word. `one_line`: can
// stand in a conf.
struct Hostile {
  std::string value;
  bool one_line = true;
};

const std::vector<Hostile>& hostile_values() {
  static const std::vector<Hostile> values{{"db1$(touch PWNED)"},
                                           {"db1$(touch${IFS}PWNED)"},
                                           {"`touch PWNED`"},
                                           {"`touch${IFS}PWNED`"},
                                           {"db1;touch PWNED"},
                                           {"db1;touch${IFS}PWNED"},
                                           {"db1&touch PWNED"},
                                           {"db1|touch PWNED"},
                                           {"db1>PWNED"},
                                           {"db1'$(touch PWNED)'"},
                                           {"db1'"},
                                           {"db1\"$(touch PWNED)\""},
                                           {"db1\""},
                                           {"(touch PWNED)"},
                                           {"-oProxyCommand=touch PWNED"},
                                           {"-oProxyCommand=touch${IFS}PWNED"},
                                           {"a b"},
                                           {"a\tb"},
                                           {"db1\\"},
                                           {"db1\ntouch PWNED", false},
                                           {"db1\n", false},
                                           {"\rdb1", false},
                                           {"db1\x01", false},
                                           {"db1\x7f", false}};
  return values;
}

class HostileValuesTest : public testing::Test {
 protected:
  HostileValuesTest() {
    folder_.write("conf/cluster.conf", "[default]\nvip_type = none\n");
    std::filesystem::create_directory(folder_.path("cwd"));
    old_folder_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path("cwd"));
  }
  ~HostileValuesTest() override {
    EXPECT_FALSE(std::filesystem::exists(folder_.path("cwd/PWNED"))) << "it was run";
    std::filesystem::current_path(old_folder_);
  }
  Result<NodeSpec> hook_node(const std::vector<std::string>& arguments) {
    Result<CommandLine> line =
        CommandLine::parse(arguments, online_hook_options(), UnknownOptions::kWarn);
    if (!line.ok()) return line.error();
    Program program{{"hook", "", ""},     std::move(line).value(), log_, clock_, interrupt_,
                    folder_.path("conf"), folder_.path("state")};
    return node_from_options(program, Master::kOrig);
  }
  Deadline soon() { return clock_.deadline_after(Milliseconds{10'000}); }
  // What sh makes of `command`, with `printf` in place of the script that it names.
  std::string words_of(const std::string& command) {
    const Result<CommandOutput> output = shell_.run(command, soon());
    return output.ok() ? output.value().out : "error: " + output.error().message;
  }

  CliFolder folder_;
  std::filesystem::path old_folder_;
  FakeLog log_;
  SystemClock clock_;
  Interrupt interrupt_;
  LocalShell shell_{"here", clock_};
};

TEST_F(HostileValuesTest, OnAHooksCommandLine) {
  const std::vector<std::string> options{"orig_master_host",     "orig_master_ip",
                                         "orig_master_ssh_host", "orig_master_ssh_ip",
                                         "orig_master_ssh_user", "ssh_user"};
  for (const std::string& option : options) {
    for (const Hostile& hostile : hostile_values()) {
      std::vector<std::string> arguments{"--" + option + "=" + hostile.value};
      if (option != "orig_master_host") arguments.emplace_back("--orig_master_host=db1");
      const Result<NodeSpec> node = hook_node(arguments);
      ASSERT_FALSE(node.ok()) << option << "=" << hostile.value;
      EXPECT_EQ(node.error().code, Code::kUsage) << option << "=" << hostile.value;
      EXPECT_THAT(node.error().message, HasSubstr("--" + option));
      EXPECT_THAT(node.error().message, Not(HasSubstr("\n")));
    }
  }
}

TEST_F(HostileValuesTest, InMhasConfiguration) {
  for (const std::string key : {"hostname", "ip", "ssh_host", "ssh_ip", "ssh_user"}) {
    for (const Hostile& hostile : hostile_values()) {
      if (!hostile.one_line) continue;
      if (key == "ssh_user" && hostile.value == "db1\\") continue;  // DOMAIN\x is a user
      // MHA takes a quote off the end.
      const std::string value = hostile.value + (hostile.value.ends_with('\'') ? "x" : "");
      const std::string host = key == "hostname" ? "" : "hostname=db1\n";
      folder_.write("app.cnf", "[server1]\n" + host + key + "=" + value + "x\n");
      const auto conf = load_mha_conf(folder_.path("app.cnf"), "/nonexistent");
      ASSERT_FALSE(conf.ok()) << key << "=" << value;
      EXPECT_THAT(conf.error().message, HasSubstr("[server1] " + key + ": ")) << value;
    }
  }
  using namespace std::string_literals;
  folder_.write("app.cnf", "[server1]\nhostname=db1\0x\n"s);
  EXPECT_THAT(load_mha_conf(folder_.path("app.cnf"), "/nonexistent").error().message,
              HasSubstr("control character 0x00"));
}

TEST_F(HostileValuesTest, InOurConfiguration) {
  const std::string good =
      "vip_type = metal\nwriter_vip_cidr = 192.0.2.1/24\ncluster_interface = eth0\n";
  const auto refused = [this](const std::string& text) {
    folder_.write("conf/cluster.conf", text);
    const Result<HelperConfig> config = HelperConfig::load(folder_.path("conf"));
    EXPECT_TRUE(config.ok());
    return has_error(config.value().diagnostics());
  };
  ASSERT_FALSE(refused("[default]\n" + good + "[db1]\n"));
  for (const Hostile& hostile : hostile_values()) {
    if (!hostile.one_line) continue;
    EXPECT_TRUE(refused("[default]\n" + good + "[" + hostile.value + "]\n")) << hostile.value;
    for (const std::string key : {"cluster_interface", "writer_vip_cidr"}) {
      EXPECT_TRUE(refused("[default]\n" + good + "[db1]\n" + key + " = " + hostile.value + "\n"))
          << key << " = " << hostile.value;
    }
  }
  using namespace std::string_literals;
  EXPECT_TRUE(refused("[default]\n" + good + "[db1]\ncluster_interface = eth0\0\n"s));
}

// Users and passwords may be anything: a script gets each as one word, as MHA escapes it.
TEST_F(HostileValuesTest, UsersAndPasswordsForAScriptOfOthers) {
  for (const Hostile& hostile : hostile_values()) {
    const ScriptHost host{
        "db1", "10.0.0.1", 3306, hostile.value, Secret{std::string{hostile.value}}, "root", {}};
    const ScriptCommand command = online_change_command("printf '<%s>'", OnlineChange::kStop, host,
                                                        host, OrigMaster::kStaysAlone);
    std::string escaped;
    for (const char c : hostile.value) {
      if (std::string_view{"\\\"!#&;`|*?~<>^()[]{}$, "}.find(c) != std::string_view::npos) {
        escaped += '\\';
      }
      escaped += c;
    }
    const std::string words = words_of(command.command.reveal());
    EXPECT_THAT(words, HasSubstr("<--orig_master_user=" + escaped + ">")) << hostile.value;
    EXPECT_THAT(words, HasSubstr("<--new_master_password=" + escaped + ">")) << hostile.value;
  }
}

// Folders of MHA's configuration come into commands on the hosts.
TEST_F(HostileValuesTest, FoldersOfBinaryLogs) {
  for (const Hostile& hostile : hostile_values()) {
    const std::string name = std::filesystem::path(hostile.value).filename();
    const std::string folder = folder_.path("logs/") + name;
    std::filesystem::create_directories(folder);
    folder_.write("logs/" + name + "/bin.000001", "four");
    const Result<RemoteLogs> logs = list_logs(shell_, {folder}, "bin", soon());
    const bool is_plain = hostile.one_line && hostile.value.find('\t') == std::string::npos;
    ASSERT_EQ(logs.ok(), is_plain) << hostile.value;
    if (!logs.ok()) continue;
    ASSERT_EQ(logs.value().files.size(), 1U);
    const Result<std::string> bytes =
        read_bytes(shell_, logs.value().path(logs.value().files[0]), 1, 3, soon());
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(bytes.value(), "ou");
  }
}

TEST_F(HostileValuesTest, TheOneFunctionThatQuotes) {
  for (const Hostile& hostile : hostile_values()) {
    EXPECT_EQ(words_of("printf '<%s>' " + shell_quote(hostile.value)), "<" + hostile.value + ">");
  }
}

}  // namespace
}  // namespace mha
