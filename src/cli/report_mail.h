// The mail after a failover, from looking at the hosts to the spool.
#pragma once

#include <string>

#include "cli/program.h"
#include "config/helper_config.h"
#include "core/report.h"

namespace mha {

// Looks at the hosts of the conf (none where it cannot be read), and mails what was seen together
// with the journals and `request`; kept in the spool where no server takes it. The exit code: 0
// sent, or no report_email is set; 10 spooled; else nothing could be kept.
int mail_report(Program& program, const HelperConfig& config, const ReportRequest& request,
                const std::string& conf_path);

}  // namespace mha
