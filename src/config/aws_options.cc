// The rows of vip_type=aws.
#include "config/aws_options.h"

namespace mha {

std::vector<KnownOption> aws_options() { return {}; }

std::vector<OptionProblem> aws_problems(const HostDraft& /*draft*/) { return {}; }

}  // namespace mha
