// MHA's report_script.
#include "cli/report_hook.h"

int main(int argc, char** argv) {
  return mha::run_main(
      argc, argv,
      {"master_failover_report",
       "  master_failover_report --orig_master_host=HOST --conf=FILE --subject=TEXT --body=TEXT "
       "...",
       "Hook for MHA's report_script: mails MHA's report of a failover together with what was\n"
       "seen on the hosts afterwards."},
      mha::report_options(), mha::UnknownOptions::kWarn, mha::run_report);
}
