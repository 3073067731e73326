// From MHA's report arguments to a mail.
#include "cli/report_hook.h"

#include "cli/report_mail.h"

namespace mha {

namespace po = boost::program_options;

po::options_description report_options() {
  po::options_description described("Options, as MHA passes them");
  described.add_options()("orig_master_host", text_value()->value_name("HOST"), "the dead master")(
      "new_master_host", text_value()->value_name("HOST"), "the new master, where there is one")(
      "new_slave_hosts", text_value()->value_name("HOSTS"), "the recovered replicas")(
      "conf", text_value()->value_name("FILE"), "MHA's configuration of the application")(
      "subject", text_value()->value_name("TEXT"), "the mail's subject")(
      "body", text_value()->value_name("TEXT"), "MHA's report");
  return described;
}

int run_report(Program& program) {
  const CommandLine& options = program.options;
  const ReportRequest request{options.text("orig_master_host"), options.text("new_master_host"),
                              options.text("new_slave_hosts"), options.text("subject"),
                              options.text("body")};
  if (request.orig_master_host.empty()) {
    return report_error(program, Error{Code::kUsage, "--orig_master_host is required"});
  }
  const Result<HelperConfig> config = HelperConfig::load(program.config_dir);
  if (!config.ok()) return report_error(program, config.error());
  return mail_report(program, config.value(), request, options.text("conf"));
}

}  // namespace mha
