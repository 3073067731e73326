// Reaching a real sshd: addresses, names, attempts, and many at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "component/name_service.h"
#include "component/ssh/ssh_test_base.h"

namespace mha {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ConnectTest : public SharedSshdTest {
 protected:
  static constexpr const char* kName = "db1.example.org";
  static constexpr int kNoNamespaces = 77;

  // What `body` gives in a process of its own, which may become another machine.
  template <typename Body>
  static int in_child(Body body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // By a name, under which its host key is known.
  static SshTarget named(const TestSshd& sshd) {
    SshTarget target = sshd.target();
    target.host = kName;
    std::string line = sshd.known_hosts_line();
    line.replace(1, line.find(']') - 1, kName);
    target.known_hosts_file = sshd.dir().file("named_hosts");
    write_file(target.known_hosts_file, line);
    return target;
  }
};

TEST_F(ConnectTest, RunsACommand) {
  EXPECT_EQ(hello(sshd_->target(), sshd_->client_files()), "hello\n");
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(ConnectTest, Ipv6) {
  TestSshd sshd{{.address = "::1", .lines = {}}};
  EXPECT_EQ(hello(sshd.target(), sshd.client_files()), "hello\n");
}

// ::1 refuses, or is first to be tried in vain.
TEST_F(ConnectTest, NameWithAnAddressThatDoesNotAnswer) {
  SshTarget target = sshd_->target();
  target.host = "localhost";
  target.host_key_policy = HostKeyPolicy::kOff;
  target.known_hosts_file = "/dev/null";
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
}

TEST_F(ConnectTest, NameThatDoesNotExist) {
  SshTarget target = sshd_->target();
  target.host = "no-such-host.invalid";
  Error error{Code::kInternal, ""};
  const Milliseconds taken =
      time_of([&] { error = error_of(connect(target, sshd_->client_files(), 2000)); });
  EXPECT_THAT(error.code, AnyOf(Code::kUnreachable, Code::kTimeout));
  EXPECT_THAT(error.message, HasSubstr("no-such-host.invalid"));
  EXPECT_LE(taken.count(), 2300);
}

TEST_F(ConnectTest, ANameThatWasReachedIsReachedWithoutNameServers) {
  const SshTarget target = named(*sshd_);
  const int status = in_child([&] {
    if (!become_machine_that_knows(kName, "127.0.0.1")) return kNoNamespaces;
    if (hello(target, sshd_->client_files()) != "hello\n") return 2;
    forget_the_name();
    return hello(target, sshd_->client_files()) == "hello\n" ? 0 : 1;
  });
  if (status == kNoNamespaces && geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(status, 0);
}

// As MHA, which passes it with the name.
TEST_F(ConnectTest, ANameThatNobodyKnowsIsReachedByItsAddress) {
  SshTarget target = named(*sshd_);
  target.address = "127.0.0.1";
  const int status = in_child([&] {
    if (!become_machine_that_knows("other.example.org", "127.0.0.1")) return kNoNamespaces;
    if (hello(target, sshd_->client_files()) != "hello\n") return 1;
    // But not where ssh_config leads elsewhere.
    const SshClientFiles elsewhere = sshd_->client_files("Host *\n  HostName db9.example.org\n");
    const Error unknown = error_of(connect(target, elsewhere, 3000));
    if (unknown.message.find("cannot find the address of db9.example.org") == std::string::npos) {
      return 2;
    }
    target.port = free_port();
    const Error refused = error_of(connect(target, sshd_->client_files(), 3000));
    constexpr const char* kWords = "; by the address that is known: cannot connect: 127.0.0.1 ";
    return refused.message.find(kWords) == std::string::npos ? 3 : 0;
  });
  if (status == kNoNamespaces && geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(status, 0);
}

TEST_F(ConnectTest, SilentNameServersCostASecondWhereTheAddressIsKnown) {
  const int status = in_child([&] {
    if (!become_machine_with_silent_resolver()) return kNoNamespaces;
    const TestSshd sshd;
    SshTarget target = named(sshd);
    target.address = "127.0.0.1";
    std::string answer;
    Milliseconds taken = time_of([&] { answer = hello(target, sshd.client_files()); });
    if (answer != "hello\n" || taken < Milliseconds{990} || taken > Milliseconds{2500}) return 1;
    // Within its attempt.
    target.connect_timeout = Milliseconds{1000};
    taken = time_of([&] { answer = hello(target, sshd.client_files()); });
    return answer == "hello\n" && taken < Milliseconds{1500} ? 0 : 2;
  });
  if (status == kNoNamespaces && geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(status, 0);
}

TEST_F(ConnectTest, RefusedPortIsToldAtOnce) {
  SshTarget target = sshd_->target();
  target.port = free_port();
  Error error{Code::kInternal, ""};
  const Milliseconds taken =
      time_of([&] { error = error_of(connect(target, sshd_->client_files())); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("Connection refused"));
  EXPECT_THAT(error.message, Not(HasSubstr("attempts")));
  EXPECT_LE(taken.count(), 500);
}

TEST_F(ConnectTest, AttemptsAreWithinTheDeadline) {
  SshTarget target = sshd_->target();
  target.port = free_port();
  target.connection_attempts = 100;
  Error error{Code::kInternal, ""};
  const Milliseconds taken =
      time_of([&] { error = error_of(connect(target, sshd_->client_files(), 1500)); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_THAT(error.message, HasSubstr("(2 attempts)"));
  EXPECT_LE(taken.count(), 1800);
}

TEST_F(ConnectTest, ALaterAttemptSucceeds) {
  TestSshd sshd;
  sshd.stop();
  SshTarget target = sshd.target();
  target.connection_attempts = 20;
  std::string answer;
  std::thread connecting{[&] { answer = hello(target, sshd.client_files()); }};
  EXPECT_TRUE(eventually([&] { return log_.has(LogLevel::kDebug, "trying again"); }));
  sshd.start();
  connecting.join();
  EXPECT_EQ(answer, "hello\n");
}

TEST_F(ConnectTest, ManyAtOnce) {
  TestSshd other{{.address = "127.0.0.1", .lines = {"MaxStartups 100"}}};
  LibsshConnector first{clock_, log_, sshd_->client_files()};
  std::vector<std::string> answers(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const TestSshd& sshd = i % 2 == 0 ? *sshd_ : other;
    threads.emplace_back([&, i] {
      Result<std::unique_ptr<RemoteShell>> shell = first.connect(sshd.target(), in(20000));
      if (!shell.ok()) {
        answers[i] = shell.error().message;
        return;
      }
      const Result<CommandOutput> output =
          shell.value()->run("echo " + std::to_string(i), in(20000));
      answers[i] = output.ok() ? output.value().out : output.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i], std::to_string(i) + "\n");
  }
}

TEST_F(ConnectTest, NoDescriptorIsLeftOpen) {
  const auto open_descriptors = [] {
    const std::filesystem::directory_iterator fds{"/proc/self/fd"};
    return std::distance(begin(fds), end(fds));
  };
  SshTarget refused = sshd_->target();
  refused.identity_files = {"/nonexistent"};
  SshTarget closed = sshd_->target();
  closed.port = free_port();
  hello(sshd_->target(), sshd_->client_files());
  const auto before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    hello(sshd_->target(), sshd_->client_files());
    EXPECT_FALSE(connect(refused, sshd_->client_files()).ok());
    EXPECT_FALSE(connect(closed, sshd_->client_files()).ok());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace mha
