// Is the master dead? Confirmed by several witnesses, not believed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/environment.h"
#include "engine/discovery.h"
#include "engine/host_call.h"

namespace mha {

// What a replica's receiver tells of its source.
enum class Witness {
  kReceiving,  // events or heartbeats arrived while we looked: the master lives
  kLost,       // it has lost the connection, or cannot make one
  kSilent,     // it believes itself connected, and nothing came
  kReaches,    // likewise, and the master's server greets a new connection from the replica's host
  kNotAsked,   // not living, not a replica of it, or its receiver had been stopped before
};

struct ReplicaWitness {
  std::size_t host = 0;  // index of the discovery's views
  Witness sees = Witness::kNotAsked;
  std::string text;  // one line: "db2: its I/O thread cannot connect: ..."
};

struct DeathReport {
  // It answers no MySQL connection of ours, and no replica receives from it.
  bool dead = false;
  bool host_answers = false;  // SSH: there is something to fence and to salvage over
  bool server_runs = false;   // seen over SSH: a process that hangs
  std::vector<ReplicaWitness> replicas;
  std::vector<std::string> evidence;  // a line for each witness, our own connection first
  std::string why_not;                // where it is not dead: one line for people
  // Of a host that does not answer: the try for a session that goes on, for `patience` and a
  // second.
  std::unique_ptr<HostCall> host_call;
};

// Asks all witnesses at the same time and within `patience` together: our own connections to the
// master (several in that time, so that one lost packet does not condemn it), SSH to its host, and
// each living replica's state at the beginning and at the end. Where a receiver stays silent, its
// host is asked over SSH to connect to the master: a manager that alone is cut off from a master
// that nobody writes to would otherwise take it for dead. A server that answers, if only to
// refuse our account or for too many connections, lives. A host that stays silent is called a
// second time from half of the time on, since a lost packet costs TCP a second. Changes nothing.
// `dead` is the index of the master in question; `discovery` has its other hosts' sessions open.
DeathReport confirm_death(Discovery& discovery, std::size_t dead, Milliseconds patience,
                          Environment& environment);

}  // namespace mha
