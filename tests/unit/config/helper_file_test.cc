// One file of the suite's own configuration: what comes out of it, and every remark on bad ones.
#include "config/helper_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class HelperFileTest : public testing::Test {
 protected:
  HelperFile read(std::string_view text) { return read_helper_file(folder_.write("x.conf", text)); }

  // The diagnostics as "W" or "E" and the text behind the file's name.
  std::vector<std::string> remarks(std::string_view text) {
    const HelperFile file = read(text);
    return texts(file.diagnostics);
  }
  std::vector<std::string> texts(const std::vector<Diagnostic>& diagnostics) {
    std::vector<std::string> out;
    for (const Diagnostic& diagnostic : diagnostics) {
      const std::string prefix = folder_.path("x.conf") + ":";
      EXPECT_THAT(diagnostic.text(), StartsWith(prefix));
      out.push_back((diagnostic.severity == Severity::kError ? "E " : "W ") +
                    diagnostic.text().substr(prefix.size()));
    }
    return out;
  }
  HostSettings host(std::string_view text, const std::string& name = "db1") {
    const HelperFile file = read(text);
    EXPECT_THAT(texts(file.diagnostics), IsEmpty());
    const auto found = file.hosts.find(name);
    EXPECT_NE(found, file.hosts.end()) << name;
    return found == file.hosts.end() ? HostSettings{} : found->second.settings;
  }

  TempFolder folder_;
};

TEST_F(HelperFileTest, AnEmptyHostSectionHasTheBuiltInDefaults) {
  const HostSettings s = host("[db1]\n");
  EXPECT_EQ(s.host, "db1");
  EXPECT_EQ(s.file, folder_.path("x.conf"));
  EXPECT_EQ(s.vip_type, VipType::kNone);
  EXPECT_FALSE(s.writer_vip.has_value());
  EXPECT_TRUE(s.requires_sudo);
  EXPECT_TRUE(s.requires_arping);
  EXPECT_FALSE(s.super_read_only);
  EXPECT_EQ(s.kill_after_timeout, seconds{5});
  EXPECT_EQ(s.lock_wait_timeout, seconds{5});
  EXPECT_EQ(s.operation_timeout, seconds{30});
  EXPECT_EQ(s.ssh_session_keep, seconds{60});
  EXPECT_EQ(s.unfenced_failover, UnfencedFailover::kProceed);
  EXPECT_EQ(s.mysql_ssl_mode, MysqlTlsMode::kPreferred);
  EXPECT_THAT(s.report_email, IsEmpty());
  EXPECT_EQ(s.smtp_host, "localhost");
  EXPECT_EQ(s.smtp_port, 25);
  std::array<char, 256> name{};
  ASSERT_EQ(gethostname(name.data(), name.size() - 1), 0);
  EXPECT_THAT(s.report_from, testing::AnyOf("mha-helper@" + std::string(name.data()),
                                            std::string("mha-helper@localhost")));
}

// The predecessor's users' files, as its README shows them.
TEST_F(HelperFileTest, ReadsAFileOfThePythonHelper) {
  const std::string text =
      "[default]\n"
      "requires_sudo               = yes\n"
      "vip_type                    = metal\n"
      "writer_vip_cidr             = 192.168.10.155/24\n"
      "cluster_interface           = eth1\n"
      "super_read_only             = no\n"
      "report_email                = me@example.net\n"
      "smtp_host                   = localhost\n"
      "kill_after_timeout          = 5\n"
      "\n"
      "[db10]\n"
      "cluster_interface           = eth10\n"
      "\n"
      "[db11]\n"
      "\n"
      "[db12]\n"
      "report_email                = notify@host-db12.com\n"
      "smtp_host                   = localhost2\n"
      "requires_sudo               = no\n";
  const HostSettings db10 = host(text, "db10");
  EXPECT_EQ(db10.cluster_interface, "eth10");
  EXPECT_EQ(db10.writer_vip->text(), "192.168.10.155/24");
  EXPECT_EQ(db10.vip_type, VipType::kMetal);
  const HostSettings db11 = host(text, "db11");
  EXPECT_EQ(db11.cluster_interface, "eth1");
  EXPECT_TRUE(db11.requires_sudo);
  const HostSettings db12 = host(text, "db12");
  EXPECT_THAT(db12.report_email, ElementsAre("notify@host-db12.com"));
  EXPECT_EQ(db12.smtp_host, "localhost2");
  EXPECT_FALSE(db12.requires_sudo);
}

