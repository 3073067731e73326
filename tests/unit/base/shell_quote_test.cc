// Quoting, read back by a real shell.
#include "base/shell_quote.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mha {
namespace {

// What sh makes of the words: each followed by a byte that no value here has.
std::string words_as_sh_reads_them(const std::string& quoted_words) {
  const std::string command = "printf '%s\\001' " + quoted_words;
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  char buffer[4096];
  std::size_t got = 0;
  while ((got = fread(buffer, 1, sizeof buffer, pipe)) > 0) out.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

TEST(ShellQuoteTest, PlainWordsStayReadable) {
  EXPECT_EQ(shell_quote("10.0.0.100/24"), "10.0.0.100/24");
  EXPECT_EQ(shell_quote("fd00::1/64"), "fd00::1/64");
  EXPECT_EQ(shell_quote("eth0.100"), "eth0.100");
}

TEST(ShellQuoteTest, EverythingElseIsQuoted) {
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(shell_quote("~root"), "'~root'");
}

TEST(ShellQuoteTest, APartFromANulOnIsDropped) {
  EXPECT_EQ(shell_quote(std::string_view{"ab\0cd", 5}), "ab");
  EXPECT_EQ(shell_quote(std::string_view{"\0cd", 3}), "''");
}

TEST(ShellQuoteTest, ShReadsBackWhatWasQuoted) {
  std::vector<std::string> values{"",
                                  " ",
                                  "-n",
                                  "--",
                                  "~",
                                  "a=b",
                                  "*",
                                  "{a,b}",
                                  "$HOME ${HOME} $(id) `id`",
                                  "'",
                                  "''",
                                  "\\'",
                                  "p@ss w'o\\rd$1\"!",
                                  "a;b&c|d>e<f(g)h#i",
                                  "two\nlines\n",
                                  "\t\r\v\f",
                                  "\xff\xfe\x80 not UTF-8",
                                  "gr\xc3\xbc\xc3\x9f"};
  // One of each byte but NUL and the separator.
  std::string all_bytes;
  for (int byte = 2; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  values.push_back(all_bytes);
  // Every special byte alone, since some are special only at the start of a word.
  for (int byte = 2; byte < 256; ++byte) values.emplace_back(1, static_cast<char>(byte));
  std::mt19937 random(20240101);
  std::uniform_int_distribution<int> any_byte(2, 255);
  for (int i = 0; i < 200; ++i) {
    std::string value;
    for (int j = 0; j < i % 23; ++j) value += static_cast<char>(any_byte(random));
    values.push_back(value);
  }

  std::string words;
  std::string expected;
  for (const std::string& value : values) {
    words += " " + shell_quote(value);
    expected += value + '\001';
  }
  EXPECT_EQ(words_as_sh_reads_them(words), expected);
}

// Metal's scripts go through two shells: the login shell and sh -c.
TEST(ShellQuoteTest, QuotingTwiceSurvivesTwoShells) {
  const std::string value = "p@ss w'o\\rd$1\"!\n*";
  const std::string inner = "printf '%s\\001' " + shell_quote(value);
  EXPECT_EQ(words_as_sh_reads_them("\"$(sh -c " + shell_quote(inner) + ")\""), value + "\001\001");
}

}  // namespace
}  // namespace mha
