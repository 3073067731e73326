// The body of MHA's report hook.
#pragma once

#include "cli/program.h"

namespace mha {

boost::program_options::options_description report_options();

// Mails the report; the exit code. A mail that cannot be sent is spooled and said, and ends as 10.
int run_report(Program& program);

}  // namespace mha
