// The order of a switch: which steps, on whom, before and after the point of no return.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/plan.h"
#include "engine/discovery.h"
#include "engine/handover.h"
#include "engine/preflight.h"
#include "engine/steps_events.h"
#include "engine/steps_follow.h"
#include "engine/steps_script.h"

namespace mha {

struct Follower {
  Node* node;
  FollowRequest request;
};

// Who is what in one switch; borrows from a Discovery.
struct SwitchRoles {
  Node* orig = nullptr;
  Node* next = nullptr;
  std::vector<Follower> followers;    // of the new master: replicas, and the old master if it is to
  GtidUse gtid_use = GtidUse::kNone;  // of the candidate
  bool orig_replicates = false;       // the original master does: one of two masters
  bool events = false;                // the scheduler ran on the original master
  MasterEvents master_events;         // of the original master
  bool semi_sync_source = false;      // the original master was one
  bool semi_sync_replica = false;     // the candidate was one
  bool forgets_source = true;         // RESET SLAVE ALL on the new master (skip_reset_slave)
  VipPresence vip_on_orig = VipPresence::kAbsent;
  VipPresence vip_on_next = VipPresence::kAbsent;
  std::vector<std::string> exempt_clients;
  std::optional<OnlineScript> script;  // the conf's own, where it is not ours
  OrigMaster orig_master = OrigMaster::kBecomesReplica;
};

// Everything up to the point of no return, which is the new master's being writable.
void add_steps_before(Plan& plan, const SwitchRoles& roles, Handover& handover,
                      Milliseconds max_downtime, LongWriters blockers, Environment& environment);
// What comes after it. All of it is done already where it was, so that a second process can begin
// here as well.
void add_steps_after(Plan& plan, const SwitchRoles& roles, Handover& handover,
                     Environment& environment);

// The same for a switch that another process has begun and that is past that point: what it may
// have missed of the steps before, then those after.
void add_steps_of_resume(Plan& plan, const SwitchRoles& roles, Handover& handover,
                         Environment& environment);

// Who replicates from the original master, the candidate left out, and the original master where
// `orig_master` says so: each with the credentials, GTIDs and security that it had. The original
// master's are those of the candidate (`like`).
std::vector<Follower> find_followers(const Discovery& discovery, std::size_t orig, std::size_t next,
                                     const ReplicaState& like, OrigMaster orig_master);

// Who has the new master as its source by now, the original master left out. A process that was
// killed may have pointed it there and not started it: whoever carries its work on has to.
std::vector<Follower> find_pointed_already(const Discovery& discovery, std::size_t orig,
                                           std::size_t next);

}  // namespace mha
