// What every driver of a cloud does while the cloud's interface is slow, busy, cut off or silent.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "component/vip/cloud_fixture.h"

namespace mha {

class CloudFaultConformance : public CloudConformance {
 protected:
  struct Cost {
    int requests = 0;
    Milliseconds time{0};
  };
  // What an assign costs a driver where nothing goes wrong, from nothing.
  Cost cost_of_assign() {
    world_->take_request_count();
    const std::unique_ptr<VipDriver> driver = fresh("a");
    const TimePoint begin = world_->clock().now();
    expect_ok(assign(*driver));
    Cost cost;
    cost.time = std::chrono::duration_cast<Milliseconds>(world_->clock().now() - begin);
    cost.requests = world_->take_request_count();
    EXPECT_GT(cost.requests, 0);
    undo();
    return cost;
  }
  // Nobody has it, and the interface is well.
  void undo() {
    world_->clear_faults();
    const Names holders = world_->api_holders();
    for (const char* host : {"a", "b"}) {
      if (world_->os_has(host)) expect_ok(fresh(host)->remove(soon()));
      if (world_->traits().moves_by_api && holders.contains(host)) {
        expect_ok(blind(host)->remove(soon()));
      }
    }
    if (world_->traits().moves_by_api) {
      EXPECT_EQ(world_->api_holders(), Names{});
    }
  }
  // With the fault at each request in turn: what is said to be done is done, and what was not can
  // be done afterwards, by another program.
  void survive(FaultOrder order, Milliseconds span) {
    const int count = cost_of_assign().requests;
    for (order.skip = 0; order.skip < count; ++order.skip) {
      SCOPED_TRACE(testing::Message() << to_string(order.fault) << " x" << order.count
                                      << " at request " << order.skip + 1 << " of " << count);
      world_->add_fault(order);
      const std::unique_ptr<VipDriver> driver = fresh("a");
      const TimePoint begin = world_->clock().now();
      const Status assigned = driver->assign(OtherHolder::kRefuse, within(span)).status();
      EXPECT_LT(world_->clock().now() - begin, span + Milliseconds{1500});
      if (assigned.ok()) {
        expect_held_by("a");
      } else {
        EXPECT_EQ(assigned.error().message.find('\n'), std::string::npos);
        ++failures_;
      }
      EXPECT_FALSE(world_->has_address("b"));
      world_->clear_faults();
      expect_ok(assign(*fresh("a")));
      expect_held_by("a");
      undo();
    }
  }

  // Leaves time for a second attempt, as short as a first one may be; and where the servers behind
  // are slow, a first one takes half of it, and the rest has to do for all calls.
  Milliseconds span_of_silence() {
    return std::clamp(5 * cost_of_assign().time, Milliseconds{2400}, Milliseconds{20000});
  }

