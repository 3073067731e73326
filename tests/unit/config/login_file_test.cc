// Login paths: a real file, other lines in its format, and everything that is no such file.
#include "config/login_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <vector>

#include "unit/config/login_sample.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The lines as mysql_config_editor enciphers them, with a key of zeros.
std::string enciphered(const std::vector<std::string>& lines) {
  std::string file(24, '\0');
  const std::array<unsigned char, 16> key{};
  for (const std::string& line : lines) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    std::vector<unsigned char> out(line.size() + 32);
    int got = 0;
    int rest = 0;
    EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr);
    EVP_EncryptUpdate(context.get(), out.data(), &got,
                      reinterpret_cast<const unsigned char*>(line.data()),
                      static_cast<int>(line.size()));
    EVP_EncryptFinal_ex(context.get(), out.data() + got, &rest);
    const auto size = static_cast<std::size_t>(got + rest);
    for (unsigned shift = 0; shift < 32; shift += 8) file += static_cast<char>(size >> shift);
    file.append(reinterpret_cast<const char*>(out.data()), size);
  }
  return file;
}

std::string password_of(const std::vector<std::string>& lines) {
  const Result<LoginPath> read = parse_login_path(enciphered(lines), "x");
  return read.ok() ? read.value().password.reveal() : "error: " + read.error().message;
}

TEST(LoginFile, WhatMysqlConfigEditorWrote) {
  const std::string file = login_file_sample();
  const Result<LoginPath> plain = parse_login_path(file, "mha");
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain.value().user, "mha");
  EXPECT_EQ(plain.value().password.reveal(), "pl4in-w0rd");
  const Result<LoginPath> hard = parse_login_path(file, "hard");
  ASSERT_TRUE(hard.ok()) << hard.error().message;
  EXPECT_EQ(hard.value().user, "repl user");
  EXPECT_EQ(hard.value().password.reveal(), "a#b'c\"d\n e;=");
  EXPECT_EQ(parse_login_path(file, "client").value().password.reveal(), " lead and trail ");
}

TEST(LoginFile, ValuesAsOptionFilesHaveThem) {
  EXPECT_EQ(password_of({"[x]\n", "password = plain\n"}), "plain") << "as 5.6 wrote it";
  EXPECT_EQ(password_of({"[x]\n", "password=  a b \t# said of it\n"}), "a b");
  EXPECT_EQ(password_of({"[x]\n", "password = 'a#b'\n"}), "a#b");
  EXPECT_EQ(password_of({"[x]\n", R"(password = "q\"#\\\s\tz")"}), "q\"#\\ \tz");
  EXPECT_EQ(password_of({"[x]\n", R"(password = "C:\dir\")"}), R"(C:\dir\)");
  EXPECT_EQ(password_of({"[x]\n", "password = one\n", "password = two\n"}), "two");
  EXPECT_EQ(password_of({"# all\n", "[y]\n", "password = no\n", "[x]\n", "password = yes\n",
                         "[z]\n", "password = no\n"}),
            "yes");
  EXPECT_EQ(password_of({"[x]\npassword = in one record\n[y]\n"}), "in one record");
}

TEST(LoginFile, APathThatIsNotThereAndOneWithoutPassword) {
  const Result<LoginPath> none = parse_login_path(login_file_sample(), "mhaa");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kConfig);
  EXPECT_THAT(none.error().message, HasSubstr("no login path 'mhaa'; it has: mha, hard, client"));
  const Result<LoginPath> empty =
      parse_login_path(enciphered({"[x]\n", "user = \"u\"\n", "password = \"\"\n"}), "x");
  ASSERT_FALSE(empty.ok());
  EXPECT_THAT(empty.error().message, HasSubstr("--login-path=x --user=... --password"));
}

// At every length, and with every byte of it changed: an error or a value, and no password in it.
TEST(LoginFile, CutAndDamagedFiles) {
  const std::string whole = login_file_sample();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Result<LoginPath> cut = parse_login_path(std::string_view(whole).substr(0, size), "x");
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_THAT(cut.error().message, AllOf(Not(HasSubstr("w0rd")), Not(HasSubstr("lead and"))));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {1, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      const Result<LoginPath> read = parse_login_path(damaged, "mha");
      if (!read.ok()) {
        EXPECT_THAT(read.error().message, Not(HasSubstr("w0rd")));
      }
    }
  }
  EXPECT_THAT(parse_login_path("[mha]\nuser=mha\npassword=w0rd\n", "mha").error().message,
              HasSubstr("no file of mysql_config_editor's"));
}

TEST(LoginFile, OthersMayNotReadIt) {
  const TempFolder folder;
  const std::string file = folder.write("mylogin.cnf", login_file_sample());
  ASSERT_EQ(chmod(file.c_str(), 0640), 0);
  const Result<LoginPath> refused = read_login_path(file, "mha");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("chmod 600 " + file));
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_TRUE(read_login_path(file, "mha").ok());
}

}  // namespace
}  // namespace mha