TEST_F(HelperFileTest, AHostOverridesEveryOption) {
  const std::string ours =
      "vip_type=metal\nwriter_vip_cidr=2001:db8::5/64\ncluster_interface=br0\nrequires_sudo=no\n"
      "requires_arping=no\nsuper_read_only=yes\nkill_after_timeout=0\nlock_wait_timeout=9\n"
      "operation_timeout=99\nssh_session_keep=0\nunfenced_failover=refuse\n"
      "mysql_ssl_mode=verify_identity\nmysql_ssl_ca=/m.pem\nreport_email=a@x.org,b@x.org\n"
      "report_from=c@x.org\nsmtp_host=[2001:db8::25]\nsmtp_port=2525\nsmtp_security=starttls\n"
      "smtp_user=u;v\nsmtp_password_file=/pw\nsmtp_ca=/s.pem\n";
  const std::string others =
      "vip_type=none\nwriter_vip_cidr=10.0.0.5/8\ncluster_interface=eth9\nrequires_sudo=yes\n"
      "requires_arping=yes\nsuper_read_only=no\nkill_after_timeout=1\nlock_wait_timeout=1\n"
      "operation_timeout=50\nssh_session_keep=1\nunfenced_failover=proceed\n"
      "mysql_ssl_mode=disabled\nmysql_ssl_ca=/x\nreport_email=z@x.org\n"
      "report_from=z@x.org\nsmtp_host=other\nsmtp_port=26\nsmtp_security=tls\n"
      "smtp_user=z\nsmtp_password_file=/z\nsmtp_ca=/z\n";
  for (const std::string& text :
       {"[default]\n" + ours + "[db1]\n", "[default]\n" + others + "[db1]\n" + ours,
        "[db1]\n" + ours + "[default]\n" + others}) {
    const HostSettings s = host(text);
    EXPECT_EQ(s.vip_type, VipType::kMetal);
    EXPECT_EQ(s.writer_vip->text(), "2001:db8::5/64");
    EXPECT_EQ(s.cluster_interface, "br0");
    EXPECT_FALSE(s.requires_sudo);
    EXPECT_FALSE(s.requires_arping);
    EXPECT_TRUE(s.super_read_only);
    EXPECT_EQ(s.kill_after_timeout, seconds{0});
    EXPECT_EQ(s.lock_wait_timeout, seconds{9});
    EXPECT_EQ(s.operation_timeout, seconds{99});
    EXPECT_EQ(s.ssh_session_keep, seconds{0});
    EXPECT_EQ(s.unfenced_failover, UnfencedFailover::kRefuse);
    EXPECT_EQ(s.mysql_ssl_mode, MysqlTlsMode::kVerifyIdentity);
    EXPECT_EQ(s.mysql_ssl_ca, "/m.pem");
    EXPECT_THAT(s.report_email, ElementsAre("a@x.org", "b@x.org"));
    EXPECT_EQ(s.report_from, "c@x.org");
    EXPECT_EQ(s.smtp_host, "2001:db8::25");
    EXPECT_EQ(s.smtp_port, 2525);
    EXPECT_EQ(s.smtp_security, SmtpSecurity::kStartTls);
    EXPECT_EQ(s.smtp_user, "u;v");
    EXPECT_EQ(s.smtp_password_file, "/pw");
    EXPECT_EQ(s.smtp_ca_file, "/s.pem");
  }
}

