// The failover of a dead master, as a DBA types it.
#include "cli/switches.h"

int main(int argc, char** argv) {
  return mha::run_main(
      argc, argv,
      {"mysql_failover", "  mysql_failover -d HOST[:PORT] -c CONF [options]",
       "Promotes a replica of a dead master: our own engine does it all, or MHA (--engine=mha)."},
      mha::dead_switch_options(), mha::UnknownOptions::kRefuse, mha::run_dead_switch);
}
