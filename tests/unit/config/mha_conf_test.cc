// MHA's configuration: defaults, inheritance, order, and every refusal.
#include "config/mha_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "config/mha_params.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class MhaConfTest : public testing::Test {
 protected:
  Result<MhaConf> try_load(std::string_view app, std::string_view global = "") {
    folder_.write("app.cnf", app);
    if (!global.empty()) {
      folder_.write("global.cnf", global);
    }
    return load_mha_conf(app_path(), global_path());
  }
  MhaConf load(std::string_view app, std::string_view global = "") {
    auto conf = try_load(app, global);
    EXPECT_TRUE(conf.ok()) << (conf.ok() ? "" : conf.error().message);
    return conf.ok() ? std::move(conf).value() : MhaConf{};
  }
  // The first server.
  MhaServer server(std::string_view app, std::string_view global = "") {
    MhaConf conf = load(app, global);
    EXPECT_FALSE(conf.servers.empty());
    return conf.servers.empty() ? MhaServer{} : conf.servers.front();
  }
  std::string refused(std::string_view app, std::string_view global = "") {
    const auto conf = try_load(app, global);
    EXPECT_FALSE(conf.ok()) << app;
    if (conf.ok()) {
      return "";
    }
    EXPECT_EQ(conf.error().code, Code::kConfig);
    return conf.error().message;
  }
  std::vector<std::string> warnings(std::string_view app, std::string_view global = "") {
    std::vector<std::string> out;
    for (const Diagnostic& warning : load(app, global).warnings) {
      EXPECT_EQ(warning.severity, Severity::kWarning);
      out.push_back(warning.text());
    }
    return out;
  }
  [[nodiscard]] std::string app_path() const { return folder_.path("app.cnf"); }
  [[nodiscard]] std::string global_path() const { return folder_.path("global.cnf"); }

  TempFolder folder_;
};

std::vector<std::string> ids(const std::vector<MhaServer>& servers) {
  std::vector<std::string> out;
  for (const MhaServer& server : servers) {
    out.push_back(server.id);
  }
  return out;
}

TEST_F(MhaConfTest, BuiltInDefaults) {
  const MhaServer s = server("[server1]\nhostname=db1\n");
  EXPECT_EQ(s.id, "server1");
  EXPECT_EQ(s.hostname, "db1");
  EXPECT_EQ(s.ip, "");
  EXPECT_EQ(s.port, 3306);
  EXPECT_EQ(s.ssh_port, 22);
  EXPECT_EQ(s.ssh_host, "db1");
  EXPECT_EQ(s.ssh_ip, "");
  EXPECT_EQ(s.ssh_user, getpwuid(geteuid())->pw_name);
  EXPECT_EQ(s.ssh_options, "");
  EXPECT_EQ(s.user, "root");
  EXPECT_EQ(s.password.reveal(), "");
  EXPECT_EQ(s.repl_user, "");
  EXPECT_FALSE(s.candidate_master);
  EXPECT_FALSE(s.no_master);
  EXPECT_EQ(s.values.at("ping_interval"), "3");
  EXPECT_EQ(s.values.at("manager_workdir"), "/var/tmp");
  EXPECT_FALSE(s.values.contains("report_script"));
}

TEST_F(MhaConfTest, SectionOverApplicationOverGlobal) {
  const std::string global =
      "[server default]\nuser=g\nssh_user=g\nport=1\nmanager_log=/g\n[junk]\nx=y\n";
  const std::string app = "[server default]\nuser=a\nport=2\npassword=pa\n";
  const MhaServer s =
      server(app + "[server1]\nhostname=db1\nport=3\n[server2]\nhostname=db2\n", global);
  EXPECT_EQ(s.port, 3);
  EXPECT_EQ(s.user, "a");
  EXPECT_EQ(s.ssh_user, "g");
  EXPECT_EQ(s.values.at("manager_log"), "/g");
  EXPECT_EQ(s.password.reveal(), "pa");
  const MhaConf conf =
      load(app + "[server1]\nhostname=db1\nport=3\n[server2]\nhostname=db2\n", global);
  EXPECT_EQ(conf.servers[1].port, 2);
  EXPECT_EQ(conf.defaults.at("port"), "2");
  EXPECT_EQ(conf.file, app_path());
  EXPECT_THAT(conf.warnings, IsEmpty());
}

