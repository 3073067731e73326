// Steps that end the connections of clients.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/interrupt.h"
#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "ports/clock.h"

namespace mha {

// Who comes while others are ended.
enum class Newcomers {
  kEnd,    // is ended as well, until a listing shows nobody
  kLeave,  // is left to a later step, which ends everybody: enough where the address goes next
};

struct ClientPatience {
  Milliseconds leave{0};   // how long clients may leave by themselves; 0 is not at all
  Milliseconds end{5000};  // how long the rest is killed and listed again before it is given up
  Newcomers newcomers = Newcomers::kEnd;
};

// Afterwards one listing has shown no client on the server (Newcomers::kLeave: none of those whom
// the first one has shown). Replication, daemons, MHA's own session
// (the holder of its advisory locks) and this program's are spared. Writes must be off already:
// killing first commits rows that nobody acknowledged (facts: servers.md, "Ending writes").
// `occasion` tells several of them in one plan apart.
std::unique_ptr<Step> ensure_no_clients(Node& node, std::string occasion, ClientPatience patience,
                                        Clock& clock, Log& log, const Interrupt& interrupt);

}  // namespace mha
