// What ssh_config says about a host is done, jumps through other hosts too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <vector>

#include "component/ssh/ssh_test_base.h"
#include "ssh/ssh_options.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

class SshConfigTest : public SharedSshdTest {};

TEST_F(SshConfigTest, EverythingFromSshConfig) {
  TempDir dir;
  make_key(dir.file("stranger"));
  SshTarget target;
  target.host = "db1";
  const SshClientFiles files =
      sshd_->client_files("Host db1\n  IdentityFile " + dir.file("stranger") + "\n" +
                          sshd_->ssh_config_lines() + "Host *\n  User nobody-here\n");
  EXPECT_EQ(hello(target, files), "hello\n");
  Result<std::unique_ptr<RemoteShell>> shell = connect(target, files);
  ASSERT_TRUE(shell.ok());
  EXPECT_EQ(shell.value()->host(), "db1");
}

TEST_F(SshConfigTest, CommandLineWinsOverSshConfig) {
  const SshClientFiles files =
      sshd_->client_files("Host *\n  User nobody-here\n  Port 1\n  UserKnownHostsFile /dev/null\n");
  EXPECT_EQ(hello(sshd_->target(), files), "hello\n");
}

TEST_F(SshConfigTest, BadSshConfigIsNamed) {
  const Error error = error_of(connect(sshd_->target(), sshd_->client_files("NoSuchOption yes\n")));
  EXPECT_EQ(error.code, Code::kConfig);
  EXPECT_THAT(error.message, HasSubstr("ssh_config: line 1"));
}

TEST_F(SshConfigTest, SshConfigThatHangsCostsTheDeadline) {
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] {
    error = error_of(
        connect(sshd_->target(), sshd_->client_files("Match exec \"sleep 60\"\n  Port 1\n"), 500));
  });
  EXPECT_EQ(error.code, Code::kTimeout);
  expect_at_deadline(taken, 500);
}

TEST_F(SshConfigTest, WithoutAnSshProgram) {
  SshClientFiles files = sshd_->client_files();
  files.program = "/nonexistent/ssh";
  EXPECT_EQ(hello(sshd_->target(), files), "hello\n");
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "/nonexistent/ssh"));
}

// Whoever started us may have left it so, and then no child's status is to be had.
TEST_F(SshConfigTest, WithSigchldIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(hello(sshd_->target(), sshd_->client_files()), "hello\n");
  const Error error = error_of(connect(sshd_->target(), sshd_->client_files("NoSuchOption yes\n")));
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(error.code, Code::kConfig);
}

TEST_F(SshConfigTest, NamesThatAreOptionsAreRefused) {
  for (const std::string host : {"", "-oProxyCommand=touch /tmp/x", "a b", "a\nb"}) {
    SshTarget target = sshd_->target();
    target.host = host;
    EXPECT_EQ(error_of(connect(target, sshd_->client_files())).code, Code::kConfig) << host;
  }
  SshTarget target = sshd_->target();
  target.user = "-x";
  EXPECT_EQ(error_of(connect(target, sshd_->client_files())).code, Code::kConfig);
}

// ssh_config's own command has them in it, and a shell reads that.
TEST_F(SshConfigTest, NamesThatAShellWouldRunAreRefused) {
  const std::string trace = sshd_->dir().file("pwned");
  const SshClientFiles files = sshd_->client_files("Host *\n  ProxyCommand echo %h %r %n\n");
  for (const std::string& name :
       {"db1;touch${IFS}" + trace, "$(touch${IFS}" + trace + ")", "`touch${IFS}" + trace + "`",
        "db1|tee${IFS}" + trace, "db1>" + trace, "db1&touch${IFS}" + trace}) {
    for (const bool is_host : {true, false}) {
      SshTarget target = sshd_->target();
      (is_host ? target.host : target.user) = name;
      const Error error = error_of(connect(target, files));
      EXPECT_EQ(error.code, Code::kConfig) << error.message;
      EXPECT_FALSE(std::filesystem::exists(trace)) << name;
    }
  }
}

// --- what MHA's ssh_options leave to ssh

TEST_F(SshConfigTest, AnotherFileByMhasOptions) {
  write_file(sshd_->dir().file("mha_ssh_config"), "Host db1\n" + sshd_->ssh_config_lines());
  SshTarget target;
  target.host = "db1";
  const Result<ParsedSshOptions> parsed = parse_ssh_options("-F ~/mha_ssh_config", target);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(hello(parsed.value().target, sshd_->client_files("Host db1\n  HostName 127.0.0.9\n")),
            "hello\n");
}

