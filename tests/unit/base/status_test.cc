// Status, Result and the errors in them.
#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace mha {
namespace {

TEST(StatusTest, IsOkUnlessAnErrorIsPutIn) {
  EXPECT_TRUE(Status{}.ok());
  const Status failed = Error{Code::kDenied, "no"};
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::kDenied);
  EXPECT_EQ(failed.error().message, "no");
}

TEST(StatusTest, ContextStandsBeforeTheMessageAndKeepsTheCode) {
  const Error error = Error{Code::kTimeout, "no answer"}.with_context("MySQL on 'db1'");
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_EQ(error.message, "MySQL on 'db1': no answer");
}

TEST(StatusTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Code code : {Code::kUsage, Code::kConfig, Code::kUnreachable, Code::kDenied,
                          Code::kTimeout, Code::kRefused, Code::kInternal}) {
    names.insert(to_string(code));
  }
  EXPECT_EQ(names.size(), 7U);
}

TEST(ResultTest, HoldsAValueOrAnError) {
  const Result<int> value = 7;
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value.value(), 7);
  EXPECT_TRUE(value.status().ok());

  const Result<int> failed = Error{Code::kRefused, "no"};
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "no");
  EXPECT_EQ(failed.status().error().code, Code::kRefused);
}

TEST(ResultTest, AValueCanBeMovedOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(result).value();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(*taken, 3);
}

// The same type as the error's text: the two must not be mistaken for each other.
TEST(ResultTest, ATextIsAValueAndNotAnError) {
  const Result<std::string> text = std::string{"fine"};
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), "fine");
}

}  // namespace
}  // namespace mha
