// Codes and sentences for failed calls.
#include "http/failure.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace mha {
namespace {

using Flaw = HttpFailure::Flaw;
using Reached = HttpFailure::Reached;

bool is_no_http(CURLcode code) {
  return code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL ||
         code == CURLE_BAD_CONTENT_ENCODING;
}

Code code_for(const HttpFailure& failure) {
  if (failure.flaw == Flaw::kTooLarge) return Code::kRefused;
  if (failure.flaw != Flaw::kNone) return Code::kUnreachable;
  switch (failure.code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Code::kTimeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return Code::kDenied;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
      return Code::kConfig;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Code::kInternal;
    default:
      return is_no_http(failure.code) ? Code::kRefused : Code::kUnreachable;
  }
}

std::string what_happened(const HttpFailure& failure) {
  switch (failure.flaw) {
    case Flaw::kTooLarge:
      return "an answer of more than 16 MB";
    case Flaw::kCutInHeaders:
      return "the connection ended among the headers of the answer";
    case Flaw::kNoLength:
      return "the answer has no length, so nobody can tell whether it is whole";
    case Flaw::kNotSentAgain:
      return "the kept connection ended without an answer";
    case Flaw::kNone:
      break;
  }
  if (failure.code == CURLE_OPERATION_TIMEDOUT) {
    if (failure.span == Milliseconds{0}) return "no time was left for it";
    const std::string_view what = failure.reached == Reached::kNothing   ? "no connection"
                                  : failure.reached == Reached::kRequest ? "no answer"
                                                                         : "no whole answer";
    return fmt::format("{} within {} ms", what, failure.span.count());
  }
  if (failure.code == CURLE_PARTIAL_FILE) return "the answer was cut: " + failure.words;
  return failure.words.empty() ? curl_easy_strerror(failure.code) : failure.words;
}

std::string state_after(const HttpFailure& failure) {
  if (failure.reached == Reached::kNothing) return "nothing was sent";
  return failure.method == HttpMethod::kGet ? "nothing was learned"
                                            : "the request may have been executed";
}

std::string authorities(const HttpFailure& failure) {
  return failure.ca_file.empty() ? "the system's CA certificates"
                                 : fmt::format("CA file '{}'", failure.ca_file);
}

std::string remedy_for(const HttpFailure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "check the host name and the name server";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return "check https_proxy and no_proxy in the environment";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return fmt::format("check the host name, and that {} vouch{} for the server",
                         authorities(failure), failure.ca_file.empty() ? "" : "es");
    case CURLE_SSL_CACERT_BADFILE:
      return fmt::format("check that {} can be read", authorities(failure));
    case CURLE_SSL_CONNECT_ERROR:
      return "check that TLS 1.2 or later is spoken there";
    case CURLE_URL_MALFORMAT:
      return "correct the URL";
    default:
      break;
  }
  return failure.reached == Reached::kNothing
             ? "check that the service runs and that firewalls and proxies let us through"
             : "see the service's log, or its proxy's";
}

}  // namespace

Error to_error(const HttpFailure& failure) {
  std::string line = fmt::format("{} {}: {}; {}; {}", to_string(failure.method), failure.place,
                                 what_happened(failure), state_after(failure), remedy_for(failure));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return Error{code_for(failure), std::move(line)};
}

}  // namespace mha