TEST_F(SshConfigTest, HostKeysByMhasOptions) {
  std::string line = sshd_->known_hosts_line();
  write_file(sshd_->dir().file("global_hosts"), "db1.key" + line.substr(line.find(' ')));
  SshTarget target = sshd_->target();
  target.known_hosts_file = "none";
  EXPECT_EQ(error_of(connect(target, sshd_->client_files())).code, Code::kDenied);
  const Result<ParsedSshOptions> parsed = parse_ssh_options(
      "-o HostKeyAlias=db1.key -o GlobalKnownHostsFile=" + sshd_->dir().file("global_hosts"),
      target);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(hello(parsed.value().target, sshd_->client_files()), "hello\n");
}

TEST_F(SshConfigTest, OptionsThatSshDoesNotTakeAreNamed) {
  const Result<ParsedSshOptions> parsed =
      parse_ssh_options("-o CanonicalizeHostname=perhaps", sshd_->target());
  ASSERT_TRUE(parsed.ok());
  const Error error = error_of(connect(parsed.value().target, sshd_->client_files()));
  EXPECT_EQ(error.code, Code::kConfig);
  EXPECT_THAT(error.message, HasSubstr("perhaps"));
}

class JumpTest : public SshConfigTest {
 protected:
  [[nodiscard]] std::string config(const std::string& jump_lines) const {
    return "Host gate\n" + jump_lines + "  ControlPath none\nHost inner\n" +
           sshd_->ssh_config_lines() + "  ProxyJump gate\n";
  }
  static SshTarget inner() {
    SshTarget target;
    target.host = "inner";
    return target;
  }
  static std::vector<pid_t> children() {
    std::vector<pid_t> pids;
    std::istringstream list{
        read_file("/proc/self/task/" + std::to_string(::getpid()) + "/children")};
    for (pid_t pid = 0; list >> pid;) pids.push_back(pid);
    return pids;
  }

  TestSshd gate_;
};

TEST_F(JumpTest, ThroughASecondSshd) {
  const std::size_t children_before = children().size();
  {
    Result<std::unique_ptr<RemoteShell>> shell =
        connect(inner(), sshd_->client_files(config(gate_.ssh_config_lines())));
    ASSERT_TRUE(shell.ok()) << shell.error().message;
    EXPECT_EQ(shell.value()->run("echo hello", in(5000)).value().out, "hello\n");
    EXPECT_THAT(gate_.log(), HasSubstr("Accepted publickey"));
    EXPECT_EQ(children().size(), children_before + 1);
  }
  EXPECT_EQ(children().size(), children_before);
}

TEST_F(JumpTest, ByMhasOptions) {
  write_file(sshd_->dir().file("jump_config"), "Host gate\n" + gate_.ssh_config_lines());
  const Result<ParsedSshOptions> parsed =
      parse_ssh_options("-F " + sshd_->dir().file("jump_config") + " -J gate", sshd_->target());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(hello(parsed.value().target, sshd_->client_files()), "hello\n");
  EXPECT_THAT(gate_.log(), HasSubstr("Accepted publickey"));
}

TEST_F(JumpTest, JumpOfTwoHops) {
  TestSshd second;
  const std::string text = "Host first\n" + gate_.ssh_config_lines() + "Host second\n" +
                           second.ssh_config_lines() + "Host inner\n" + sshd_->ssh_config_lines() +
                           "  ProxyJump first,second\n";
  EXPECT_EQ(hello(inner(), sshd_->client_files(text)), "hello\n");
  EXPECT_THAT(second.log(), HasSubstr("Accepted publickey"));
}

TEST_F(JumpTest, ProxyCommand) {
  write_file(gate_.dir().file("pipe.py"),
             "import os, select, socket, sys\n"
             "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
             "while True:\n"
             "    for f in select.select([s, 0], [], [])[0]:\n"
             "        data = s.recv(65536) if f is s else os.read(0, 65536)\n"
             "        if not data: sys.exit()\n"
             "        s.sendall(data) if f == 0 else os.write(1, data)\n");
  const std::string text = "Host inner\n" + sshd_->ssh_config_lines() +
                           "  ProxyCommand /usr/bin/python3 " + gate_.dir().file("pipe.py") +
                           " %h %p\n";
  EXPECT_EQ(hello(inner(), sshd_->client_files(text)), "hello\n");
}

TEST_F(JumpTest, UnknownJumpHostIsToldInSshsWords) {
  write_file(gate_.known_hosts(), "");
  const Error error =
      error_of(connect(inner(), sshd_->client_files(config(gate_.ssh_config_lines()))));
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("Host key verification failed"));
}

TEST_F(JumpTest, JumpHostThatHangsCostsTheDeadline) {
  for (const pid_t pid : gate_.family()) ::kill(pid, SIGSTOP);
  const std::size_t children_before = children().size();
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] {
    error = error_of(connect(inner(), sshd_->client_files(config(gate_.ssh_config_lines())), 700));
  });
  EXPECT_EQ(error.code, Code::kTimeout);
  expect_at_deadline(taken, 700);
  EXPECT_EQ(children().size(), children_before);
}

}  // namespace
}  // namespace mha
