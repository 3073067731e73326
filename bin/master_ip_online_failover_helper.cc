// MHA's master_ip_online_change_script.
#include "cli/hooks.h"

int main(int argc, char** argv) {
  return mha::run_main(
      argc, argv,
      {"master_ip_online_failover_helper",
       "  master_ip_online_failover_helper --command=stop|start --orig_master_host=HOST ...\n"
       "      --new_master_host=HOST ...",
       "Hook for MHA's master_ip_online_change_script: takes the clients off the original master\n"
       "(stop), or gives them to the new master (start)."},
      mha::online_hook_options(), mha::UnknownOptions::kWarn, mha::run_online_hook);
}