TEST_F(MhaConfTest, PasswordsAreExact) {
  const std::vector<std::string> passwords = {
      "p@ss w'o\\rd$1\"!",
      "a;b",
      "a ;b",
      "a; b",
      "#x",
      "a # b",
      "a:b=c",
      "=",
      "\\",
      "a\\",
      "$(id)`",
      "[x]",
      "a\tb",
      "\xc3\xa4\xff",
      "%(x)s",
      "'",
  };
  for (const std::string& password : passwords) {
    const std::string wanted = password == "'" ? "" : password;  // MHA's rule for quotes at the end
    const MhaServer s = server("[server1]\nhostname=h\npassword =  " + password +
                               " \t\nrepl_password=" + password + "\n");
    EXPECT_EQ(s.password.reveal(), wanted);
    EXPECT_EQ(s.repl_password.reveal(), wanted);
  }
}

TEST_F(MhaConfTest, LongPasswordsAreExact) {
  const std::string password(3000, 'x');
  EXPECT_EQ(server("[server1]\nhostname=h\npassword=" + password).password.reveal(), password);
}

TEST_F(MhaConfTest, PasswordsAreInNoText) {
  const MhaConf conf = load(
      "[server default]\npassword=Sekret\nrepl_password=Sekret\ninit_conf_load_script=/x\n"
      "[server1]\nhostname=h\npassword=Sekret\npassword=Sekret\n[binlog1]\nhostname=b\n");
  for (const auto& values :
       {conf.defaults, conf.servers[0].values, conf.binlog_servers[0].values}) {
    EXPECT_FALSE(values.empty());
    for (const auto& [key, value] : values) {
      EXPECT_THAT(key, Not(HasSubstr("password")));
      EXPECT_THAT(value, Not(HasSubstr("Sekret")));
    }
  }
  EXPECT_FALSE(conf.warnings.empty());
  for (const Diagnostic& warning : conf.warnings) {
    EXPECT_THAT(warning.text(), Not(HasSubstr("Sekret")));
  }
}

TEST_F(MhaConfTest, NoRefusalShowsAPassword) {
  const std::string good = "[server1]\nhostname=h\n";
  for (const std::string bad :
       {"pasword = Sekret", "password: Sekret", "password: Se=Sekret", "password Sekret = 1",
        "Sekret", "password=Sekret\n[junk]", "password = Sekret\n Sekret", "= Sekret",
        "Sekret! = x", "password=Sekret\nport=0",
        "password=Sekret\nhostname=", "password=Sekret\n\x01"}) {
    EXPECT_THAT(refused(good + bad + "\n"), AllOf(StartsWith(app_path()), Not(HasSubstr("Sekret"))))
        << bad;
    EXPECT_THAT(refused(good, "[server default]\n" + bad + "\n[server default]\nport=x\n"),
                AllOf(StartsWith(global_path()), Not(HasSubstr("Sekret"))))
        << bad;
    ASSERT_EQ(unlink(global_path().c_str()), 0);
  }
}

TEST_F(MhaConfTest, OnePairOfQuotesASection) {
  const std::string host = "[server1]\nhostname=h\n";
  EXPECT_EQ(server("[server1]\nhostname='h'\nuser=\"a b\"\n").user, "a b");
  EXPECT_EQ(server("[server1]\nhostname='h'\n").hostname, "h");
  EXPECT_EQ(server("[server1]\nhostname='h'\n").ssh_host, "h");
  EXPECT_EQ(server("[server1]\nhostname=h\npassword=abc\"\n").password.reveal(), "abc");
  EXPECT_EQ(server("[server1]\nhostname=h\npassword='abc\n").password.reveal(), "'abc");
  EXPECT_EQ(server("[server default]\npassword=''abc''\n" + host).password.reveal(), "abc");
  EXPECT_EQ(server(host, "[server default]\npassword='''abc'''\n").password.reveal(), "abc");
}

