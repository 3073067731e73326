// The online switch with a fault in every call, and with a second one in every call of the undo.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "unit/core/start_states.h"
#include "unit/core/sweep.h"

namespace mha {
namespace {

class OnlineSweepTest : public testing::TestWithParam<StartState> {
 protected:
  std::unique_ptr<FakeCluster> cluster() {
    auto made = std::make_unique<FakeCluster>();
    GetParam().prepare(*made);
    return made;
  }
  // After a stop that went well. `found` is from before it.
  std::unique_ptr<FakeCluster> stopped_cluster() {
    auto made = cluster();
    EXPECT_EQ(made->stop().ending, Ending::kDone);
    made->clock.advance(Milliseconds{300});
    made->mha_stops_the_applier();
    return made;
  }
};

TEST_P(OnlineSweepTest, StopWithoutAFault) {
  const auto fine = cluster();
  const std::size_t spared = spared_threads(*fine);
  const ClusterState found = fine->state();
  EXPECT_EQ(fine->stop().ending, Ending::kDone);
  const ClusterState state = fine->state();
  EXPECT_TRUE(state.orig.blocks_writes());
  EXPECT_TRUE(state.next.blocks_writes());
  EXPECT_FALSE(state.vip_holders.contains("db1"));
  EXPECT_EQ(state.vip_holders.contains("db2"), found.vip_holders.contains("db2"));
  EXPECT_EQ(fine->orig_server().threads.size(), spared);
}

// The session for putting things back, the second one to db1, without which it goes on.
bool is_reserve(const std::vector<std::string>& calls, std::size_t k) {
  const std::string connect = "mysql db1:3306 connect mha";
  const auto end = calls.begin() + static_cast<std::ptrdiff_t>(k);
  return calls[k - 1] == connect && std::count(calls.begin(), end, connect) == 2;
}

TEST_P(OnlineSweepTest, StopWithOneFault) {
  for (const SweepFault& fault : sweep_faults()) {
    std::size_t k = 1;
    for (;; ++k) {
      const auto one = cluster();
      const ClusterState found = one->state();
      one->faults.fail_call(k, fault.when, fault.error());
      const Outcome outcome = one->stop();
      if (one->faults.count() < k) {
        EXPECT_EQ(outcome.ending, Ending::kDone);
        break;
      }
      SCOPED_TRACE(fault_text(*one, k, fault));
      if (is_reserve(one->faults.calls(), k)) {
        EXPECT_EQ(outcome.ending, Ending::kDone);
        continue;
      }
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_EQ(one->state(), found);
      expect_truth(outcome, found, one->state());
    }
    EXPECT_GT(k, 6U) << "the sweep has swept nothing";
  }
}

// Sessions are opened from two threads, so the number of a call says little there: each call once
// by its name as well.
TEST_P(OnlineSweepTest, StopWithEachCallFailing) {
  const auto fine = cluster();
  ASSERT_EQ(fine->stop().ending, Ending::kDone);
  for (const std::string& call : fine->faults.calls()) {
    for (const SweepFault& fault : sweep_faults()) {
      SCOPED_TRACE(call + " " + fault.text());
      const auto one = cluster();
      const ClusterState found = one->state();
      one->faults.fail_matching(call, fault.when, fault.error(), 1);
      const Outcome outcome = one->stop();
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_EQ(one->state(), found);
    }
  }
}

TEST_P(OnlineSweepTest, StopWithTwoFaults) {
  std::size_t runs = 0;
  for (const SweepFault& first : lost_answers()) {
    for (const SweepFault& second : lost_answers()) {
      for (std::size_t k = 1;; ++k) {
        bool first_hit = true;
        for (std::size_t j = k + 1;; ++j) {
          const auto two = cluster();
          const ClusterState found = two->state();
          two->faults.fail_call(k, first.when, first.error());
          two->faults.fail_call(j, second.when, second.error());
          const Outcome outcome = two->stop();
          first_hit = two->faults.count() >= k;
          if (two->faults.count() < j) break;
          SCOPED_TRACE(fault_text(*two, k, first) + ", " + fault_text(*two, j, second));
          ++runs;
          expect_truth(outcome, found, two->state());
          expect_one_writer(found, two->state());
        }
        if (!first_hit) break;
      }
    }
  }
  EXPECT_GT(runs, 50U);
}

TEST_P(OnlineSweepTest, StartWithOneFault) {
  for (const SweepFault& fault : sweep_faults()) {
    std::size_t hits = 0;
    for (std::size_t extra = 1;; ++extra) {
      const auto one = cluster();
      const ClusterState found = one->state();
      ASSERT_EQ(one->stop().ending, Ending::kDone);
      const ClusterState stopped = one->state();
      one->clock.advance(Milliseconds{300});
      one->mha_stops_the_applier();
      const std::size_t k = one->faults.count() + extra;
      one->faults.fail_call(k, fault.when, fault.error());
      const Outcome outcome = one->start();
      const ClusterState state = one->state();
      if (one->faults.count() < k) {
        EXPECT_EQ(outcome.ending, Ending::kDone);
        EXPECT_FALSE(state.next.blocks_writes());
        break;
      }
      SCOPED_TRACE(fault_text(*one, k, fault));
      ++hits;
      expect_one_writer(found, state);
      if (outcome.ending == Ending::kIncomplete) {
        EXPECT_FALSE(state.next.blocks_writes());
        EXPECT_EQ(state.orig, stopped.orig);
        EXPECT_FALSE(outcome.leftovers.empty());
      } else if (outcome.ending == Ending::kDone) {
        // Only the look at a kept session may fail without harm: a new session is opened then.
        EXPECT_EQ(one->faults.calls()[k - 1], "vip db2 status");
        EXPECT_FALSE(state.next.blocks_writes());
        EXPECT_TRUE(state.vip_holders.contains("db2"));
      } else {
        EXPECT_EQ(outcome.ending, Ending::kUndone);
        expect_truth(outcome, found, state);
      }
    }
    EXPECT_GE(hits, 3U);
  }
}

TEST_P(OnlineSweepTest, StartWithTwoFaults) {
  std::size_t runs = 0;
  for (const SweepFault& first : lost_answers()) {
    for (const SweepFault& second : lost_answers()) {
      for (std::size_t k_extra = 1;; ++k_extra) {
        bool first_hit = true;
        for (std::size_t j_extra = k_extra + 1;; ++j_extra) {
          const auto two = cluster();
          const ClusterState found = two->state();
          ASSERT_EQ(two->stop().ending, Ending::kDone);
          two->clock.advance(Milliseconds{300});
          two->mha_stops_the_applier();
          const std::size_t k = two->faults.count() + k_extra;
          const std::size_t j = two->faults.count() + j_extra;
          two->faults.fail_call(k, first.when, first.error());
          two->faults.fail_call(j, second.when, second.error());
          const Outcome outcome = two->start();
          first_hit = two->faults.count() >= k;
          if (two->faults.count() < j) break;
          SCOPED_TRACE(fault_text(*two, k, first) + ", " + fault_text(*two, j, second));
          ++runs;
          const ClusterState state = two->state();
          expect_one_writer(found, state);
          if (outcome.ending == Ending::kIncomplete) {
            EXPECT_FALSE(state.next.blocks_writes());
            EXPECT_FALSE(outcome.leftovers.empty());
          } else {
            expect_truth(outcome, found, state);
          }
        }
        if (!first_hit) break;
      }
    }
  }
  EXPECT_GT(runs, 10U);
}

// Whatever a fault in start leaves, the program that called MHA cleans up behind it.
TEST_P(OnlineSweepTest, ARollbackAfterAFailedStartIsSafe) {
  for (const SweepFault& first : lost_answers()) {
    for (std::size_t k_extra = 1;; ++k_extra) {
      bool first_hit = true;
      for (std::size_t j_extra = k_extra + 1;; ++j_extra) {
        const auto two = cluster();
        const ClusterState found = two->state();
        ASSERT_EQ(two->stop().ending, Ending::kDone);
        two->clock.advance(Milliseconds{300});
        two->mha_stops_the_applier();
        const std::size_t k = two->faults.count() + k_extra;
        const std::size_t j = two->faults.count() + j_extra;
        two->faults.fail_call(k, first.when, first.error());
        two->faults.fail_call(j, FaultTime::kBefore, {Code::kTimeout, "the second fault"});
        const Outcome started = two->start();
        first_hit = two->faults.count() >= k;
        if (two->faults.count() < j) break;
        SCOPED_TRACE(fault_text(*two, k, first) + ", then call " + std::to_string(j));
        const std::optional<Outcome> rolled_back = two->roll_back();
        expect_one_writer(found, two->state());
        const bool carried_through = started.ending == Ending::kIncomplete;
        if (carried_through) {
          EXPECT_FALSE(rolled_back.has_value());
        } else if (rolled_back.has_value() && rolled_back->ending == Ending::kUndone) {
          EXPECT_EQ(two->state(), found);
        }
      }
      if (!first_hit) break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, OnlineSweepTest, testing::ValuesIn(start_states()),
                         [](const testing::TestParamInfo<StartState>& param) {
                           return param.param.name;
                         });

}  // namespace
}  // namespace mha
