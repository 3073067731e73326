// Which of the places counts, what is said where one is of no use, and that the variables go.
#include "cli/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "unit/cli/child_program.h"
#include "unit/config/login_sample.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PasswordsTest : public testing::Test {
 protected:
  PasswordsTest() {
    settings_.file = "/etc/mha-helper/app1.conf";
    settings_.host = "db1";
    settings_.mysql_login_file = folder_.write("mylogin.cnf", login_file_sample());
    write("password", "from-file\n");
    chmod(settings_.mysql_login_file.c_str(), 0600);
    variables_.mysql = Secret{std::string{"from-variable"}};
    variables_.replication = Secret{std::string{"repl-from-variable"}};
  }
  std::string write(const std::string& name, const std::string& text, unsigned mode = 0600) {
    const std::string path = folder_.write(name, text);
    chmod(path.c_str(), mode);
    return path;
  }
  // "user/password", or the error.
  std::string account(const std::string& given_password = "",
                      AccountKind kind = AccountKind::kMysql) {
    const Result<Account> found = complete_account({"given", Secret{std::string{given_password}}},
                                                   kind, settings_, variables_);
    if (!found.ok()) return found.error().message;
    return found.value().user + "/" + found.value().password.reveal();
  }

  CliFolder folder_;
  HostSettings settings_;
  VariablePasswords variables_;
};

TEST_F(PasswordsTest, OneAfterTheOther) {
  settings_.mysql_password_file = folder_.path("password");
  settings_.mysql_login_path = "mha";
  EXPECT_EQ(account("from-mha"), "given/from-mha");
  EXPECT_EQ(account(), "given/from-file");
  settings_.mysql_password_file = "";
  EXPECT_EQ(account(), "mha/pl4in-w0rd") << "with the login path's own user";
  settings_.mysql_login_path = "";
  EXPECT_EQ(account(), "given/from-variable");
  variables_ = {};
  EXPECT_EQ(account(), "given/");
}

TEST_F(PasswordsTest, TheReplicationAccountHasItsOwn) {
  settings_.mysql_password_file = folder_.path("password");
  settings_.mysql_login_path = "mha";
  EXPECT_EQ(account("", AccountKind::kReplication), "given/repl-from-variable");
  settings_.repl_login_path = "hard";
  EXPECT_EQ(account("", AccountKind::kReplication), "repl user/a#b'c\"d\n e;=");
  settings_.repl_password_file = write("repl", "r\n");
  EXPECT_EQ(account("", AccountKind::kReplication), "given/r");
  EXPECT_EQ(account("from-conf", AccountKind::kReplication), "given/from-conf");
}

TEST_F(PasswordsTest, WhatIsOfNoUseIsSaidWithItsOption) {
  settings_.mysql_password_file = write("open", "s3cret\n", 0644);
  EXPECT_THAT(account(), AllOf(HasSubstr("app1.conf: [db1] mysql_password_file: "),
                               HasSubstr("/open can be read by others (mode 0644): chmod 600 "),
                               Not(HasSubstr("s3cret"))));
  EXPECT_EQ(account("from-mha"), "given/from-mha") << "then it is not looked at";
  settings_.mysql_password_file = "";
  settings_.mysql_login_path = "none";
  EXPECT_THAT(account(), AllOf(HasSubstr("[db1] mysql_login_path: "), HasSubstr("mylogin.cnf"),
                               HasSubstr("no login path 'none'")));
  settings_.repl_login_path = "mha";
  settings_.mysql_login_file = folder_.path("nowhere");
  EXPECT_THAT(account("", AccountKind::kReplication),
              AllOf(HasSubstr("[db1] repl_login_path: "), HasSubstr("No such file")));
}

TEST_F(PasswordsTest, TheUsualLoginFile) {
  settings_.mysql_login_path = "mha";
  const std::string file = settings_.mysql_login_file;
  settings_.mysql_login_file = "";
  setenv("MYSQL_TEST_LOGIN_FILE", file.c_str(), 1);
  EXPECT_EQ(account(), "mha/pl4in-w0rd");
  unsetenv("MYSQL_TEST_LOGIN_FILE");
  write(".mylogin.cnf", login_file_sample());
  const char* home = std::getenv("HOME");
  const std::string old_home = home == nullptr ? "/" : home;
  setenv("HOME", folder_.path("").c_str(), 1);
  EXPECT_EQ(account(), "mha/pl4in-w0rd");
  setenv("HOME", old_home.c_str(), 1);
}

TEST_F(PasswordsTest, TheVariablesAreTakenOutOfTheEnvironment) {
  setenv("MHA_HELPER_MYSQL_PASSWORD", "m", 1);
  setenv("MHA_HELPER_REPL_PASSWORD", "r", 1);
  const char* place = std::getenv("MHA_HELPER_MYSQL_PASSWORD");
  const VariablePasswords taken = take_variable_passwords();
  EXPECT_EQ(taken.mysql.reveal(), "m");
  EXPECT_EQ(taken.replication.reveal(), "r");
  EXPECT_EQ(std::getenv("MHA_HELPER_MYSQL_PASSWORD"), nullptr);
  EXPECT_EQ(std::getenv("MHA_HELPER_REPL_PASSWORD"), nullptr);
  EXPECT_EQ(*place, '\0') << "wiped";
  EXPECT_TRUE(take_variable_passwords().mysql.empty());
}

}  // namespace
}  // namespace mha
