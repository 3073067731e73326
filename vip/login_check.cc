// Each cloud's own reader, without its calls.
#include "vip/login_check.h"

#include "vip/aws_credentials.h"
#include "vip/openstack_login.h"

namespace mha {

Status check_cloud_login(const HostSettings& settings, const Environ& environ) {
  switch (settings.vip_type) {
    case VipType::kAws:
      return check_aws_files(settings, environ);
    case VipType::kOpenstack:
      return read_openstack_login(settings, environ, openstack_config_folders(environ)).status();
    case VipType::kNone:
    case VipType::kMetal:
      break;
  }
  return {};
}

}  // namespace mha