TEST_F(MhaConfTest, FlagsAsPerlSeesThem) {
  const auto candidate = [this](const std::string& value) {
    return server("[server1]\nhostname=h\ncandidate_master=" + value + "\n").candidate_master;
  };
  EXPECT_TRUE(candidate("1"));
  EXPECT_TRUE(candidate("no"));
  EXPECT_TRUE(candidate("00"));
  EXPECT_FALSE(candidate("0"));
  EXPECT_FALSE(candidate("'0'"));
  EXPECT_FALSE(candidate(""));
  EXPECT_TRUE(server("[server1]\nhostname=h\nno_master=1\n").no_master);
}

TEST_F(MhaConfTest, OrderOfServers) {
  const std::string a = "[server10]\nhostname=a\n[server2]\nhostname=b\n[server_1]\nhostname=c\n";
  EXPECT_THAT(ids(load(a).servers), ElementsAre("server_1", "server2", "server10"));
  EXPECT_THAT(ids(load(a + "[server2b]\nhostname=d\n").servers),
              ElementsAre("server_1", "server2", "server2b", "server10"));
  EXPECT_THAT(ids(load(a + "[serverx]\nhostname=d\n").servers),
              ElementsAre("server10", "server2", "server_1", "serverx"));
  EXPECT_THAT(ids(load(a + "[binlog2]\nhostname=d\n[binlog1]\nhostname=e\n").binlog_servers),
              ElementsAre("binlog1", "binlog2"));
}

TEST_F(MhaConfTest, SshOptionsOfTheSectionReadLastHoldForAll) {
  const MhaConf conf = load(
      "[server default]\nssh_options='-i /k'\n[server2]\nhostname=b\n[server1]\nhostname=a\n"
      "ssh_options=\"-o X=Y\"\n");
  EXPECT_EQ(conf.servers[0].ssh_options, "-o X=Y");
  EXPECT_EQ(conf.servers[1].ssh_options, "-o X=Y");
  EXPECT_THAT(conf.warnings, IsEmpty());
  EXPECT_EQ(
      server("[server1]\nhostname=a\n", "[server default]\nssh_options=-i '/g k'\n").ssh_options,
      "-i /g k");
}

TEST_F(MhaConfTest, SshAddresses) {
  EXPECT_EQ(server("[server1]\nhostname=a\nip=10.0.0.1\nssh_ip=10.9.9.9\n").ssh_ip, "10.0.0.1");
  EXPECT_EQ(server("[server1]\nhostname=a\nip=10.0.0.1\nssh_host=10.0.1.1\n").ssh_ip, "10.0.1.1");
  EXPECT_EQ(server("[server1]\nhostname=a\nip=10.0.0.1\nssh_host=b\n").ssh_ip, "");
}

TEST_F(MhaConfTest, EmptyAndZeroPortsOfTheDefaultMeanTheUsualOnes) {
  for (const std::string value : {"", "0"}) {
    const MhaServer s = server("[server default]\nport=" + value + "\nssh_port=" + value +
                               "\n[server1]\nhostname=a\n");
    EXPECT_EQ(s.port, 3306);
    EXPECT_EQ(s.ssh_port, 22);
  }
}

TEST_F(MhaConfTest, FindsByNameAddressAndPort) {
  const MhaConf conf = load(
      "[server1]\nhostname=DB1.example.com\nip=10.0.0.1\n[server2]\nhostname=db2\nport=3307\n"
      "[server3]\nhostname=db2\nport=3308\n[server4]\nhostname=2001:db8::4\n");
  EXPECT_EQ(conf.find("db1.example.com.", 0)->id, "server1");
  EXPECT_EQ(conf.find("10.0.0.1", 3306)->id, "server1");
  EXPECT_EQ(conf.find("db1.example.com", 3307), nullptr);
  EXPECT_EQ(conf.find("db2", 0)->id, "server2");
  EXPECT_EQ(conf.find("db2", 3308)->id, "server3");
  EXPECT_EQ(conf.find("2001:DB8:0::4", 3306)->id, "server4");
  EXPECT_EQ(conf.find("db3", 0), nullptr);
  EXPECT_EQ(conf.find("", 0), nullptr);  // an ip that is not written is no match
}

