// Whose files with passwords are read, and what is taken from them.
#include "config/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

class PasswordFileTest : public testing::Test {
 protected:
  std::string write(std::string_view text, unsigned mode = 0600) {
    std::string file = folder_.write("it's", text);
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }
  std::string error_of(const std::string& file) {
    const Result<Secret> read = read_password_file(file);
    if (read.ok()) return "none";
    EXPECT_EQ(read.error().code, Code::kConfig);
    EXPECT_THAT(read.error().message, Not(HasSubstr("s3cret")));
    return read.error().message;
  }

  TempFolder folder_;
};

TEST_F(PasswordFileTest, TheFirstLineIsIt) {
  for (const auto& [text, password] :
       {std::pair{"s3cret", "s3cret"}, std::pair{"s3cret\n", "s3cret"},
        std::pair{"s3cret\r\n", "s3cret"}, std::pair{" s3 cret #;\"\n", " s3 cret #;\""},
        std::pair{"s3cret\nmore\n", "s3cret"}}) {
    const Result<Secret> read = read_password_file(write(text));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value().reveal(), password);
  }
  for (const char* text : {"", "\n", "\r\n", "\ns3cret\n"}) {
    EXPECT_THAT(error_of(write(text)), HasSubstr("no password in its first line"));
  }
}

TEST_F(PasswordFileTest, WhatOthersCanReadIsRefusedWithWhatMendsIt) {
  for (const unsigned mode : {0644U, 0640U, 0604U, 0620U, 0601U, 0777U}) {
    const std::string file = write("s3cret\n", mode);
    const std::string error = error_of(file);
    ASSERT_THAT(error, HasSubstr(": chmod 600 "));
    const std::string mend = error.substr(error.find("chmod"));
    EXPECT_EQ(std::system(mend.c_str()), 0) << mend;  // NOLINT(cert-env33-c): it is what is tested
    EXPECT_EQ(error_of(file), "none") << mend;
  }
}

TEST_F(PasswordFileTest, SomebodyElsesIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string file = write("s3cret\n");
  ASSERT_EQ(chown(file.c_str(), 12345, 12345), 0);
  EXPECT_THAT(error_of(file), HasSubstr("belongs to user 12345"));
}

TEST_F(PasswordFileTest, WhatIsNoFile) {
  EXPECT_THAT(error_of(folder_.path("none")), HasSubstr("No such file"));
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("directory"));
  EXPECT_THAT(error_of("/dev/null"), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace mha
