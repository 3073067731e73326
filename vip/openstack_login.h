// Where and how to log in to an OpenStack cloud: an entry of clouds.yaml, or the OS_* variables.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "config/host_settings.h"
#include "vip/cloud_ports.h"

namespace mha {

struct OpenstackLogin {
  std::string source;    // "cloud 'prod' of /etc/openstack/clouds.yaml"; for messages
  std::string auth_url;  // Keystone's, with /v3 at its end
  // With an application credential the rest of the login comes from it; by name it needs the user.
  std::string application_credential_id;
  std::string application_credential_name;
  Secret secret;  // of the application credential, else the password
  std::string user_id;
  std::string user_name;
  std::string user_domain_id;
  std::string user_domain_name;
  std::string project_id;
  std::string project_name;
  std::string project_domain_id;
  std::string project_domain_name;
  std::string region;       // empty: the catalog's only one
  std::string interface;    // "public", "internal", "admin"
  std::string network_url;  // overrides the catalog (network_endpoint_override); usually empty
  std::string ca_file;      // empty: the system's authorities

  [[nodiscard]] bool has_application_credential() const {
    return !application_credential_id.empty() || !application_credential_name.empty();
  }
};

// Where clouds.yaml and secure.yaml are looked for, the first that is there wins: the current
// folder, the user's configuration, /etc/openstack (openstacksdk, "Configuring OpenStack SDK
// Applications"). OS_CLIENT_CONFIG_FILE and OS_CLIENT_SECURE_FILE come before them.
std::vector<std::string> openstack_config_folders(const Environ& environ);

// The entry that `settings.openstack.cloud` names, else OS_CLOUD, else the OS_* variables; region
// and authorities of `settings` come first. Not understood, and said so: vendor profiles, other
// ways to log in than password and application credential, client certificates, and turning off
// the verification of certificates. Errors are kConfig and name the file and the key; reads files,
// nothing else.
Result<OpenstackLogin> read_openstack_login(const HostSettings& settings, const Environ& environ,
                                            const std::vector<std::string>& folders);

}  // namespace mha
