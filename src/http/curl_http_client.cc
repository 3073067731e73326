// One request, one curl transfer.
#include "http/curl_http_client.h"

namespace mha {

CurlHttpClient::CurlHttpClient(const Clock& clock, Log& log) : clock_(clock), log_(log) {}
CurlHttpClient::~CurlHttpClient() = default;

Result<HttpResponse> CurlHttpClient::send(const HttpRequest& request, Deadline deadline) {
  log_.debug("{} {} with {}", to_string(request.method), request.url,
             clock_.remaining(deadline).count());
  return Error{Code::kInternal, "HTTP is not built yet"};
}

}  // namespace mha
