// Curl handles that are kept between calls, each with its open connections.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mha {

struct CurlHandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlHandleDeleter>;

// A handle and where its connections may lead.
struct KeptHandle {
  CurlHandle curl;
  std::set<std::string> origins;  // "https://host:port"
};

// Thread-safe. A handle is used by one thread at a time, which is all that curl promises: a share
// handle must not share connections between threads (libcurl-share(3), CURL_LOCK_DATA_CONNECT).
class HandlePool {
 public:
  // The idle one that was used last for this origin, else an idle one, else a new one. Its `curl`
  // is nullptr where memory is out; all options are at their defaults.
  KeptHandle take(const std::string& origin);
  // One that is not given back closes its connections.
  void give_back(KeptHandle handle);

 private:
  std::mutex mutex_;
  std::vector<KeptHandle> idle_;  // the last used last
};

}  // namespace mha