TEST_F(HelperFileTest, ValuesAreReadAsConfigParserRead) {
  const HostSettings s = host(
      "[default]\nVIP_TYPE: metal ; comment\nwriter_vip_cidr:192.0.2.5/24\n"
      "Cluster_Interface = eth0   ; the fast one\nreport_email = a@x.org,\n\n  b@x.org\n"
      "rem requires_sudo = maybe\nrequires_sudo = YES\r\n[db1] # first\n");
  EXPECT_EQ(s.vip_type, VipType::kMetal);
  EXPECT_EQ(s.cluster_interface, "eth0");
  EXPECT_THAT(s.report_email, ElementsAre("a@x.org", "b@x.org"));
}

TEST_F(HelperFileTest, MailPorts) {
  EXPECT_EQ(host("[db1]\nsmtp_security=starttls\n").smtp_port, 587);
  EXPECT_EQ(host("[db1]\nsmtp_security=tls\n").smtp_port, 465);
  EXPECT_EQ(host("[db1]\nsmtp_security=tls\nsmtp_host=m:26\n").smtp_port, 26);
  EXPECT_EQ(host("[db1]\nsmtp_security=tls\nsmtp_port=27\n").smtp_port, 27);
  EXPECT_EQ(host("[db1]\nsmtp_port=27\nsmtp_host=m:27\n").smtp_port, 27);
  // A host's own smtp_host brings its own port, or the usual one.
  EXPECT_EQ(host("[default]\nsmtp_host=m:26\n[db1]\nsmtp_host=n\n").smtp_port, 25);
  EXPECT_EQ(host("[default]\nsmtp_host=m:26\n[db1]\nsmtp_host=n:28\n").smtp_port, 28);
}

TEST_F(HelperFileTest, OperationTimeoutGrowsWithTheWaits) {
  EXPECT_EQ(host("[db1]\nkill_after_timeout=60\n").operation_timeout, seconds{85});
  EXPECT_EQ(host("[db1]\nkill_after_timeout=60\noperation_timeout=70\n").operation_timeout,
            seconds{70});
  EXPECT_THAT(remarks("[db1]\nkill_after_timeout=60\noperation_timeout=65\n"),
              ElementsAre("W 3: [db1] operation_timeout: 65s leaves no time for the work beside "
                          "kill_after_timeout (60s) and lock_wait_timeout (5s)"));
}

TEST_F(HelperFileTest, NoAddressWithoutAVip) {
  EXPECT_FALSE(host("[default]\nwriter_vip_cidr=192.0.2.5/24\n[db1]\n").writer_vip.has_value());
}

struct BadFile {
  std::string text;
  std::vector<std::string> remarks;
};

