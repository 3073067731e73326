// Failing call k of an operation, for every k: how the faults are named, and what must hold after
// each run.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/core/fake_cluster.h"

namespace mha {

// How a call fails: at which moment, and whether the session survives it.
struct SweepFault {
  FaultTime when;
  Code code;

  [[nodiscard]] Error error() const { return {code, "the injected fault"}; }
  [[nodiscard]] std::string text() const {
    return fmt::format("{} {}", when == FaultTime::kBefore ? "before" : "after", to_string(code));
  }
};

inline const std::vector<SweepFault>& sweep_faults() {
  static const std::vector<SweepFault> faults{{FaultTime::kBefore, Code::kTimeout},
                                              {FaultTime::kAfter, Code::kTimeout},
                                              {FaultTime::kBefore, Code::kRefused},
                                              {FaultTime::kAfter, Code::kRefused}};
  return faults;
}

// For sweeps of two faults: undo opens fresh sessions, so that one kind of error is enough there.
inline const std::vector<SweepFault>& lost_answers() {
  static const std::vector<SweepFault> faults{{FaultTime::kBefore, Code::kTimeout},
                                              {FaultTime::kAfter, Code::kTimeout}};
  return faults;
}

// "call 12 (mysql db1:3306 threads) after timeout", for a failure's message.
inline std::string fault_text(const FakeCluster& cluster, std::size_t k, const SweepFault& fault) {
  const std::vector<std::string> calls = cluster.faults.calls();
  return fmt::format("call {} ({}) {}", k, k <= calls.size() ? calls[k - 1] : "-", fault.text());
}

inline bool names(const std::vector<std::string>& leftovers, std::string_view part) {
  for (const std::string& leftover : leftovers) {
    if (leftover.find(part) != std::string::npos) return true;
  }
  return false;
}

// Everything that is not as it was found is named, with the command that mends it; and kUndone says
// that there is no such thing.
inline void expect_truth(const Outcome& outcome, const ClusterState& found,
                         const ClusterState& state) {
  ASSERT_TRUE(outcome.headline.has_value());
  if (outcome.ending == Ending::kUndone) {
    EXPECT_EQ(state, found);
    EXPECT_TRUE(outcome.leftovers.empty());
    return;
  }
  ASSERT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_FALSE(outcome.leftovers.empty());
  if (state.orig != found.orig) {
    EXPECT_TRUE(names(outcome.leftovers, "mysql -h db1")) << state;
  }
  if (state.next != found.next || state.next_replica != found.next_replica) {
    EXPECT_TRUE(names(outcome.leftovers, "mysql -h db2")) << state;
  }
  for (const std::string host : {"db1", "db2"}) {
    if (state.vip_holders.contains(host) != found.vip_holders.contains(host)) {
      EXPECT_TRUE(names(outcome.leftovers, "vip-on " + host)) << state;
    }
  }
  for (const std::string& leftover : outcome.leftovers) {
    EXPECT_EQ(leftover.find('\n'), std::string::npos) << leftover;
  }
}

// The one promise that no failure may break.
inline void expect_one_writer(const ClusterState& found, const ClusterState& state) {
  EXPECT_TRUE(found.two_writers() || !state.two_writers()) << state;
}

}  // namespace mha
