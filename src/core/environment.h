// What every operation needs from outside, in one hand.
#pragma once

#include <string>

#include "base/interrupt.h"
#include "base/log.h"
#include "core/node.h"
#include "core/plan_observer.h"
#include "ports/clock.h"
#include "ports/script.h"

namespace mha {

// All outlive the operation.
struct Environment {
  NodePorts ports;
  Clock& clock;
  Log& log;
  const Interrupt& interrupt;
  std::string state_dir;             // journals live here
  ScriptRunner* scripts = nullptr;   // nullptr: for operations that run none
  PlanObserver* observer = nullptr;  // nullptr: nobody watches
};

}  // namespace mha
