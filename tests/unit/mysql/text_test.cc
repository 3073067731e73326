// UTF-8 that is cut and mended.
#include "mysql/text.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

TEST(ValidUtf8, LeavesGoodTextAlone) {
  const std::string good = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n";
  EXPECT_EQ(valid_utf8(good), good);
  EXPECT_EQ(valid_utf8(""), "");
}

TEST(ValidUtf8, MarksEachBadByte) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a?b");
  EXPECT_EQ(valid_utf8("\xC3("), "?(");
  EXPECT_EQ(valid_utf8("\xE2\x82"), "??");
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "??");            // overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), "???");       // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(valid_utf8("\xF0\x8F\xBF\xBF"), "????");  // overlong
  EXPECT_EQ(valid_utf8(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST(ValidUtf8, CutsBetweenCharacters) {
  EXPECT_EQ(valid_utf8("abc", 2), "ab");
  EXPECT_EQ(valid_utf8("a\xE2\x82\xAC", 3), "a");
  EXPECT_EQ(valid_utf8("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
  EXPECT_EQ(valid_utf8("abc", 0), "");
}

TEST(OneLine, JoinsLinesAndTrims) {
  EXPECT_EQ(one_line("  SELECT\n\t1\r\n "), "SELECT 1");
  EXPECT_EQ(one_line("a\x7F\x1B[31mb"), "a [31mb");
  EXPECT_EQ(one_line(" \n"), "");
}

}  // namespace
}  // namespace mha
