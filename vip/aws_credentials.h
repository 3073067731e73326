// The keys that sign the calls of EC2, found as AWS's SDKs find them, and the region.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"
#include "config/host_settings.h"
#include "vip/aws_metadata.h"
#include "vip/cloud_ports.h"

namespace mha {

struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;                // empty: none
  std::optional<WallTime> expiration;  // nullopt: none is known
  std::string source;                  // "the environment"; for messages
};

// Order ("AWS SDKs and Tools Reference Guide", "Standardized credential providers"): environment,
// unless aws_profile is set; the shared files; the role of the instance that we run on.
// Thread-safe. What was found is kept until 2 minutes before its expiration.
class AwsIdentity {
 public:
  // `profile` is aws_profile, `region` is aws_region, both may be empty; `place` is where they are
  // written, for messages: "FILE: [HOST]".
  AwsIdentity(CloudPorts ports, std::string profile, std::string region, std::string place);

  // kConfig: nothing was found, or a file is wrong; errors of AwsMetadata::get.
  Result<AwsCredentials> credentials(Deadline deadline);

  // After EC2 has called `expired` so: those that are found anew. The same ones again are kDenied.
  Result<AwsCredentials> credentials_instead_of(const AwsCredentials& expired, Deadline deadline);

  // aws_region, AWS_REGION, AWS_DEFAULT_REGION, the profile's, the instance's. kConfig where none
  // of them says it.
  Result<std::string> region(Deadline deadline);

 private:
  Result<AwsCredentials> find(Deadline deadline);
  Result<AwsCredentials> from_metadata(Deadline deadline);
  Result<std::string> find_region(Deadline deadline);

  CloudPorts ports_;
  std::string profile_;
  std::string written_region_;
  std::string place_;
  AwsMetadata metadata_;

  // Held for looking only: a thread never waits for another's call.
  std::mutex mutex_;
  std::optional<AwsCredentials> known_;
  std::string known_region_;
};

// What of all that can be seen to be wrong without asking anybody: reads the files. kConfig, with
// file, section and key.
Status check_aws_files(const HostSettings& settings, const Environ& environ);

}  // namespace mha
