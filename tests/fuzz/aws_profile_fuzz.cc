// ~/.aws/credentials and ~/.aws/config.
#include "fuzz/fuzz.h"
#include "vip/aws_profile.h"

namespace mha::fuzz {

void try_input(std::string_view input) {
  static const Folder folder;
  const std::vector<std::string> parts = parts_of(input, 2);
  const std::string credentials = folder.write("credentials", parts[0]);
  const std::string config = folder.write("config", parts[1]);
  const Environ environ = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_SHARED_CREDENTIALS_FILE") return credentials;
    if (name == "AWS_CONFIG_FILE") return config;
    return std::nullopt;
  };
  for (const char* wanted : {"", "mha"}) {
    const auto profile = read_aws_profile(wanted, environ);
    if (!profile.ok()) {
      must(profile.error().code == Code::kConfig, "a wrong file is kConfig");
      must_be_one_line(profile.error().message);
      continue;
    }
    const AwsProfile& one = profile.value();
    must(one.access_key_id.empty() == one.secret_access_key.empty(), "keys come in pairs");
    must(one.found || one.access_key_id.empty(), "what is not there has no keys");
  }
}

}  // namespace mha::fuzz
