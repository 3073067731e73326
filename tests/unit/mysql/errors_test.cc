// What error numbers mean, and texts for people.
#include "mysql/errors.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

TEST(MysqlErrors, OfConnecting) {
  for (const unsigned number : {1044U, 1045U, 1130U, 1698U, 2026U, 2059U, 3118U, 4151U}) {
    EXPECT_EQ(code_of_connect_error(number), Code::kDenied) << number;
  }
  for (const unsigned number : {2002U, 2003U, 2005U, 2006U, 2013U}) {
    EXPECT_EQ(code_of_connect_error(number), Code::kUnreachable) << number;
  }
}

TEST(MysqlErrors, OfStatements) {
  EXPECT_EQ(code_of_statement_error(1227), Code::kDenied);
  EXPECT_EQ(code_of_statement_error(kLockWaitTimeout), Code::kRefused);
  EXPECT_EQ(code_of_statement_error(1064), Code::kRefused);
}

TEST(MysqlErrors, ThatEndASession) {
  for (const unsigned number : {1053U, 1927U, 2006U, 2013U, 3169U, 4031U}) {
    EXPECT_TRUE(ends_session(number)) << number;
  }
  for (const unsigned number : {1045U, 1094U, 1205U, 1317U, 3024U}) {
    EXPECT_FALSE(ends_session(number)) << number;
  }
}

TEST(MysqlErrors, SystemErrorsAreTold) {
  EXPECT_EQ(readable_text("Can't connect to server on 'db1' (111)"),
            "Can't connect to server on 'db1' (Connection refused)");
  EXPECT_EQ(readable_text("Lost connection at 'reading', system error: 110"),
            "Lost connection at 'reading', system error: Connection timed out");
  EXPECT_EQ(readable_text("Can't connect to 'db1:3306' (111 \"Connection refused\")"),
            "Can't connect to 'db1:3306' (111 \"Connection refused\")");
  EXPECT_EQ(readable_text("Access denied for user 'u1'@'10.0.0.7' (using password: YES)"),
            "Access denied for user 'u1'@'10.0.0.7' (using password: YES)");
  EXPECT_EQ(readable_text("Unknown thread id: 42"), "Unknown thread id: 42");
  EXPECT_EQ(readable_text(""), "");
  EXPECT_EQ(readable_text("two\nlines \xFF"), "two lines ?");
}

TEST(MysqlErrors, Text) { EXPECT_EQ(to_string({1045, "no"}), "no (error 1045)"); }

}  // namespace
}  // namespace mha
