// What is made, what is let be, and what is refused.
#include "base/private_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace mha {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class PrivateFolderTest : public testing::Test {
 protected:
  PrivateFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "mha-folder-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    old_mask_ = umask(0);
  }
  ~PrivateFolderTest() override {
    umask(old_mask_);
    fs::remove_all(top_);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return top_ + "/" + name; }
  [[nodiscard]] unsigned mode_of(const std::string& name) const {
    struct stat about {};
    EXPECT_EQ(stat(path(name).c_str(), &about), 0) << name;
    return about.st_mode & 07777U;
  }

  std::string top_;
  mode_t old_mask_ = 0;
};

TEST_F(PrivateFolderTest, IsMadeForItsOwnerWithWhatIsMissingAboveIt) {
  for (const char* name : {"a/b/own", "a/b/own", "c//own/"}) {
    EXPECT_TRUE(ensure_private_folder(path(name)).ok()) << name;
    EXPECT_EQ(mode_of(name), 0700U) << name;
  }
  for (const char* name : {"a", "a/b", "c"}) EXPECT_EQ(mode_of(name), 0755U) << name;
}

TEST_F(PrivateFolderTest, TheUmaskCountsForWhatIsAboveIt) {
  umask(027);
  EXPECT_TRUE(ensure_folder(path("a/b")).ok());
  EXPECT_EQ(mode_of("a"), 0750U);
  EXPECT_EQ(mode_of("a/b"), 0750U);
}

TEST_F(PrivateFolderTest, WhatOthersCanLookIntoIsRefusedWithWhatMendsIt) {
  for (const unsigned mode : {0755U, 0710U, 0701U, 0777U, 0704U}) {
    ASSERT_TRUE(ensure_folder(path("it's")).ok());
    ASSERT_EQ(chmod(path("it's").c_str(), mode), 0);
    const Status refused = ensure_private_folder(path("it's"));
    ASSERT_FALSE(refused.ok()) << mode;
    EXPECT_EQ(refused.error().code, Code::kDenied);
    const std::string mend = refused.error().message.substr(refused.error().message.find("chmod"));
    EXPECT_THAT(mend, HasSubstr("chmod 700 "));
    EXPECT_EQ(std::system(mend.c_str()), 0);  // NOLINT(cert-env33-c): it is what is tested
    EXPECT_TRUE(check_private_folder(path("it's")).ok());
  }
}

TEST_F(PrivateFolderTest, LinksAndFilesAreNoFolders) {
  ASSERT_TRUE(ensure_private_folder(path("own")).ok());
  ASSERT_EQ(symlink("own", path("link").c_str()), 0);
  std::ofstream{path("file")} << "x";
  for (const char* name : {"link", "file", "file/own", "own/../file/deep/own"}) {
    const Status refused = ensure_private_folder(path(name));
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, Code::kDenied) << name;
  }
  EXPECT_EQ(check_private_folder(path("none")).error().code, Code::kUnreachable);
}

TEST_F(PrivateFolderTest, SomebodyElsesIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_TRUE(ensure_private_folder(path("theirs")).ok());
  ASSERT_EQ(chown(path("theirs").c_str(), 12345, 12345), 0);
  const Status refused = ensure_private_folder(path("theirs"));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("belongs to user 12345"));
}

}  // namespace
}  // namespace mha