  int failures_ = 0;  // that survive() has seen
};

TEST_P(CloudFaultConformance, SlowAnswersAreWaitedFor) {
  world_->set_latency(Milliseconds{200});
  expect_ok(assign(*a_));
  expect_held_by("a");
  expect_ok(a_->remove(soon()));
  expect_ok(assign(*b_));
  expect_held_by("b");
}

TEST_P(CloudFaultConformance, TwoAnswersOf503AreNoFailure) {
  survive({CloudFault::k503, 2}, Milliseconds{20000});
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, ThrottlingIsNoFailure) {
  survive({CloudFault::kThrottle, 2}, Milliseconds{20000});
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, ARefusedConnectionIsNoFailure) {
  survive({CloudFault::kRefuse, 1}, Milliseconds{20000});
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, ALostAnswerIsNoFailure) {
  survive({CloudFault::kLose, 1}, Milliseconds{20000});
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, ACutAnswerIsNoFailure) {
  survive({CloudFault::kCut, 1}, Milliseconds{20000});
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, OneSilenceIsNoFailure) {
  survive({CloudFault::kHang, 1}, span_of_silence());
  EXPECT_EQ(failures_, 0);
}

TEST_P(CloudFaultConformance, SilenceAfterTheActIsNoFailure) {
  survive({CloudFault::kHangAfter, 1}, span_of_silence());
  EXPECT_EQ(failures_, 0);
}

// Tried again or given up: never taken for a success that it was not.
TEST_P(CloudFaultConformance, AMalformedAnswerIsNoSuccess) {
  survive({CloudFault::kMalformed, 1}, Milliseconds{20000});
}

TEST_P(CloudFaultConformance, NonsenseOnlyIsAnError) {
  ASSERT_TRUE(assign(*a_).ok());
  world_->add_fault({CloudFault::kMalformed, 0});
  EXPECT_FALSE(fresh("a")->status(within(Milliseconds{2000})).ok());
  EXPECT_FALSE(fresh("a")->check(within(Milliseconds{2000})).ok());
  EXPECT_FALSE(fresh("b")->assign(OtherHolder::kRefuse, within(Milliseconds{2000})).ok());
  EXPECT_FALSE(blind("a")->remove(within(Milliseconds{2000})).ok());
  EXPECT_FALSE(blind("a")->status(within(Milliseconds{2000})).ok());
}

// Whether it was executed or not: only what was read back counts.
TEST_P(CloudFaultConformance, AnInterfaceThatIsGoneCostsTheDeadlineAndIsAnError) {
  ASSERT_TRUE(assign(*a_).ok());
  constexpr Milliseconds kSpan{700};
  for (const CloudFault fault : {CloudFault::kHang, CloudFault::k503, CloudFault::kRefuse}) {
    SCOPED_TRACE(to_string(fault));
    world_->clear_faults();
    world_->add_fault({fault, 0});
    const auto bounded = [&](const std::function<Status()>& call) {
      const TimePoint begin = world_->clock().now();
      const Status status = call();
      EXPECT_FALSE(status.ok());
      EXPECT_LT(world_->clock().now() - begin, kSpan + Milliseconds{1500});
      return status.ok() ? Code::kInternal : status.error().code;
    };
    const auto is_no_answer = testing::AnyOf(Code::kTimeout, Code::kUnreachable, Code::kRefused);
    EXPECT_THAT(bounded([&] { return fresh("b")->check(within(kSpan)); }), is_no_answer);
    EXPECT_THAT(bounded([&] { return blind("a")->remove(within(kSpan)); }), is_no_answer);
    EXPECT_THAT(bounded([&] { return blind("a")->status(within(kSpan)).status(); }), is_no_answer);
    if (!world_->traits().moves_by_api) continue;
    EXPECT_THAT(
        bounded([&] { return fresh("b")->assign(OtherHolder::kRefuse, within(kSpan)).status(); }),
        is_no_answer);
    EXPECT_FALSE(world_->has_address("b"));
  }
  world_->clear_faults();
  EXPECT_TRUE(world_->api_holders().contains("a"));
}

// The next program ends it well, wherever the one before was killed.
TEST_P(CloudFaultConformance, KilledBetweenTwoCallsAndRunAgainEndsWell) {
  const int count = cost_of_assign().requests;
  for (int done = 0; done < count; ++done) {
    SCOPED_TRACE(testing::Message() << "killed after " << done << " of " << count);
    expect_ok(assign(*fresh("a")));
    expect_ok(fresh("a")->remove(soon()));
    world_->run_until_killed(done, [&] {
      static_cast<void>(fresh("b")->assign(OtherHolder::kRefuse, within(Milliseconds{1200})));
    });
    if (world_->traits().moves_by_api && world_->traits().moves_in_one_act) {
      EXPECT_LE(world_->api_holders().size(), 1U);
    }
    expect_ok(assign(*fresh("b")));
    expect_held_by("b");
    undo();
  }
}

// The same, where it is taken away from a host that answers nobody.
TEST_P(CloudFaultConformance, ARemovalThatWasKilledBetweenTwoCallsIsRunAgain) {
  expect_ok(assign(*fresh("a")));
  world_->take_request_count();
  expect_ok(blind("a")->remove(soon()));
  const int count = world_->take_request_count();
  for (int done = 0; done < count; ++done) {
    SCOPED_TRACE(testing::Message() << "killed after " << done << " of " << count);
    expect_ok(assign(*fresh("a")));
    world_->run_until_killed(
        done, [&] { static_cast<void>(blind("a")->remove(within(Milliseconds{1200}))); });
    expect_ok(blind("a")->remove(soon()));
    EXPECT_FALSE(world_->api_holders().contains("a"));
    const std::unique_ptr<VipDriver> next = fresh("a");
    expect_ok(assign(*next));
    expect_held_by("a");
  }
}

}  // namespace mha
