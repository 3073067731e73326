// Port http_client on libcurl.
#pragma once

#include <memory>

#include "base/log.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

class CurlHttpClient : public HttpClient {
 public:
  // Both must outlive it.
  CurlHttpClient(const Clock& clock, Log& log);
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override;

 private:
  const Clock& clock_;
  Log& log_;
};

}  // namespace mha
