// A folder of configuration files: which file answers for a host.
#include "config/helper_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class HelperConfigTest : public testing::Test {
 protected:
  HelperConfig load() {
    auto config = HelperConfig::load(folder_.path());
    EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message);
    return config.ok() ? std::move(config).value() : HelperConfig{};
  }
  HelperConfig::Lookup found(const std::string& host, const std::string& ip = "") {
    auto lookup = load().find(host, ip);
    EXPECT_TRUE(lookup.ok()) << (lookup.ok() ? "" : lookup.error().message);
    return lookup.ok() ? std::move(lookup).value() : HelperConfig::Lookup{};
  }
  std::string refused(const std::string& host, const std::string& ip = "") {
    const auto lookup = load().find(host, ip);
    EXPECT_FALSE(lookup.ok());
    if (lookup.ok()) {
      return "";
    }
    EXPECT_EQ(lookup.error().code, Code::kConfig);
    EXPECT_EQ(lookup.error().message.find('\n'), std::string::npos);
    return lookup.error().message;
  }
  [[nodiscard]] std::string path(std::string_view name) const { return folder_.path(name); }

  TempFolder folder_;
};

TEST_F(HelperConfigTest, FailsOnlyWithoutAnyFile) {
  const auto missing = HelperConfig::load(path("none"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kConfig);
  EXPECT_EQ(missing.error().message,
            "cannot read the configuration folder " + path("none") + ": No such file or directory");

  const std::string file = folder_.write("plain", "");
  EXPECT_THAT(HelperConfig::load(file).error().message, HasSubstr("Not a directory"));

  folder_.write("a.conf.bak", "[db1]\n");
  folder_.write(".a.conf", "[db1]\n");
  const auto empty = HelperConfig::load(folder_.path());
  ASSERT_FALSE(empty.ok());
  EXPECT_THAT(empty.error().message,
              StartsWith("no *.conf file in the configuration folder " + folder_.path()));
}

TEST_F(HelperConfigTest, MatchesByNameAndByAddress) {
  folder_.write("a.conf",
                "[default]\nkill_after_timeout=9\n[DB1.example.com]\nkill_after_timeout=1\n"
                "[10.0.0.2]\nkill_after_timeout=2\n[2001:db8::3]\nkill_after_timeout=3\n");
  EXPECT_EQ(found("db1.EXAMPLE.com", "10.0.0.1").settings.kill_after_timeout, seconds{1});
  EXPECT_EQ(found("db1.example.com.").settings.kill_after_timeout, seconds{1});
  EXPECT_EQ(found("db2", "10.0.0.2").settings.kill_after_timeout, seconds{2});
  EXPECT_EQ(found("10.0.0.2").settings.kill_after_timeout, seconds{2});
  EXPECT_EQ(found("", "10.0.0.2").settings.kill_after_timeout, seconds{2});
  EXPECT_EQ(found("db3", "2001:DB8:0:0:0::3").settings.kill_after_timeout, seconds{3});
  EXPECT_EQ(found("db2", "10.0.0.2").settings.host, "10.0.0.2");
  EXPECT_THAT(found("db2", "10.0.0.2").warnings, IsEmpty());
  EXPECT_EQ(load().find("", "").error().code, Code::kInternal);
}

TEST_F(HelperConfigTest, ASingleFileAnswersForEveryHost) {
  const std::string file = folder_.write(
      "a.conf", "[default]\nkill_after_timeout=9\ncolour=red\n[db1]\nkill_after_timeout=1\n");
  const HelperConfig::Lookup lookup = found("db9", "10.0.0.9");
  EXPECT_EQ(lookup.settings.kill_after_timeout, seconds{9});
  EXPECT_EQ(lookup.settings.host, "db9");
  EXPECT_EQ(lookup.settings.file, file);
  EXPECT_THAT(lookup.warnings,
              ElementsAre(file + ":3: [default] colour: unknown option, ignored",
                          "host db9 has no section in " + file + ": [default] is used"));
  EXPECT_EQ(found("", "10.0.0.9").settings.host, "10.0.0.9");
}

TEST_F(HelperConfigTest, ButNotWhereItHasNoUsableDefault) {
  const std::string file = folder_.write("a.conf", "[db1]\n");
  EXPECT_EQ(refused("db9"), "host db9 has no section in " + file +
                                ", and [default] alone is not enough: " + file +
                                ": has no [default] section");
  folder_.write(
      "a.conf",
      "[default]\nvip_type=metal\nwriter_vip_cidr=192.0.2.1/24\n[db1]\ncluster_interface=e\n");
  EXPECT_THAT(refused("db9"),
              AllOf(HasSubstr("[default] alone is not enough"), HasSubstr(file + ":1: [default] "),
                    HasSubstr("cluster_interface: vip_type = metal needs it")));
}

TEST_F(HelperConfigTest, SeveralFilesDoNot) {
  folder_.write("a.conf", "[default]\n[db1]\n");
  folder_.write("b.conf", "[default]\n[db2]\n");
  folder_.write("c.conf", "nonsense\n");
  EXPECT_EQ(refused("db9", "10.0.0.9"),
            "host db9 has a section in none of the files " + path("a.conf") + ", " +
                path("b.conf") + ", " + path("c.conf") +
                " (which has errors), and with several files there is no saying whose [default] it "
                "should get: add [db9] to one");
}

TEST_F(HelperConfigTest, ABadFileDisablesOnlyItself) {
  folder_.write("a.conf", "[default]\nvip_type=steel\nrequires_sudo=x\n[db1]\n");
  folder_.write("b.conf", "[db2]\n");
  folder_.write("c.conf", std::string("\0\1\2", 3));
  EXPECT_EQ(refused("db1"), path("a.conf") +
                                ":2: [default] vip_type: 'steel' is none of: none, metal, aws, "
                                "openstack (and 1 more error in the configuration)");
  EXPECT_EQ(found("db2").settings.file, path("b.conf"));
  EXPECT_EQ(load().diagnostics().size(), 3U);
}

TEST_F(HelperConfigTest, ASingleBadFileAnswersWithItsErrors) {
  folder_.write("a.conf", "nonsense\n");
  EXPECT_EQ(refused("db1"),
            path("a.conf") + ":1: neither a [section], nor 'key = value', nor a comment");
  folder_.write("a.conf", "");
  EXPECT_EQ(refused("db1"), path("a.conf") + ": is empty");
}

TEST_F(HelperConfigTest, AHostInTwoFilesIsAnErrorOfThatHost) {
  folder_.write("a.conf", "[default]\n[db1]\n[db2]\n");
  folder_.write("b.conf", "[db3]\n\n[DB1]\n");
  EXPECT_EQ(refused("db1"), "host db1 is configured twice: [db1] in " + path("a.conf") +
                                ":2 and [DB1] in " + path("b.conf") + ":3; remove one of them");
  EXPECT_EQ(found("db2").settings.file, path("a.conf"));
  EXPECT_EQ(found("db3").settings.file, path("b.conf"));
  const HelperConfig config = load();
  ASSERT_EQ(config.diagnostics().size(), 1U);
  EXPECT_EQ(config.diagnostics()[0].text(),
            path("b.conf") + ":3: [DB1] this host is in another file too: [db1] in " +
                path("a.conf") + ":2; remove one of them");
  EXPECT_EQ(config.diagnostics()[0].severity, Severity::kError);
}

TEST_F(HelperConfigTest, AHostByNameAndByAddressIsTwice) {
  folder_.write("a.conf", "[db1]\n[10.0.0.1]\n");
  EXPECT_THAT(load().diagnostics(), IsEmpty());  // nothing is resolved at load
  EXPECT_EQ(refused("db1", "10.0.0.1"), "host db1 (10.0.0.1) is configured twice: [10.0.0.1] in " +
                                            path("a.conf") + ":2 and [db1] in " + path("a.conf") +
                                            ":1; remove one of them");
  EXPECT_EQ(found("db1").settings.host, "db1");
}

}  // namespace
}  // namespace mha
