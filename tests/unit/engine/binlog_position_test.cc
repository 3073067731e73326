// Places in binary logs: order by the file's number, and names that are none.
#include "engine/binlog_position.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;

BinlogPosition at(const std::string& text) {
  const Result<BinlogPosition> position = BinlogPosition::parse(text);
  EXPECT_TRUE(position.ok()) << text << ": " << position.error().message;
  return position.ok() ? position.value() : BinlogPosition::make("bad.1", 0).value();
}

TEST(BinlogPosition, TakenApart) {
  const BinlogPosition position = at("mysql-bin.000123:456");
  EXPECT_EQ(position.file(), "mysql-bin.000123");
  EXPECT_EQ(position.base(), "mysql-bin");
  EXPECT_EQ(position.number(), 123U);
  EXPECT_EQ(position.offset(), 456U);
  EXPECT_EQ(position.text(), "mysql-bin.000123:456");
  EXPECT_EQ(BinlogPosition::make("mysql-bin.000123", 456).value(), position);
  EXPECT_EQ(at("db1.example.com-bin.000007:4").base(), "db1.example.com-bin");
  EXPECT_EQ(at("a:b.000007:4").base(), "a:b");
}

TEST(BinlogPosition, Order) {
  EXPECT_LT(at("b.000001:900"), at("b.000002:4"));
  EXPECT_LT(at("b.000002:4"), at("b.000002:5"));
  EXPECT_LT(at("b.999999:900"), at("b.1000000:4"));
  EXPECT_LT(at("b.000001:4294967295"), at("b.000001:18446744073709551615"));
  EXPECT_GT(at("b.2147483647:4"), at("b.2147483646:4"));
  EXPECT_EQ(at("b.000001:4"), at("b.1:4"));
}

TEST(BinlogPosition, OtherLogsHaveNoOrder) {
  const BinlogPosition one = at("mysql-bin.000001:4");
  const BinlogPosition other = at("mysql-bin2.000001:4");
  EXPECT_EQ(one <=> other, std::partial_ordering::unordered);
  EXPECT_FALSE(one < other);
  EXPECT_FALSE(one > other);
  EXPECT_FALSE(one == other);
  EXPECT_TRUE(one != other);
}

TEST(BinlogPosition, Refused) {
  for (const std::string bad : {"", "mysql-bin", ".000001", "mysql-bin.", "mysql-bin.index",
                                "mysql-bin.00001x", "mysql-bin.+1", "mysql-bin.-1", "mysql-bin. 1",
                                "mysql-bin.2147483648", "mysql-bin.99999999999999999999",
                                "/var/lib/mysql/bin.000001", "../bin.000001", "a\nb.000001"}) {
    const Result<BinlogPosition> position = BinlogPosition::make(bad, 4);
    ASSERT_FALSE(position.ok()) << bad;
    EXPECT_EQ(position.error().code, Code::kInternal);
    EXPECT_THAT(position.error().message, HasSubstr("is not the name of a binary log"));
    EXPECT_THAT(position.error().message, Not(HasSubstr("\n")));
  }
  EXPECT_FALSE(BinlogPosition::make(std::string(600, 'a') + ".000001", 4).ok());
  EXPECT_LT(BinlogPosition::make(std::string(100000, 'a'), 4).error().message.size(), 200U);
  for (const std::string bad : {"", "b.000001", "b.000001:", "b.000001:x", "b.000001:-1", ":4",
                                "b.000001:18446744073709551616", "b.000001:4 "}) {
    EXPECT_FALSE(BinlogPosition::parse(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace mha
