// What the conformance suite needs of a network, fake or real.
#pragma once

#include <memory>
#include <string>

#include "ports/clock.h"
#include "ports/vip_driver.h"

namespace mha {

// A network with two hosts that have drivers ("a", "b") and a third machine that has none.
class VipWorld {
 public:
  virtual ~VipWorld() = default;
  virtual Clock& clock() = 0;
  virtual std::unique_ptr<VipDriver> driver(const std::string& host) = 0;
  // On a host that SSH does not reach.
  virtual std::unique_ptr<VipDriver> driver_without_session(const std::string& host) = 0;
  // The truth about who has the address, without asking a driver.
  virtual bool has_address(const std::string& host) = 0;
  virtual void give_to_third_machine() = 0;
  // As the end of the program that opened them.
  virtual void end_sessions() = 0;
  // Whether kTakeOver can see that somebody still answers.
  virtual bool tells_whom_it_took_over_from() = 0;
};

// For INSTANTIATE_TEST_SUITE_P; nullptr where there can be no such world here.
using MakeVipWorld = std::unique_ptr<VipWorld> (*)();

}  // namespace mha
