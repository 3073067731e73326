// The two mistakes that would otherwise only show as a call that cannot be sent.
#include "vip/cloud_url.h"

namespace mha {

Status check_cloud_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Error{Code::kConfig, "is not a URL that begins with http:// or https://"};
  }
  const std::string host = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  if (host.find('@') != std::string::npos) {
    return Error{Code::kConfig,
                 "has a user or password in it, which would show in logs; leave them out of the "
                 "URL"};
  }
  if (host.empty() || host.find_first_of(" \t") != std::string::npos) {
    return Error{Code::kConfig, "has no host name in it"};
  }
  return {};
}

}  // namespace mha
