// MySQL's GTID sets by example: what is taken, how it is printed, what is refused and with which
// words.
#include "engine/mysql_gtid_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kA = "0e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kB = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kC = "ffffffff-ffff-ffff-ffff-ffffffffffff";

MysqlGtidSet set(const std::string& text) {
  const Result<MysqlGtidSet> parsed = MysqlGtidSet::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
  return parsed.ok() ? parsed.value() : MysqlGtidSet{};
}

std::string refusal(const std::string& text) {
  const Result<MysqlGtidSet> parsed = MysqlGtidSet::parse(text);
  EXPECT_FALSE(parsed.ok()) << text;
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.error().code, Code::kInternal);
  return parsed.error().message;
}

struct Case {
  std::string text;
  std::string normal;
};

// Each was asked of MySQL 9.7.4 too, as GTID_SUBTRACT(text, '').
TEST(MysqlGtidSet, NormalForm) {
  const std::vector<Case> cases = {
      {"", ""},
      {" \n", ""},
      {",", ""},
      {kA + ":1-5", kA + ":1-5"},
      {kA + ":7", kA + ":7"},
      {"  " + kB + " : 1 - 5 : 7 ,\n" + kA + ":3 ", kA + ":3,\n" + kB + ":1-5:7"},
      {",," + kA + ":1 ,, ", kA + ":1"},
      {kA + ":\t1\r\n-\f5\v", kA + ":1-5"},
      {kA + "\t:1", kA + ":1"},
      {"3E11FA47-71CA-11E1-9E33-C80AA9429562:1", kB + ":1"},
      {"3e11fa4771ca11e19e33c80aa9429562:1", kB + ":1"},
      {"{" + kA + "}:1", kA + ":1"},
      {kA + ":1-3:2-9:5", kA + ":1-9"},
      {kA + ":4:1:3:2", kA + ":1-4"},
      {kA + ":1-3:5-9", kA + ":1-3:5-9"},
      {kA + ":1," + kA + ":2", kA + ":1-2"},
      {kA + ":007", kA + ":7"},
      {kA, ""},
      {kA + "," + kB + ":1", kB + ":1"},
      {kA + ":5-3", ""},
      {kA + ":1-0", ""},
      {kA + ":5-3:7", kA + ":7"},
      {kA + ":9223372036854775806", kA + ":9223372036854775806"},
      {kA + ":1-9223372036854775806", kA + ":1-9223372036854775806"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(set(c.text).text(), c.normal) << c.text;
    EXPECT_EQ(set(c.normal), set(c.text));
    EXPECT_EQ(set(c.text).empty(), c.normal.empty());
  }
}

TEST(MysqlGtidSet, Tags) {
  const std::vector<Case> cases = {
      {kA + ":tag:1-5", kA + ":tag:1-5"},
      {kA + ":Tag_9:1", kA + ":tag_9:1"},
      {kA + ": tag : 1", kA + ":tag:1"},
      {kA + ":_t:1", kA + ":_t:1"},
      {kA + ":tag", ""},
      {kA + ":1:tag", kA + ":1"},
      {kA + ":tag:5-3", ""},
      {kA + ":tag:zag:1", kA + ":zag:1"},
      {kA + ":tag:1:7:Tag:3", kA + ":tag:1:3:7"},
      {kA + ":1:tag:2:3:zag:4," + kA + ":aag:1", kA + ":1:aag:1:tag:2-3:zag:4"},
      {kB + ":tag:1," + kA + ":2", kA + ":2,\n" + kB + ":tag:1"},
      {kA + ":" + std::string(32, 'a') + ":1", kA + ":" + std::string(32, 'a') + ":1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(set(c.text).text(), c.normal) << c.text;
    EXPECT_EQ(set(c.normal), set(c.text));
  }
  EXPECT_FALSE(set(kA + ":1").contains(set(kA + ":tag:1")));
  EXPECT_FALSE(set(kA + ":tag:1").contains(set(kA + ":1")));
  EXPECT_TRUE(set(kA + ":1:tag:1-3").contains(set(kA + ":tag:2")));
}

// Each is error 1772 of MySQL 9.7.4 too.
TEST(MysqlGtidSet, Refused) {
  const std::vector<Case> cases = {
      {"x", "at character 1: wanted a UUID, found 'x'"},
      {"1", "wanted a UUID"},
      {"+" + kA + ":1", "wanted a UUID"},
      {"ab" + kA + ":1", "at character 1: wanted a UUID"},
      {kA.substr(1) + ":1", "wanted a UUID"},
      {"0e11fa4771ca-11e1-9e33-c80aa9429562:1", "wanted a UUID"},
      {"0e11fa47-71ca11e19e33c80aa9429562:1", "wanted a UUID"},
      {"{" + kA + ":1", "wanted a UUID"},
      {std::string(1, '\0') + kA + ":1", "found '?0e11fa47"},
      {kA + ":", "at character 38: wanted a number, or a tag"},
      {kA + ":1:",
       "at character 40: wanted a number, or a tag of up to 32 letters, digits and "
       "underscores, found its end"},
      {kA + "::1", "wanted a number, or a tag"},
      {kA + ":-5", "wanted a number, or a tag"},
      {kA + ":+1", "wanted a number, or a tag"},
      {kA + ":t-g:1", "wanted ':' or ',', found '-g:1'"},
      {kA + ":ta g:1", "wanted ':' or ','"},
      {kA + ":" + std::string(33, 'a') + ":1", "wanted a number, or a tag"},
      {kA + ":0", "wanted a number from 1 to 9223372036854775806, found '0'"},
      {kA + ":0-1", "wanted a number from 1 to"},
      {kA + ":9223372036854775807", "wanted a number from 1 to"},
      {kA + ":99999999999999999999999999", "wanted a number from 1 to"},
      {kA + ":18446744073709551617", "wanted a number from 1 to"},
      {kA + ":1-", "wanted a number up to 9223372036854775806, found its end"},
      {kA + ":1-+5", "wanted a number up to"},
      {kA + ":1-9223372036854775807", "wanted a number up to"},
      {kA + ":0x1", "wanted a number from 1 to"},
      {kA + ":9tag:1", "wanted ':' or ',', found 'tag:1'"},
      {kA + ":1 2", "wanted ':' or ',', found '2'"},
      {kA + ":1-2-3", "wanted ':' or ',', found '-3'"},
      {kA + ":1 " + kB + ":1", "wanted ':' or ','"},
      {kA + ":1;", "wanted ':' or ',', found ';'"},
      {kA + "-1:1", "wanted ':' or ','"},
      {kA + ":1\xA0", "found '?'"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(refusal(c.text), AllOf(HasSubstr("GTID set is malformed"), HasSubstr(c.normal)))
        << c.text;
  }
}

TEST(MysqlGtidSet, RefusalIsAShortLineWhateverTheTextIs) {
  const std::string message =
      refusal(kA + ":1\n" + std::string(100000, '\n') + "\x1B[2J" + std::string(100000, 'x'));
  EXPECT_LT(message.size(), 200U);
  EXPECT_THAT(message, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1B")), HasSubstr("...")));
}

TEST(MysqlGtidSet, RefusesATextOfMoreThan16Mebibytes) {
  std::string text = kA + ":1";
  text.resize(std::size_t{16} * 1024 * 1024, ' ');
  EXPECT_EQ(set(text).text(), kA + ":1");
  text += ' ';
  EXPECT_THAT(refusal(text), HasSubstr("16777217 bytes"));
}

TEST(MysqlGtidSet, Algebra) {
  const MysqlGtidSet one = set(kA + ":1-10:20-30," + kB + ":5");
  const MysqlGtidSet two = set(kA + ":5-25," + kC + ":1-2");
  EXPECT_EQ(union_of(one, two).text(), kA + ":1-30,\n" + kB + ":5,\n" + kC + ":1-2");
  EXPECT_EQ(difference_of(one, two).text(), kA + ":1-4:26-30,\n" + kB + ":5");
  EXPECT_EQ(difference_of(two, one).text(), kA + ":11-19,\n" + kC + ":1-2");
  EXPECT_EQ(intersection_of(one, two).text(), kA + ":5-10:20-25");
  EXPECT_EQ(difference_of(one, one), MysqlGtidSet{});
  EXPECT_EQ(intersection_of(one, set(kC + ":1")), MysqlGtidSet{});
  EXPECT_TRUE(union_of(one, two).contains(one));
  EXPECT_FALSE(one.contains(two));
  EXPECT_TRUE(one.contains(MysqlGtidSet{}));
  EXPECT_FALSE(MysqlGtidSet{}.contains(one));
  // Within one interval of ours, not across two.
  EXPECT_FALSE(one.contains(set(kA + ":10-20")));
  EXPECT_TRUE(one.contains(set(kA + ":10:20")));
}

TEST(MysqlGtidSet, AtTheUpperEnd) {
  const MysqlGtidSet all = set(kA + ":1-9223372036854775806");
  const MysqlGtidSet last = set(kA + ":9223372036854775806");
  EXPECT_EQ(difference_of(all, last).text(), kA + ":1-9223372036854775805");
  EXPECT_EQ(difference_of(last, all).text(), "");
  EXPECT_EQ(union_of(difference_of(all, last), last), all);
  EXPECT_EQ(intersection_of(all, last), last);
}

TEST(MysqlGtidSet, CountKnowsItsBound) {
  EXPECT_EQ(set("").count(), 0U);
  EXPECT_EQ(set(kA + ":1-10:20," + kB + ":tag:7").count(), 12U);
  const std::string all = ":1-9223372036854775806";
  EXPECT_EQ(set(kA + all + "," + kB + all).count(), 18446744073709551612U);
  EXPECT_EQ(set(kA + all + ":tag:1-3," + kB + all).count(), 18446744073709551615U);
  EXPECT_EQ(set(kA + all + ":tag:1-4," + kB + all).count(), std::nullopt);
  EXPECT_EQ(set(kA + all + "," + kB + all + "," + kC + all).count(), std::nullopt);
}

TEST(MysqlGtidSet, OneLine) {
  EXPECT_EQ(set(kB + ":1," + kA + ":1:tag:2").one_line(), kA + ":1:tag:2," + kB + ":1");
}

// Costs by intervals: 200 000 of them, whose every operation must stay far from quadratic, and
// intervals that hold more transactions than memory has bytes.
TEST(MysqlGtidSet, ManyIntervals) {
  std::string odd = kA;
  std::string even = kA;
  for (int number = 1; number < 400000; number += 2) {
    odd += ":" + std::to_string(number);
    even += ":" + std::to_string(400001 - number);
  }
  const MysqlGtidSet one = set(odd);
  const MysqlGtidSet two = set(even);
  EXPECT_EQ(one.count(), 200000U);
  EXPECT_TRUE(union_of(one, two) == set(kA + ":1-400000"));  // the text of a failure would be long
  EXPECT_TRUE(intersection_of(one, two).empty());
  EXPECT_EQ(difference_of(set(kA + ":1-9223372036854775806"), two).count(),
            9223372036854775806U - 200000U);
  EXPECT_FALSE(one.contains(two));
}

}  // namespace
}  // namespace mha