TEST_F(MhaConfTest, Refusals) {
  struct Case {
    std::string app;
    std::string message;  // behind the file's name
  };
  const std::string one = "[server1]\nhostname=db1\n";
  const std::vector<Case> cases = {
      {"", ": is empty"},
      {"# x\n", ": names no server: each needs a section like [server1] with a hostname"},
      {"[server default]\nuser=x\n", ": names no server: each needs a section like [server1]"},
      {one + "[server2]\nport=3307\n", ":3: [server2] hostname: is missing"},
      {one + "[server2]\nhostname=\n", ":4: [server2] hostname: is missing"},
      {one + "[server_default]\nuser=x\n",
       ":3: [server_default] hostname: is missing; did you mean [server default]?"},
      {one + "hostnam=db2\n",
       ":3: [server1] hostnam: MHA knows no such parameter; did you mean "
       "'hostname'?"},
      {one + "Port=1\n", ":3: [server1] Port: MHA knows no such parameter; did you mean 'port'?"},
      {one + "x y=1\n", ":3: [server1] what stands before '=' is no parameter name"},
      {one + "[junk]\n",
       ":3: [junk] MHA takes no such section: there are [server default], [server1], "
       "[binlog1] and so on"},
      {one + "[server 2]\nhostname=db2\n", ":3: [server 2] MHA takes no such section"},
      {one + "[server]\nhostname=db2\n", ":3: [server] MHA takes no such section"},
      {one + "[Server2]\nhostname=db2\n", ":3: [Server2] MHA takes no such section"},
      {"user=x\n" + one, ":1: a key before the first [section]"},
      {one + "port: 3307\n", ":3: neither a [section], nor 'key = value', nor a comment"},
      {one + "port=0\n", ":3: [server1] port: '0' is not a port: a number from 1 to 65535"},
      {one + "port=65536\n", ":3: [server1] port: '65536' is not a port: a number from 1 to 65535"},
      {one + "port=\n", ":3: [server1] port: '' is not a port: a number from 1 to 65535"},
      {one + "ssh_port=ssh\n", ":3: [server1] ssh_port: 'ssh' is not a port"},
      {one + "[server default]\nport=70000\n", ":4: [server default] port: '70000' is not a port"},
      {one + "ping_interval=0\n", ":3: [server1] ping_interval: '0' is not a whole number above 0"},
      {one + "ping_interval=\"3\"\n", ":3: [server1] ping_interval: '\"3\"' is not a whole number"},
      {one + "ssh_connection_timeout=-1\n", ":3: [server1] ssh_connection_timeout: '-1' is not"},
      {one + "ping_type=PING\n",
       ":3: [server1] ping_type: 'PING' is none of: SELECT, CONNECT, INSERT"},
      {one + "[server2]\nhostname=DB1.\n",
       ":4: [server2] hostname: [server1] (line 1) is the same server, db1 port 3306"},
      {one + "ip=10.0.0.1\n[server2]\nhostname=db2\nip=10.0.0.1\n",
       ":5: [server2] hostname: [server1] (line 1) is the same server, db1 port 3306"},
      {one + "port=x\nping_type=y\n[junk]\n",
       ":5: [junk] MHA takes no such section: there are [server default], [server1], [binlog1] and "
       "so on (and 2 more errors in the configuration)"},
      {std::string("[server1]\nhostname=a\0b\n", 23),
       ":2: is not a text file: it has the control character 0x00"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(refused(c.app), StartsWith(app_path() + c.message)) << c.app;
  }
}

TEST_F(MhaConfTest, SameHostOnOtherPortsOrAddressesIsAnotherServer) {
  EXPECT_EQ(load("[server1]\nhostname=a\n[server2]\nhostname=a\nport=3307\n").servers.size(), 2U);
  EXPECT_EQ(load("[server1]\nhostname=a\nip=10.0.0.1\n[server2]\nhostname=a\nip=10.0.0.2\n")
                .servers.size(),
            2U);
}

TEST_F(MhaConfTest, FilesThatCannotBeRead) {
  const auto missing = load_mha_conf(folder_.path("none"), global_path());
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message,
            folder_.path("none") + ": cannot be read: No such file or directory");
  EXPECT_THAT(refused("[server1]\nhostname=h\n", "nonsense\n"), StartsWith(global_path() + ":1: "));
  ASSERT_EQ(unlink(global_path().c_str()), 0);
  // A global file is optional, and so is what is no file (MHA asks with -f).
  EXPECT_TRUE(load_mha_conf(app_path(), folder_.path()).ok());
  EXPECT_TRUE(load_mha_conf(app_path(), global_path()).ok());
}

