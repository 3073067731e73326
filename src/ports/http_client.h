// Port for the HTTP calls of cloud interfaces: one request, one answer, under a deadline.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"

namespace mha {

enum class HttpMethod { kGet, kPost, kPut, kDelete };

std::string_view to_string(HttpMethod method);

struct HttpHeader {
  std::string name;
  std::string value;
};

// A header whose value must not be seen: X-Auth-Token, X-Amz-Security-Token.
struct SecretHeader {
  std::string name;
  Secret value;
};

// AWS Signature Version 4 over the request, its headers included.
struct AwsSignature {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: none; else sent, and signed, as X-Amz-Security-Token
  std::string region;
  std::string service;  // "ec2"
};

enum class HttpProxy {
  kFromEnvironment,  // https_proxy, no_proxy... as curl(1) reads them
  kNone,             // an address that only this machine can reach
};

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string url;  // http or https, no user or password in it
  std::vector<HttpHeader> headers;
  std::vector<SecretHeader> secret_headers;
  Secret body;  // may hold a password
  std::optional<AwsSignature> signature;
  std::string ca_file;  // verifies the server; empty: the system's authorities
  HttpProxy proxy = HttpProxy::kFromEnvironment;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  // of the last answer, names in lower case
  std::string body;

  // The first of that name (lower case); "" where there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
};

// Thread-safe; connections are kept and used again. One attempt a call: what may be tried again is
// for the caller to know (vip/cloud_retry.h).
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Any whole answer is Ok, whatever its status. Redirections are not followed. Errors, which name
  // method and URL (without its query) and never a header or a body:
  //   kUnreachable  name, connection, TLS handshake, an answer that was cut; the request may have
  //                 been executed where it says so
  //   kDenied       the server's certificate is not accepted
  //   kTimeout      the deadline passed; the request may have been executed
  //   kRefused      an answer of more than 16 MB, or one that is no HTTP
  //   kConfig       a URL that is none, an unreadable ca_file
  virtual Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) = 0;
};

}  // namespace mha
