// The metadata service that an EC2 instance reaches: the manager's own region and role.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"
#include "vip/cloud_ports.h"

namespace mha {

// IMDSv2 (EC2 User Guide, "Use the Instance Metadata Service"): a token by PUT, which later GETs
// carry; never version 1. At AWS_EC2_METADATA_SERVICE_ENDPOINT where that is set; never by a proxy.
// Thread-safe. A call takes 3 s at most, since elsewhere than on EC2 nobody answers.
class AwsMetadata {
 public:
  explicit AwsMetadata(CloudPorts ports) : ports_(ports) {}

  // By AWS_EC2_METADATA_DISABLED.
  static bool is_switched_off(const Environ& environ);

  // The text at /latest/meta-data/PATH; nullopt where the service has no such thing (404).
  // kUnreachable where there is no service or AWS_EC2_METADATA_DISABLED is set, kDenied where it is
  // switched off for the instance, kTimeout.
  Result<std::optional<std::string>> get(const std::string& path, Deadline deadline);

 private:
  Result<Secret> token(Deadline deadline);
  Result<HttpResponse> send(HttpRequest request, Deadline deadline);
  void forget_token();

  CloudPorts ports_;
  std::mutex mutex_;
  Secret token_;  // guarded by mutex_
  TimePoint token_ends_{};
};

}  // namespace mha
