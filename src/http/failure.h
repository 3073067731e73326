// What curl says when a call fails, as an error for people.
#pragma once

#include <curl/curl.h>

#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/http_client.h"

namespace mha {

// How a call ended that gave no whole answer.
struct HttpFailure {
  enum class Reached { kNothing, kRequest, kAnswer };  // the latest that was begun
  enum class Flaw { kNone, kTooLarge, kCutInHeaders, kNoLength, kNotSentAgain };

  HttpMethod method = HttpMethod::kGet;
  std::string place;  // the URL without its query
  std::string ca_file;
  Milliseconds span{0};  // what the call was given
  Reached reached = Reached::kNothing;
  Flaw flaw = Flaw::kNone;  // what we saw ourselves
  CURLcode code = CURLE_OK;
  std::string words;  // curl's, may be empty
};

Error to_error(const HttpFailure& failure);

}  // namespace mha
