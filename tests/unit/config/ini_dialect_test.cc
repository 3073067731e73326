// Single lines: what Python 2.7.18's RawConfigParser and Config::Tiny 2.28 made of them.
#include "config/ini_dialect.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mha {
namespace {

struct Case {
  std::string line;
  std::string key;  // empty: not a pair
  std::string value;
};

std::string show(const std::optional<KeyAndValue>& pair) {
  return pair ? std::string(pair->key) + " -> " + std::string(pair->value) : "not a pair";
}

void expect_pairs(IniDialect dialect, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string want = c.key.empty() ? "not a pair" : c.key + " -> " + c.value;
    EXPECT_EQ(show(key_and_value(dialect, c.line)), want) << "line: " << c.line;
  }
}

TEST(IniDialect, ConfigTinyPairs) {
  expect_pairs(IniDialect::kConfigTiny, {
                                            {"k=v", "k", "v"},
                                            {"  k \t=  v w \t", "k", "v w"},
                                            {"p = x ; y", "p", "x"},
                                            {"p = x ;y", "p", "x ;y"},
                                            {"p = x; y", "p", "x; y"},
                                            {"p = x ; ", "p", "x ;"},
                                            {"p = x ;  ", "p", "x"},
                                            {"p = a ; b ; c", "p", "a"},
                                            {"p=a;b#c:\"'\\ d", "p", "a;b#c:\"'\\ d"},
                                            {"p = # not a comment", "p", "# not a comment"},
                                            {"p = a=b=c", "p", "a=b=c"},
                                            {"p =", "p", ""},
                                            {"p : x", "", ""},
                                            {"p : x = y", "p : x", "y"},
                                            {"= v", "", ""},
                                            {"k ; = v", "", ""},
                                            {"novalue", "", ""},
                                            {"p = \xa0y\xa0", "p", "\xa0y\xa0"},
                                        });
}

TEST(IniDialect, ConfigParserPairs) {
  expect_pairs(IniDialect::kConfigParser,
               {
                   {"K = x ; y", "K", "x"},
                   {"q = x ;y", "q", "x"},
                   {"r = x; y", "r", "x; y"},
                   {"u = a;b ;c", "u", "a;b ;c"},
                   {"v:=w", "v", "=w"},
                   {"w : x", "w", "x"},
                   {"w:x=y", "w", "x=y"},
                   {"w=x:y", "w", "x:y"},
                   {"z = ; ", "z", ""},
                   {"e = \"\"", "e", ""},
                   {"e = \"x\"", "e", "\"x\""},
                   {"i = %(x)s # c", "i", "%(x)s # c"},
                   {"=1", "", ""},
                   {"nov", "", ""},
                   // ConfigParser gave "; c": we take the comment that was meant.
                   {"y = ; c", "y", ""},
               });
}

struct SectionCase {
  std::string line;
  std::string tiny;    // empty: no section
  std::string parser;  // empty: no section
};

TEST(IniDialect, Sections) {
  const std::vector<SectionCase> cases = {
      {"[a]", "a", "a"},
      {"[ server default ]", "server default", "server default"},
      {"[2001:db8::1]", "2001:db8::1", "2001:db8::1"},
      {"[b]  ; c", "b", "b"},
      {"[b];c", "", "b"},
      {"[a] # c", "", "a"},
      {"[a]x=1", "", "a"},
      {"[a]]", "a]", "a"},
      {"  [a]", "a", ""},  // ConfigParser: the value above goes on
      {"[]", "", ""},
      {"[ ]", "", ""},
      {"[a", "", ""},
      {"a]", "", ""},
      {"", "", ""},
  };
  for (const SectionCase& c : cases) {
    EXPECT_EQ(section_name(IniDialect::kConfigTiny, c.line).value_or(""), c.tiny) << c.line;
    EXPECT_EQ(section_name(IniDialect::kConfigParser, c.line).value_or(""), c.parser) << c.line;
  }
}

TEST(IniDialect, Comments) {
  for (const auto dialect : {IniDialect::kConfigTiny, IniDialect::kConfigParser}) {
    for (const std::string line : {"", " \t", "# x", "; x", "  # x = y", "\t; x"}) {
      EXPECT_TRUE(is_comment_or_blank(dialect, line)) << line;
    }
    for (const std::string line : {"x # y", "[a]", "remark = 1", "r", " rem x"}) {
      EXPECT_FALSE(is_comment_or_blank(dialect, line)) << line;
    }
  }
  EXPECT_TRUE(is_comment_or_blank(IniDialect::kConfigParser, "REM x = y"));
  EXPECT_TRUE(is_comment_or_blank(IniDialect::kConfigParser, "rem"));
  EXPECT_FALSE(is_comment_or_blank(IniDialect::kConfigTiny, "rem x = y"));
}

}  // namespace
}  // namespace mha
