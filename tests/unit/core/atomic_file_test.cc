// Files that are there whole, or as they were.
#include "core/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "unit/core/state_folder.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AtomicFile, ReplacesAndLeavesNothingBeside) {
  const StateFolder folder;
  const std::string path = folder.path("a.journal");
  ASSERT_TRUE(write_atomically(path, "one", 0600).ok());
  ASSERT_TRUE(write_atomically(path, "two\n", 0640).ok());
  EXPECT_EQ(read_whole(path), "two\n");
  struct stat about {};
  ASSERT_EQ(stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0640U);
  EXPECT_THAT(folder.files(), ElementsAre(path));
}

TEST(AtomicFile, ALinkIsReplacedAndNotFollowed) {
  const StateFolder folder;
  write_whole(folder.path("other"), "precious");
  std::filesystem::create_symlink(folder.path("other"), folder.path("link"));
  ASSERT_TRUE(write_atomically(folder.path("link"), "ours", 0600).ok());
  EXPECT_EQ(read_whole(folder.path("other")), "precious");
  EXPECT_EQ(read_whole(folder.path("link")), "ours");
}

TEST(AtomicFile, WhatCannotBeWrittenIsNamedAndStays) {
  const StateFolder folder;
  const Status missing = write_atomically(folder.path("no/such/file"), "x", 0600);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("no/such/file: No such file"));
  std::filesystem::create_directory(folder.path("folder"));
  EXPECT_FALSE(write_atomically(folder.path("folder"), "x", 0600).ok());
  EXPECT_THAT(folder.files(), ElementsAre(folder.path("folder")));
}

}  // namespace
}  // namespace mha
