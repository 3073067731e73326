// The rows of vip_type=openstack.
#include "config/openstack_options.h"

namespace mha {

std::vector<KnownOption> openstack_options() { return {}; }

std::vector<OptionProblem> openstack_problems(const HostDraft& /*draft*/) { return {}; }

}  // namespace mha
