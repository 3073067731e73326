// The switch of a living master, as a DBA types it.
#include "cli/switches.h"

int main(int argc, char** argv) {
  return mha::run_main(
      argc, argv,
      {"mysql_online_failover", "  mysql_online_failover -c CONF [options]",
       "Switches the master while it lives, and puts everything back where that fails: our own\n"
       "engine does it all, or MHA (--engine=mha)."},
      mha::online_switch_options(), mha::UnknownOptions::kRefuse, mha::run_online_switch);
}
