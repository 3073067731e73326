// Port http_client on libcurl.
#pragma once

#include <memory>

#include "base/log.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

// Beyond the port's contract:
// - Calls from several threads at once go over connections of their own; a later call takes a
//   connection that an earlier one has left open, whichever thread that was.
// - A request is sent once. Where a kept connection turns out to be dead after the request was
//   written to it, curl would write it again on a new one; here only a GET is, and anything else is
//   kUnreachable, "may have been executed".
// - TLS is 1.2 or later, verified for the URL's host, by ca_file alone where it is set.
// - HTTP/1.1. Nothing that curl could add is on: cookies, redirects, .netrc, logins, compression.
// - An answer without a length is kUnreachable: it may have been cut. Over TLS too, although the
//   peer's closing alert would vouch for it: libcurl 7.88 with OpenSSL 3 gives out an answer that
//   ends without one as whole.
// - The deadline covers name resolution, the proxy's part and the handshake.
// - A signature covers the method, the URL, the body and every header that is given; libcurl 7.88
//   signs the query as it is written, so it must be sorted and encoded as AWS wants it.
// - A Content-Type is sent only where it is given, or where a body needs one
//   (application/x-www-form-urlencoded).
// - kInternal: a header that is none (a line break in it).
class CurlHttpClient : public HttpClient {
 public:
  // Both must outlive it.
  CurlHttpClient(const Clock& clock, Log& log);
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override;

 private:
  struct Pool;

  const Clock& clock_;
  Log& log_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace mha
