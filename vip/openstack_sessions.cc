// Sessions by what they log in with.
#include "vip/openstack_sessions.h"

#include "vip/openstack_login.h"

namespace mha {

KeystoneSession& OpenstackSessions::session_of(const HostSettings& settings) {
  const OpenstackSettings& openstack = settings.openstack;
  const std::string key = openstack.cloud + '\n' + openstack.region + '\n' + openstack.ca_file;
  const std::lock_guard lock{mutex_};
  std::unique_ptr<KeystoneSession>& session = sessions_[key];
  if (session == nullptr) {
    session = std::make_unique<KeystoneSession>(
        [settings, this] {
          return read_openstack_login(settings, ports_.environ,
                                      openstack_config_folders(ports_.environ));
        },
        ports_);
  }
  return *session;
}

}  // namespace mha
