// The files in conf/: they load without a remark, and the sample shows every option.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "config/helper_config.h"
#include "config/known_options.h"
#include "config/mha_conf.h"
#include "source_paths.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::IsEmpty;

std::string sample_path(const std::string& name) { return MHA_SOURCE_DIR "/conf/" + name; }

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Sample, LoadsWithoutARemark) {
  const TempFolder folder;
  folder.write("sample.conf", content_of(sample_path("mha-helper.conf")));
  const auto config = HelperConfig::load(folder.path());
  ASSERT_TRUE(config.ok());
  for (const Diagnostic& diagnostic : config.value().diagnostics()) {
    ADD_FAILURE() << diagnostic.text();
  }
  const auto db2 = config.value().find("db2.example.com", "");
  ASSERT_TRUE(db2.ok());
  EXPECT_THAT(db2.value().warnings, IsEmpty());
  EXPECT_EQ(db2.value().settings.cluster_interface, "eth1");
  EXPECT_EQ(db2.value().settings.writer_vip->text(), "192.0.2.100/24");
}

TEST(Sample, LoadsWithEveryOptionUncommented) {
  const std::string text = content_of(sample_path("mha-helper.conf"));
  const std::string uncommented = std::regex_replace(text, std::regex("\n#([a-z_]+ = )"), "\n$1");
  ASSERT_NE(uncommented, text);
  const TempFolder folder;
  const std::string file = folder.write("sample.conf", uncommented);
  const HelperFile read = read_helper_file(file);
  for (const Diagnostic& diagnostic : read.diagnostics) {
    ADD_FAILURE() << diagnostic.text();
  }
  EXPECT_EQ(read.hosts.size(), 2U);
}

TEST(Sample, ShowsEveryOptionOnceWithItsDefault) {
  const std::string text = content_of(sample_path("mha-helper.conf"));
  const std::string defaults = text.substr(0, text.find("\n[db1"));
  for (const KnownOption& option : known_options()) {
    const std::string name(option.name);
    const std::regex line("\n(#?)" + name + " = ([^\n]*)");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(defaults, match, line)) << name;
    const std::string suffix = match.suffix();
    EXPECT_FALSE(std::regex_search(suffix, line)) << name << " is there twice";
    const bool commented_out = match[1] == "#";
    if (commented_out && !option.default_text.empty()) {
      EXPECT_EQ(match[2], std::string(option.default_text)) << name;
    }
  }
}

TEST(Sample, MhaConfLoads) {
  const auto conf = load_mha_conf(sample_path("mha-app.cnf.sample"), "/nonexistent");
  ASSERT_TRUE(conf.ok()) << conf.error().message;
  EXPECT_THAT(conf.value().warnings, IsEmpty());
  ASSERT_EQ(conf.value().servers.size(), 3U);
  EXPECT_EQ(conf.value().defaults.at("master_ip_failover_script"),
            "/usr/bin/master_ip_hard_failover_helper");
  EXPECT_EQ(conf.value().defaults.at("master_ip_online_change_script"),
            "/usr/bin/master_ip_online_failover_helper");
  EXPECT_EQ(conf.value().defaults.at("report_script"), "/usr/bin/master_failover_report");
}

TEST(Sample, SudoersAllowsExactlyTwoCommands) {
  const std::string text = content_of(sample_path("mha-helper.sudoers"));
  const std::regex rule("\n(\\w+) ALL=\\(root\\) NOPASSWD: ([^\n,]*), ([^\n,]*)\n");
  std::smatch match;
  ASSERT_TRUE(std::regex_search(text, match, rule));
  EXPECT_EQ(match[1], "mha_helper");
  EXPECT_EQ(match[2], "/usr/sbin/ip");
  EXPECT_EQ(match[3], "/usr/bin/arping");
  const std::string suffix = match.suffix();
  EXPECT_FALSE(std::regex_search(suffix, std::regex("(^|\n)[^#\n]"))) << "the rest is comment";
}

// What an operator may allow besides: to end the server, by its own user, and its service.
TEST(Sample, SudoersOffersTheKillAndNoMore) {
  const std::string text = content_of(sample_path("mha-helper.sudoers"));
  const std::regex offered("\n#mha_helper ALL=([^\n]*)");
  std::vector<std::string> rules;
  for (std::sregex_iterator one(text.begin(), text.end(), offered), end; one != end; ++one) {
    rules.push_back((*one)[1]);
  }
  EXPECT_EQ(rules,
            (std::vector<std::string>{"(mysql) NOPASSWD: /usr/bin/kill -KILL [0-9]*",
                                      "(root) NOPASSWD: /usr/bin/systemctl --no-ask-password stop "
                                      "mariadb.service"}));
}

TEST(Sample, SudoersIsWellFormed) {
  const std::string visudo = "/usr/sbin/visudo";
  if (!std::filesystem::exists(visudo)) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") {
      FAIL() << visudo << " is missing (package sudo)";
    }
    GTEST_SKIP() << visudo << " is missing (package sudo)";
  }
  const std::string command = visudo + " -cqf '" + sample_path("mha-helper.sudoers") + "'";
  const int status = std::system(command.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
}

}  // namespace
}  // namespace mha
