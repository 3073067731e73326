// MHA's master_ip_failover_script.
#include "cli/hooks.h"

int main(int argc, char** argv) {
  return mha::run_main(
      argc, argv,
      {"master_ip_hard_failover_helper",
       "  master_ip_hard_failover_helper --command=status|stop|stopssh --orig_master_host=HOST "
       "...\n"
       "  master_ip_hard_failover_helper --command=start --orig_master_host=HOST ...\n"
       "      --new_master_host=HOST ...",
       "Hook for MHA's master_ip_failover_script: checks the virtual IP (status), takes it off a "
       "dead\n"
       "master (stop, stopssh), or gives the clients to the new master (start)."},
      mha::hard_hook_options(), mha::UnknownOptions::kWarn, mha::run_hard_hook);
}