TEST_F(MhaConfTest, Warnings) {
  EXPECT_THAT(warnings("[server1]\nhostname=a\nport=1\nport=2\n"),
              ElementsAre(app_path() + ":4: [server1] port: is given in line 3 already; this line "
                                       "counts"));
  EXPECT_THAT(warnings("[server1]\nhostname=a\n[server1]\nport=2\n"),
              ElementsAre(app_path() + ":3: [server1] the section that line 1 began goes on here"));
  EXPECT_THAT(warnings("[server default]\ncandidate_master=1\n[server1]\nhostname=a\n"),
              ElementsAre(app_path() + ":2: [server default] candidate_master: MHA heeds it in a "
                                       "host's own section only"));
  EXPECT_THAT(warnings("[server1]\nhostname=a\n[binlog1]\n"),
              ElementsAre(app_path() + ":3: [binlog1] hostname: is missing"));
  EXPECT_THAT(warnings("[server1]\nhostname=a\n", "[server default]\ninit_conf_load_script=/x\n"),
              ElementsAre(HasSubstr("[server default] init_conf_load_script: is not run here")));
}

TEST_F(MhaConfTest, WhatTheConfScriptPrintsCountsOverServerDefault) {
  folder_.write("app.cnf",
                "[server default]\nuser=old\nssh_user=root\ninit_conf_load_script=/bin/conf 1\n"
                "[server1]\nhostname=a\n[server2]\nhostname=b\nuser=own\n");
  std::string asked;
  const auto conf = load_mha_conf(app_path(), global_path(), [&](const std::string& command) {
    asked = command;
    return Result<Secret>{Secret{"user=new\npassword=p=1 #\n\n"}};
  });
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(asked, "/bin/conf 1");
  EXPECT_EQ(conf.value().servers[0].user, "new");
  EXPECT_EQ(conf.value().servers[0].password.reveal(), "p=1 #");
  EXPECT_EQ(conf.value().servers[0].ssh_user, "root");
  EXPECT_EQ(conf.value().servers[1].user, "own");
  EXPECT_EQ(conf.value().servers[1].password.reveal(), "p=1 #");
}

TEST_F(MhaConfTest, AConfScriptThatFailsIsAnError) {
  folder_.write("app.cnf", "[server default]\ninit_conf_load_script=/x\n[server1]\nhostname=a\n");
  const auto conf = load_mha_conf(app_path(), global_path(), [](const std::string&) {
    return Result<Secret>{Error{Code::kConfig, "'/x' ended with exit status 3"}};
  });
  ASSERT_FALSE(conf.ok());
  EXPECT_THAT(conf.error().message,
              HasSubstr("[server default] init_conf_load_script: '/x' ended with exit status 3"));
}

TEST_F(MhaConfTest, LastValueOfAKeyCounts) {
  EXPECT_EQ(load("[server1]\nhostname=a\nport=1\nport=2\n").servers[0].port, 2);
  EXPECT_EQ(load("[server1]\nhostname=a\npassword=1\n[server1]\npassword=2\n")
                .servers[0]
                .password.reveal(),
            "2");
}

TEST(MhaParams, NamesAreUnique) {
  for (const MhaParam& param : mha_params()) {
    EXPECT_EQ(find_mha_param(param.name), &param);
  }
  EXPECT_EQ(find_mha_param("Hostname"), nullptr);
}

}  // namespace
}  // namespace mha
