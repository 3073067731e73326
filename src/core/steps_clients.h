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

enum class Thoroughness {
  kGone,  // until a listing shows nobody, whoever comes meanwhile
  // The server has taken the order to end each of those who were there, and with it has closed
  // their sockets: enough where the address goes next, and a later step waits until all are gone.
  kTold,
};

struct ClientPatience {
  Milliseconds leave{0};   // how long clients may leave by themselves; 0 is not at all
  Milliseconds end{5000};  // how long the rest is killed and listed again before it is given up
  Thoroughness thoroughness = Thoroughness::kGone;
};

// Afterwards one listing has shown no client on the server (kGone). Replication, daemons, MHA's own
// session (the holder of its advisory locks) and this program's are spared. Writes must be off
// already: killing first commits rows that nobody acknowledged (facts: servers.md, "Ending
// writes"). `occasion` tells several of them in one plan apart.
std::unique_ptr<Step> ensure_no_clients(Node& node, std::string occasion, ClientPatience patience,
                                        Clock& clock, Log& log, const Interrupt& interrupt);

}  // namespace mha
