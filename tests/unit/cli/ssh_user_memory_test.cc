// The SSH user that MHA named for a host, kept from one hook's run to the next.
#include "cli/ssh_user_memory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "unit/cli/child_program.h"

namespace mha {
namespace {

class SshUserMemoryTest : public testing::Test {
 protected:
  CliFolder folder_;
  std::string state_ = folder_.path("lib/state");
};

TEST_F(SshUserMemoryTest, NobodyIsKnownAtFirst) { EXPECT_EQ(recall_ssh_user(state_, "db1"), ""); }

TEST_F(SshUserMemoryTest, TheLastUserOfEachHostIsRecalled) {
  ASSERT_TRUE(remember_ssh_user(state_, "db1", "root").ok());
  ASSERT_TRUE(remember_ssh_user(state_, "db1", "mha_helper").ok());
  ASSERT_TRUE(remember_ssh_user(state_, "fd00::1", "EXAMPLE\\dba@corp").ok());
  EXPECT_EQ(recall_ssh_user(state_, "db1"), "mha_helper");
  EXPECT_EQ(recall_ssh_user(state_, "fd00::1"), "EXAMPLE\\dba@corp");
  EXPECT_EQ(recall_ssh_user(state_, "db2"), "");
}

TEST_F(SshUserMemoryTest, NothingElseIsLeftInThePrivateFolder) {
  ASSERT_TRUE(remember_ssh_user(state_, "db1", "root").ok());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(state_)) {
    ++files;
    struct stat about {};
    ASSERT_EQ(stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
  }
  EXPECT_EQ(files, 1);
  struct stat about {};
  ASSERT_EQ(stat(state_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

TEST_F(SshUserMemoryTest, WhatIsNoUserNameIsNeitherKeptNorRecalled) {
  for (const std::string user : {"", "-oProxyCommand=x", "a b", "a\nb", "../x"}) {
    EXPECT_TRUE(remember_ssh_user(state_, "db1", user).ok()) << user;
    EXPECT_EQ(recall_ssh_user(state_, "db1"), "") << user;
  }
  ASSERT_TRUE(remember_ssh_user(state_, "db1", "root").ok());
  for (const auto& entry : std::filesystem::directory_iterator(state_)) {
    std::ofstream(entry.path()) << "-oProxyCommand=x";
  }
  EXPECT_EQ(recall_ssh_user(state_, "db1"), "");
}

TEST_F(SshUserMemoryTest, AFolderThatCannotBeMadeIsAnError) {
  folder_.write("file", "x");
  EXPECT_FALSE(remember_ssh_user(folder_.path("file/state"), "db1", "root").ok());
}

}  // namespace
}  // namespace mha
