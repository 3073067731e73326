// The shared files of AWS's own tools, ~/.aws/credentials and ~/.aws/config: one profile of them.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "base/status.h"
#include "vip/cloud_ports.h"

namespace mha {

// What both files say of one profile; the credentials file wins where both say something ("AWS SDKs
// and Tools Reference Guide", "Shared config and credentials files").
struct AwsProfile {
  std::string name;
  bool found = false;  // in either of the files
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;
  std::string region;
  std::string place;  // "[mha] of /root/.aws/credentials": where the keys are, for messages
  std::string files;  // both paths, for messages
};

// The profile `wanted`, or that of AWS_PROFILE, or "default". The files are those of
// AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, or below HOME. They are read anew each time. A
// missing file is no error. kConfig, naming file and key: a file that cannot be read or is no ini
// file; a profile that was asked for and is in neither; one key without the other; a profile whose
// keys would come from another program or role, which is not built.
Result<AwsProfile> read_aws_profile(const std::string& wanted, const Environ& environ);

// The variable where it is set and not empty.
std::optional<std::string> set_variable(const Environ& environ, const std::string& name);

}  // namespace mha
