// The address of a host name, under a deadline.
#pragma once

#include <string>

#include "base/deadline.h"

namespace mha {

// The first address, v4 before v6 as MHA takes it (NodeUtil.pm, get_ip), in inet_ntop's form; ""
// where there is none, or no answer in time.
std::string address_of_name(const std::string& name, Deadline deadline);

}  // namespace mha
