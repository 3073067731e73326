// Decoding what MHA has escaped, checked against MHA's own escaping where it is installed.
#include "cli/mha_escape.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/shell_quote.h"
#include "engine/script_command.h"

namespace mha {
namespace {

TEST(MhaEscapeTest, LeftToRight) {
  EXPECT_EQ(decode_mha_escape(""), "");
  EXPECT_EQ(decode_mha_escape("plain"), "plain");
  EXPECT_EQ(decode_mha_escape(R"(a\\b)"), R"(a\b)");
  EXPECT_EQ(decode_mha_escape(R"(a\$b)"), "a$b");
  EXPECT_EQ(decode_mha_escape(R"(a\\\$b)"), R"(a\$b)");
  EXPECT_EQ(decode_mha_escape(R"(\\\\)"), R"(\\)");
  EXPECT_EQ(decode_mha_escape(R"(\ \!\")"), " !\"");
}

TEST(MhaEscapeTest, ALastLoneBackslashStays) {
  EXPECT_EQ(decode_mha_escape("\\"), "\\");
  EXPECT_EQ(decode_mha_escape("a\\"), "a\\");
  EXPECT_EQ(decode_mha_escape(R"(a\\\)"), R"(a\\)");
}

// Standard output of a shell command.
std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::string out;
  char buffer[4096];
  std::size_t got = 0;
  while ((got = fread(buffer, 1, sizeof buffer, pipe)) > 0) out.append(buffer, got);
  pclose(pipe);
  return out;
}

class MhasOwnEscapeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (output_of("perl -MMHA::NodeUtil -e 'print 1' 2>/dev/null") == "1") return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") {
      FAIL() << "MHA is not installed (mha4mysql-node)";
    }
    GTEST_SKIP() << "MHA is not installed (mha4mysql-node)";
  }

  // What a hook gets: MHA escapes, puts it into a command line, and sh reads that. Values go in and
  // out separated by a byte that none of them has.
  static std::vector<std::string> as_hooks_get_them(const std::vector<std::string>& values) {
    std::string command =
        "perl -MMHA::NodeUtil -e "
        "'print join(\" \", map { MHA::NodeUtil::escape_for_shell($_) } @ARGV)' --";
    for (const std::string& value : values) command += " " + shell_quote(value);
    return words_read_by_sh(output_of(command));
  }
  static std::vector<std::string> words_read_by_sh(const std::string& words) {
    const std::string read = output_of("printf '%s\\001' " + words);
    std::vector<std::string> got;
    std::size_t begin = 0;
    for (std::size_t end = read.find('\001'); end != std::string::npos;
         end = read.find('\001', begin)) {
      got.push_back(read.substr(begin, end - begin));
      begin = end + 1;
    }
    return got;
  }
};

TEST_F(MhasOwnEscapeTest, EveryPasswordComesBack) {
  std::vector<std::string> values{"p@ss w'o\\rd$1\"!",
                                  "a\\\\b",
                                  "a\\$b",
                                  "\\",
                                  "ends with \\",
                                  "''",
                                  "\"\"",
                                  "`id`",
                                  "$(id)",
                                  "a,b{c}",
                                  "gr\xc3\xbc\xc3\x9f",
                                  "-n",
                                  "*?[]"};
  for (int byte = 0x20; byte < 0x7f; ++byte) values.emplace_back(1, static_cast<char>(byte));
  std::mt19937 random(20240101);
  std::uniform_int_distribution<int> printable(0x20, 0x7e);
  for (int i = 0; i < 300; ++i) {
    std::string value;
    for (int j = 0; j < 1 + i % 24; ++j) value += static_cast<char>(printable(random));
    values.push_back(value);
  }
  const std::vector<std::string> got = as_hooks_get_them(values);
  ASSERT_EQ(got.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(decode_mha_escape(got[i]), values[i]) << "as MHA passes it: " << got[i];
  }
  // What we pass to the scripts of others is what MHA would.
  std::string ours;
  for (const std::string& value : values) ours += " " + mha_escaped_word(value);
  EXPECT_EQ(words_read_by_sh(ours), got);
}

}  // namespace
}  // namespace mha
