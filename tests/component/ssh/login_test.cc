// Logging in to a real sshd by key files, certificates and agents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "component/ssh/ssh_test_base.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

class LoginTest : public SharedSshdTest {};

TEST_F(LoginTest, RefusedKeyIsNamed) {
  TempDir dir;
  make_key(dir.file("stranger"));
  SshTarget target = sshd_->target();
  target.identity_files = {dir.file("stranger"), dir.file("missing")};
  const Error error = error_of(connect(target, sshd_->client_files("IdentityAgent none\n")));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr(dir.file("stranger") + " (refused)"));
  EXPECT_THAT(error.message, HasSubstr(dir.file("missing") + " (not there)"));
}

TEST_F(LoginTest, TheRightOneOfSeveralKeys) {
  TempDir dir;
  make_key(dir.file("stranger"));
  SshTarget target = sshd_->target();
  target.identity_files = {dir.file("missing"), dir.file("stranger"), sshd_->client_key()};
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
}

TEST_F(LoginTest, DefaultIdentity) {
  TempDir home;
  ::mkdir(home.file(".ssh").c_str(), 0700);
  write_file(home.file(".ssh/id_ed25519"), read_file(sshd_->client_key()));
  SshClientFiles files = sshd_->client_files();
  files.home = home.path();
  SshTarget target = sshd_->target();
  target.identity_files.clear();
  EXPECT_EQ(hello(target, files), "hello\n");
}

// Whatever the container of the key: OpenSSH's own, or PEM, whose passphrase OpenSSL would ask for.
TEST_F(LoginTest, NobodyIsAskedForAPassphrase) {
  TempDir dir;
  make_key(dir.file("openssh"), "ed25519", "secret words");
  run_tool({"ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "secret words", "-f",
            dir.file("pem")});
  SshTarget target = sshd_->target();
  target.identity_files = {dir.file("openssh"), dir.file("pem")};
  const Error error = error_of(connect(target, sshd_->client_files("IdentityAgent none\n")));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr(dir.file("openssh") + " (needs a passphrase)"));
  EXPECT_THAT(error.message, HasSubstr(dir.file("pem") + " (needs a passphrase)"));
}

TEST_F(LoginTest, TooManyWrongKeys) {
  TestSshd strict{{.address = "127.0.0.1", .lines = {"MaxAuthTries 2"}}};
  TempDir dir;
  SshTarget target = strict.target();
  target.identity_files.clear();
  for (const char* name : {"a", "b", "c", "d"}) {
    make_key(dir.file(name));
    target.identity_files.push_back(dir.file(name));
  }
  const Error error = error_of(connect(target, strict.client_files()));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr("Too many authentication failures"));
}

TEST_F(LoginTest, Certificate) {
  TempDir dir;
  make_key(dir.file("ca"));
  make_key(dir.file("user"));
  run_tool({"ssh-keygen", "-q", "-s", dir.file("ca"), "-I", "test", "-n", current_user(),
            dir.file("user.pub")});
  TestSshd sshd{{.address = "127.0.0.1", .lines = {"TrustedUserCAKeys " + dir.file("ca.pub")}}};
  SshTarget target = sshd.target();
  target.identity_files = {dir.file("user")};
  EXPECT_EQ(hello(target, sshd.client_files()), "hello\n");
}

class AgentTest : public LoginTest {
 protected:
  void SetUp() override {
    LoginTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_key(dir_.file("locked"), "ed25519", "secret words");
    write_file(dir_.file("askpass"), "#!/bin/sh\necho secret words\n");
    ::chmod(dir_.file("askpass").c_str(), 0700);
    agent_ = std::make_unique<TestProcess>(
        std::vector<std::string>{"ssh-agent", "-D", "-a", socket()}, dir_.file("log"));
    ASSERT_TRUE(eventually([&] { return ::access(socket().c_str(), F_OK) == 0; }));
  }
  [[nodiscard]] std::string socket() const { return dir_.file("agent"); }
  void add(const std::string& key) {
    run_tool({"env", "SSH_AUTH_SOCK=" + socket(), "SSH_ASKPASS=" + dir_.file("askpass"),
              "SSH_ASKPASS_REQUIRE=force", "ssh-add", "-q", key});
  }

  TempDir dir_;
  std::unique_ptr<TestProcess> agent_;
};

TEST_F(AgentTest, KeyOfTheAgent) {
  TestSshd sshd;
  write_file(sshd.authorized_keys(), read_file(dir_.file("locked.pub")));
  add(dir_.file("locked"));
  SshTarget target = sshd.target();
  target.identity_files = {dir_.file("locked")};
  EXPECT_EQ(hello(target, sshd.client_files("IdentityAgent " + socket() + "\n")), "hello\n");
  ::setenv("SSH_AUTH_SOCK", socket().c_str(), 1);
  EXPECT_EQ(hello(target, sshd.client_files()), "hello\n");
  ::unsetenv("SSH_AUTH_SOCK");
  EXPECT_EQ(error_of(connect(target, sshd.client_files())).code, Code::kDenied);
}

TEST_F(AgentTest, IdentitiesOnlyLeavesTheAgentAlone) {
  TempDir dir;
  make_key(dir.file("stranger"));
  add(sshd_->client_key());
  SshTarget target = sshd_->target();
  target.identity_files = {dir.file("stranger")};
  const std::string agent = "IdentityAgent " + socket() + "\n";
  EXPECT_EQ(hello(target, sshd_->client_files(agent)), "hello\n");
  const Error error =
      error_of(connect(target, sshd_->client_files(agent + "IdentitiesOnly yes\n")));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr("IdentitiesOnly"));
}

TEST_F(AgentTest, AgentThatHangsCostsTheDeadline) {
  add(sshd_->client_key());
  ::kill(agent_->pid(), SIGSTOP);
  SshTarget target = sshd_->target();
  target.identity_files = {dir_.file("missing")};
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] {
    error = error_of(connect(target, sshd_->client_files("IdentityAgent " + socket() + "\n"), 700));
  });
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("agent"));
  expect_at_deadline(taken, 700);
}

TEST_F(AgentTest, AgentThatIsGone) {
  SshTarget target = sshd_->target();
  target.identity_files = {dir_.file("missing")};
  const Error error =
      error_of(connect(target, sshd_->client_files("IdentityAgent /nonexistent/agent\n")));
  EXPECT_EQ(error.code, Code::kDenied);
  EXPECT_THAT(error.message, HasSubstr("/nonexistent/agent"));
}

}  // namespace
}  // namespace mha
