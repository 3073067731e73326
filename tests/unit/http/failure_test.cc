// What an error of the HTTP client tells a person.
#include "http/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::HasSubstr;
using Flaw = HttpFailure::Flaw;
using Reached = HttpFailure::Reached;

HttpFailure failure_of(HttpMethod method, CURLcode code, Reached reached) {
  HttpFailure failure;
  failure.method = method;
  failure.place = "https://cloud:443/v3";
  failure.span = Milliseconds{700};
  failure.code = code;
  failure.reached = reached;
  return failure;
}

TEST(FailureTest, ATimeoutSaysHowFarItCame) {
  const Error nothing =
      to_error(failure_of(HttpMethod::kPost, CURLE_OPERATION_TIMEDOUT, Reached::kNothing));
  EXPECT_EQ(nothing.code, Code::kTimeout);
  EXPECT_THAT(nothing.message, HasSubstr("POST https://cloud:443/v3: no connection within 700 ms; "
                                         "nothing was sent"));
  const Error request =
      to_error(failure_of(HttpMethod::kPut, CURLE_OPERATION_TIMEDOUT, Reached::kRequest));
  EXPECT_THAT(request.message, HasSubstr("no answer within 700 ms; the request may have been"));
  const Error part =
      to_error(failure_of(HttpMethod::kGet, CURLE_OPERATION_TIMEDOUT, Reached::kAnswer));
  EXPECT_THAT(part.message, HasSubstr("no whole answer within 700 ms; nothing was learned"));
}

TEST(FailureTest, ACutAnswerIsUnreachable) {
  EXPECT_EQ(to_error(failure_of(HttpMethod::kPost, CURLE_PARTIAL_FILE, Reached::kAnswer)).code,
            Code::kUnreachable);
  for (const Flaw flaw : {Flaw::kCutInHeaders, Flaw::kNoLength, Flaw::kNotSentAgain}) {
    HttpFailure failure = failure_of(HttpMethod::kPost, CURLE_OK, Reached::kAnswer);
    failure.flaw = flaw;
    EXPECT_EQ(to_error(failure).code, Code::kUnreachable);
    EXPECT_THAT(to_error(failure).message, HasSubstr("may have been executed"));
  }
}

TEST(FailureTest, ACertificateThatIsNotAcceptedNamesTheAuthorities) {
  HttpFailure failure =
      failure_of(HttpMethod::kPost, CURLE_PEER_FAILED_VERIFICATION, Reached::kNothing);
  EXPECT_EQ(to_error(failure).code, Code::kDenied);
  EXPECT_THAT(to_error(failure).message, HasSubstr("the system's CA certificates vouch for"));
  failure.ca_file = "/etc/ours.pem";
  EXPECT_THAT(to_error(failure).message, HasSubstr("CA file '/etc/ours.pem' vouches for"));
}

TEST(FailureTest, OtherCodes) {
  const auto code = [](CURLcode of) {
    return to_error(failure_of(HttpMethod::kGet, of, Reached::kNothing)).code;
  };
  EXPECT_EQ(code(CURLE_SSL_CACERT_BADFILE), Code::kConfig);
  EXPECT_EQ(code(CURLE_UNSUPPORTED_PROTOCOL), Code::kRefused);
  EXPECT_EQ(code(CURLE_COULDNT_RESOLVE_HOST), Code::kUnreachable);
  EXPECT_EQ(code(CURLE_SSL_CONNECT_ERROR), Code::kUnreachable);
  EXPECT_EQ(code(CURLE_OUT_OF_MEMORY), Code::kInternal);
}

TEST(FailureTest, IsOneLine) {
  HttpFailure failure = failure_of(HttpMethod::kGet, CURLE_RECV_ERROR, Reached::kRequest);
  failure.words = "first\nsecond";
  EXPECT_THAT(to_error(failure).message, HasSubstr("first second"));
}

}  // namespace
}  // namespace mha
