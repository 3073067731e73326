// How lines become an answer, and when it counts as whole.
#include "http/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mha {
namespace {

void take(Answer& answer, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) EXPECT_TRUE(answer.take_header(line)) << line;
}

TEST(AnswerTest, HeadersHaveLowerCaseNamesAndTrimmedValues) {
  Answer answer;
  take(answer, {"HTTP/1.1 201 Created\r\n", "X-Subject-TOKEN:  abc \r\n", "Content-Length: 2\r\n",
                "X-Empty:\r\n", "\r\n"});
  EXPECT_TRUE(answer.take_body("{}"));
  EXPECT_TRUE(answer.headers_whole());
  EXPECT_FALSE(answer.ends_with_connection());
  const HttpResponse response = answer.take();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.header("x-subject-token"), "abc");
  EXPECT_EQ(response.header("x-empty"), "");
  EXPECT_EQ(response.headers.size(), 3U);
  EXPECT_EQ(response.body, "{}");
}

TEST(AnswerTest, IsNotWholeWithoutTheEmptyLine) {
  Answer answer;
  EXPECT_FALSE(answer.begun());
  take(answer, {"HTTP/1.1 200 OK\r\n", "Content-Len"});
  EXPECT_TRUE(answer.begun());
  EXPECT_FALSE(answer.headers_whole());
}

TEST(AnswerTest, AnInterimAnswerIsNone) {
  Answer answer;
  take(answer, {"HTTP/1.1 100 Continue\r\n", "X-Interim: 1\r\n", "\r\n"});
  EXPECT_FALSE(answer.headers_whole());
  take(answer, {"HTTP/1.1 204 No Content\r\n", "\r\n"});
  EXPECT_TRUE(answer.headers_whole());
  EXPECT_FALSE(answer.ends_with_connection());
  const HttpResponse response = answer.take();
  EXPECT_EQ(response.status, 204);
  EXPECT_TRUE(response.headers.empty());
}

TEST(AnswerTest, AStatusLineWithoutANumberIsNoFinalAnswer) {
  Answer answer;
  take(answer, {"HTTP/1.1 OK\r\n", "\r\n"});
  EXPECT_FALSE(answer.headers_whole());
}

TEST(AnswerTest, KnowsWhichAnswersEndWithTheConnection) {
  Answer chunked;
  take(chunked, {"HTTP/1.1 200 OK\r\n", "Transfer-Encoding: Chunked\r\n", "\r\n"});
  EXPECT_FALSE(chunked.ends_with_connection());
  Answer open;
  take(open, {"HTTP/1.0 200 OK\r\n", "Server: old\r\n", "\r\n"});
  EXPECT_TRUE(open.ends_with_connection());
}

TEST(AnswerTest, FoldedLinesAreOneAndTrailersAreNoHeaders) {
  Answer answer;
  take(answer, {"HTTP/1.1 200 OK\r\n", "X-Long: a\r\n", "\t b\r\n", "\r\n", "X-Trailer: 1\r\n"});
  const HttpResponse response = answer.take();
  EXPECT_EQ(response.header("x-long"), "a b");
  EXPECT_EQ(response.headers.size(), 1U);
}

TEST(AnswerTest, TakesNoMoreThanItsCap) {
  Answer answer;
  take(answer, {"HTTP/1.1 200 OK\r\n", "\r\n"});
  const std::string part(1024 * 1024, 'x');
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(answer.take_body(part));
  EXPECT_FALSE(answer.too_large());
  EXPECT_FALSE(answer.take_body(part));
  EXPECT_TRUE(answer.too_large());
}

TEST(AnswerTest, EndlessHeadersCountToo) {
  Answer answer;
  const std::string line = "X-Fill: " + std::string(64 * 1024, 'x');
  bool taken = answer.take_header("HTTP/1.1 200 OK\r\n");
  for (int i = 0; taken && i < 1000; ++i) taken = answer.take_header(line);
  EXPECT_TRUE(answer.too_large());
}

}  // namespace
}  // namespace mha