TEST_F(HelperFileTest, Remarks) {
  const std::string metal =
      "vip_type=metal\nwriter_vip_cidr=192.0.2.5/24\ncluster_interface=eth0\n";
  const std::vector<BadFile> cases = {
      // Values.
      {"[default]\nrequires_sudo = maybe\n[db1]\n",
       {"E 2: [default] requires_sudo: 'maybe' is neither yes nor no"}},
      {"[default]\n[db1]\nkill_after_timeout = -1\n",
       {"E 3: [db1] kill_after_timeout: '-1' is not a number of whole seconds from 0 to 86400"}},
      {"[db1]\nsmtp_port = 70000\n",
       {"E 2: [db1] smtp_port: '70000' is not a port: a number from 1 to 65535"}},
      {"[default]\nvip_type = aws\n[db1]\n[db2]\n",
       {"E 3: [db1] writer_vip_cidr: aws_mode = secondary_ip needs it, and neither [db1] nor "
        "[default] sets it",
        "E 3: [db1] cluster_interface: aws_mode = secondary_ip needs it, and neither [db1] nor "
        "[default] sets it",
        "E 4: [db2] writer_vip_cidr: aws_mode = secondary_ip needs it, and neither [db2] nor "
        "[default] sets it",
        "E 4: [db2] cluster_interface: aws_mode = secondary_ip needs it, and neither [db2] nor "
        "[default] sets it"}},
      // All of them, in the order of lines.
      {"[db1]\nrequires_sudo = x\nsuper_read_only = x\n[default]\nlock_wait_timeout = 0\n",
       {"E 2: [db1] requires_sudo: 'x' is neither yes nor no",
        "E 3: [db1] super_read_only: 'x' is neither yes nor no",
        "E 5: [default] lock_wait_timeout: '0' is not a number of whole seconds from 1 to 86400"}},
      // Keys.
      {"[db1]\nsmpt_host = mail\n",
       {"W 2: [db1] smpt_host: unknown option, ignored; did you mean 'smtp_host'?"}},
      {"[db1]\ncolour = red\n", {"W 2: [db1] colour: unknown option, ignored"}},
      {"[db1]\nsmtp_password = hunter2\n",
       {"W 2: [db1] smtp_password: unknown option, ignored; did you mean 'smtp_password_file'?"}},
      {"[default]\nread_only_config_file = /etc/my.cnf.d/ro.cnf\n[db1]\n",
       {"W 2: [default] read_only_config_file: is not supported: write read_only = 1 into each "
        "server's own my.cnf instead"}},
      {"[db1]\nrequires_sudo = no\nREQUIRES_SUDO = yes\n",
       {"W 3: [db1] requires_sudo: is given in line 2 already; this line counts"}},
      // Indentation.
      {"[db1]\nrequires_sudo = no\n super_read_only = yes\n",
       {"E 2: [db1] requires_sudo: 'no?super_read_only = yes' is neither yes nor no (an indented "
        "line "
        "continues the value above it)"}},
      // Sections.
      {"[db1]\n[db 1]\n", {"E 2: [db 1] is neither [default] nor a host name or address"}},
      {"[10.0.0.256]\n", {"E 1: [10.0.0.256] is neither [default] nor a host name or address"}},
      {"[server default]\nuser = x\n",
       {"E 1: [server default] is a section of MHA's application configuration: that file belongs "
        "elsewhere",
        "W 2: [server default] user: unknown option, ignored"}},
      {"[defaults]\n[db1]\n",
       {"W 1: [defaults] is taken as a host of that name; did you mean [default]?"}},
      {"[db1]\nkill_after_timeout=1\n[DB1.]\n",
       {"W 3: [DB1.] the section that line 1 began goes on here"}},
      {"[default]\n[Default]\n[db1]\n",
       {"W 2: [Default] the section that line 1 began goes on here"}},
      {"# nothing\n", {" has no section: write [default] and one section a host"}},
      // Options that belong together.
      {"[default]\nvip_type=metal\ncluster_interface=eth0\n[db1]\n[db2]\nwriter_vip_cidr=192.0.2.5/"
       "24\n",
       {"E 4: [db1] writer_vip_cidr: vip_type = metal needs it, and neither [db1] nor [default] "
        "sets "
        "it"}},
      {"[db1]\nvip_type=metal\n",
       {"E 1: [db1] writer_vip_cidr: vip_type = metal needs it, and neither [db1] nor [default] "
        "sets "
        "it",
        "E 1: [db1] cluster_interface: vip_type = metal needs it, and neither [db1] nor [default] "
        "sets it"}},
      {"[default]\nvip_type=metal\n",
       {"E 1: [default] writer_vip_cidr: vip_type = metal needs it, and it is not set here",
        "E 1: [default] cluster_interface: vip_type = metal needs it, and it is not set here"}},
      {"[db1]\n" + metal + "writer_vip_cidr=10.0.0.0/24\n",
       {"W 5: [db1] writer_vip_cidr: is given in line 3 already; this line counts",
        "W 5: [db1] writer_vip_cidr: 10.0.0.0/24 is the network's own or its broadcast address, "
        "not "
        "a host's"}},
      {"[default]\nsmtp_host = mail:25\n[db1]\nsmtp_port = 26\n",
       {"E 4: [db1] smtp_port: 26 contradicts the port 25 in smtp_host (line 2): write one of "
        "them"}},
      {"[default]\nsmtp_user = u\n[db1]\n[db2]\n",
       {"E 2: [default] smtp_user: needs smtp_password_file as well"}},
      {"[db1]\nsmtp_password_file = /pw\n",
       {"W 2: [db1] smtp_password_file: is not used without smtp_user"}},
      {"[db1]\nsmtp_password_file = pw\n",
       {"E 2: [db1] smtp_password_file: 'pw' is not an absolute path: MHA runs hooks in a folder "
        "of "
        "its own choice"}},
      {"[db1]\nsmtp_host=mail\nsmtp_user = u\nsmtp_password_file = /pw\n",
       {"W 3: [db1] smtp_user: its password would cross the network unencrypted: set "
        "smtp_security"}},
      {"[db1]\nsmtp_host=127.0.0.1\nsmtp_user = u\nsmtp_password_file = /pw\n", {}},
      {"[db1]\n" + metal, {}},
  };
  for (const BadFile& c : cases) {
    std::vector<std::string> wanted = c.remarks;
    if (wanted.size() == 1 && wanted[0].starts_with(" ")) {
      wanted[0] = "E " + wanted[0];  // without a line
    }
    EXPECT_EQ(remarks(c.text), wanted) << c.text;
  }
}

