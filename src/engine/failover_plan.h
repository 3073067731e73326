// The order of a failover: which steps, on whom, before and after the point of no return.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/journal.h"
#include "core/plan.h"
#include "engine/failover_state.h"
#include "engine/steps_dead.h"
#include "engine/steps_fence.h"
#include "engine/steps_salvage.h"
#include "engine/steps_script.h"
#include "engine/switch_plan.h"

namespace mha {

// Who is what in one failover; borrows from a Discovery.
struct FailoverRoles {
  Node* orig = nullptr;
  Node* next = nullptr;
  std::vector<Node*> replicas;      // living ones of the dead master, `next` among them
  std::vector<Follower> followers;  // of the new master: those but `next`
  // Of `followers`, who replicates by position and has received less than another: they need the
  // others' relay logs, which are gone once those follow the new master.
  std::vector<const Node*> behind;
  std::vector<const Node*> may_fail;  // of `replicas`: those with ignore_fail
  bool forgets_source = true;         // RESET SLAVE ALL on the new master (skip_reset_slave)
  bool super_read_only = false;       // on the candidate: it binds us too
  bool semi_sync_replica = false;     // the candidate was one: the dead master was their source
  FenceRequest fence;
  Fencing fencing = Fencing::kWanted;
  HostCall* call = nullptr;  // FenceOrder's
  SalvageMode salvage = SalvageMode::kAuto;
  std::vector<std::string> binlog_dirs;  // of the dead master
  LogPlaces places;                      // likewise, and taken for the other hosts'
  std::vector<BinlogServer> binlog_servers;
  std::optional<FailoverScript> script;  // the conf's own, where it is not ours
  LogBin log_bin = LogBin::kOn;
  std::string keep_as;  // where saved events go on the manager; suffixes are added
};

// What the steps work with; all outlive the plan.
struct FailoverWorkshop {
  FailoverState& state;
  EventFiles& files;
  Journal& journal;
  Environment& environment;
};

// Everything up to the point of no return, which is the new master's being writable. Before it a
// failure leaves the replicas as they were found. They have `at_most` together.
void add_failover_steps_before(Plan& plan, const FailoverRoles& roles, Milliseconds at_most,
                               const FailoverWorkshop& workshop);
// What comes after it: the address, the other replicas, and reading everything back. All of it is
// done already where it was, so that a second process can begin here as well.
void add_failover_steps_after(Plan& plan, const FailoverRoles& roles,
                              const FailoverWorkshop& workshop);

}  // namespace mha
