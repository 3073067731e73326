// Host keys of a real sshd: unknown, changed, noted, and the commands that mend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "component/ssh/ssh_test_base.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

class HostKeyTest : public SharedSshdTest {
 protected:
  SshTarget target_that_knows(const std::string& lines) {
    write_file(known_, lines);
    SshTarget target = sshd_->target();
    target.known_hosts_file = known_;
    return target;
  }
  // What an error's text tells a person to type.
  static std::string command_in(const std::string& message) {
    const std::string before = "if that is right: ";
    const std::size_t at = message.find(before);
    return at == std::string::npos ? "false" : message.substr(at + before.size());
  }

  TempDir dir_;
  const std::string known_ = dir_.file("known");
};

TEST_F(HostKeyTest, UnknownIsRefusedByStrictAndByDefault) {
  SshTarget target = target_that_knows("");
  for (const std::optional<HostKeyPolicy> policy :
       {std::optional<HostKeyPolicy>{}, std::optional{HostKeyPolicy::kStrict}}) {
    target.host_key_policy = policy;
    const Error error = error_of(connect(target, sshd_->client_files()));
    EXPECT_EQ(error.code, Code::kDenied);
    EXPECT_THAT(error.message, HasSubstr("SHA256:"));
    EXPECT_EQ(read_file(known_), "");
  }
}

TEST_F(HostKeyTest, TheCommandInTheErrorMendsUnknown) {
  const SshTarget target = target_that_knows("");
  const Error error = error_of(connect(target, sshd_->client_files()));
  EXPECT_THAT(error.message, HasSubstr("ssh-keyscan"));
  run_tool({"sh", "-c", command_in(error.message) + " 2>&1"});
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
}

TEST_F(HostKeyTest, UnknownIsAcceptedAndNoted) {
  for (const HostKeyPolicy policy : {HostKeyPolicy::kAcceptNew, HostKeyPolicy::kOff}) {
    SshTarget target = target_that_knows("");
    target.host_key_policy = policy;
    EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
    target.host_key_policy = HostKeyPolicy::kStrict;
    EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
    EXPECT_EQ(read_file(known_), sshd_->known_hosts_line());
  }
}

TEST_F(HostKeyTest, ThatItCannotBeNotedIsAWarning) {
  SshTarget target = sshd_->target();
  target.known_hosts_file = "/proc/nowhere/known_hosts";
  target.host_key_policy = HostKeyPolicy::kOff;
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "could not be noted"));
}

TEST_F(HostKeyTest, ChangedIsRefused) {
  TestSshd other;
  std::string line = other.known_hosts_line();
  line.replace(0, line.find(' '), "[127.0.0.1]:" + std::to_string(sshd_->port()));
  SshTarget target = target_that_knows("# first\n" + line);
  for (const HostKeyPolicy policy : {HostKeyPolicy::kStrict, HostKeyPolicy::kAcceptNew}) {
    target.host_key_policy = policy;
    const Error error = error_of(connect(target, sshd_->client_files()));
    EXPECT_EQ(error.code, Code::kDenied);
    EXPECT_THAT(error.message, HasSubstr(known_ + ":2"));
    EXPECT_THAT(error.message, HasSubstr("SHA256:"));
    EXPECT_EQ(read_file(known_), "# first\n" + line);
  }

  target.host_key_policy = HostKeyPolicy::kOff;
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
  EXPECT_TRUE(log_.has(LogLevel::kWarning, known_ + ":2"));
  EXPECT_EQ(read_file(known_), "# first\n" + line);

  target.host_key_policy = HostKeyPolicy::kStrict;
  const Error error = error_of(connect(target, sshd_->client_files()));
  EXPECT_THAT(error.message, HasSubstr("ssh-keygen -R"));
  run_tool({"sh", "-c", command_in(error.message) + " 2>&1"});
  EXPECT_EQ(hello(target, sshd_->client_files()), "hello\n");
}

TEST_F(HostKeyTest, ServerWithANewKey) {
  TestSshd renewed;
  EXPECT_EQ(hello(renewed.target(), renewed.client_files()), "hello\n");
  renewed.change_host_key();
  SshTarget target = renewed.target();
  target.host_key_policy = HostKeyPolicy::kAcceptNew;
  EXPECT_EQ(error_of(connect(target, renewed.client_files())).code, Code::kDenied);
}

TEST_F(HostKeyTest, PolicyOfSshConfig) {
  SshTarget target = target_that_knows("");
  EXPECT_EQ(hello(target, sshd_->client_files("StrictHostKeyChecking accept-new\n")), "hello\n");
  target = target_that_knows("");
  EXPECT_EQ(hello(target, sshd_->client_files("StrictHostKeyChecking no\n")), "hello\n");
  // The command line wins.
  target = target_that_knows("");
  target.host_key_policy = HostKeyPolicy::kStrict;
  EXPECT_EQ(error_of(connect(target, sshd_->client_files("StrictHostKeyChecking no\n"))).code,
            Code::kDenied);
}

TEST_F(HostKeyTest, AliasOfSshConfig) {
  std::string line = sshd_->known_hosts_line();
  line.replace(0, line.find(' '), "the-database");
  const SshTarget target = target_that_knows(line);
  EXPECT_EQ(hello(target, sshd_->client_files("HostKeyAlias the-database\n")), "hello\n");
  EXPECT_EQ(error_of(connect(target, sshd_->client_files())).code, Code::kDenied);
}

}  // namespace
}  // namespace mha