TEST_F(HelperFileTest, ABadValueIsNotReportedASecondTimeAsMissing) {
  EXPECT_THAT(
      remarks("[default]\nvip_type=metal\nwriter_vip_cidr=x\ncluster_interface=eth0\n[db1]\n"),
      ElementsAre(StartsWith("E 3: [default] writer_vip_cidr: 'x' is not an address")));
}

TEST_F(HelperFileTest, ADefaultThatHostsCompleteIsNoError) {
  const HelperFile file = read(
      "[default]\nvip_type=metal\nwriter_vip_cidr=192.0.2.5/24\n[db1]\ncluster_interface=eth0\n");
  EXPECT_THAT(file.diagnostics, IsEmpty());
  EXPECT_THAT(texts(file.default_problems),
              ElementsAre("E 1: [default] cluster_interface: vip_type = metal needs it, and it is "
                          "not set here"));
}

TEST_F(HelperFileTest, ConfigParsersOwnDefaultSectionStandsBehindOurs) {
  const std::string text = "[default]\nkill_after_timeout=1\n[DEFAULT]\nkill_after_timeout=2\n";
  EXPECT_EQ(read(text + "[db1]\n").hosts.at("db1").settings.kill_after_timeout, seconds{1});
  EXPECT_EQ(
      read("[DEFAULT]\nkill_after_timeout=2\n[db1]\n").hosts.at("db1").settings.kill_after_timeout,
      seconds{2});
}

TEST_F(HelperFileTest, ASectionGivenTwiceIsOneAndTheLastValueCounts) {
  const HelperFile file = read(
      "[db1]\nkill_after_timeout=1\nlock_wait_timeout=3\n[db2]\n[db1]\n"
      "kill_after_timeout=2\n");
  EXPECT_EQ(file.hosts.at("db1").settings.kill_after_timeout, seconds{2});
  EXPECT_EQ(file.hosts.at("db1").settings.lock_wait_timeout, seconds{3});
  EXPECT_EQ(file.hosts.at("db1").line, 1);
}

TEST_F(HelperFileTest, KnowsTheHostsOfABadFile) {
  const HelperFile file = read("[default]\nvip_type=steel\n[db1]\n[10.0.0.7]\nnonsense\n");
  EXPECT_TRUE(has_error(file.diagnostics));
  EXPECT_TRUE(file.hosts.contains("db1"));
  EXPECT_TRUE(file.hosts.contains("10.0.0.7"));
}

TEST_F(HelperFileTest, NeverShowsWhatAnUnknownKeyHolds) {
  const std::vector<std::string> all = remarks(
      "[db1]\nsmtp_pasword = hunter2\nhunter2\npassword: hunter2 = x\nsmtp_host=u:hunter2@m\n");
  EXPECT_EQ(all.size(), 4U);
  for (const std::string& text : all) {
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace mha
