// What an observer of a plan is told, and in which order.
#include "core/plan_observer.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "unit/core/scripted_step.h"

namespace mha {
namespace {

using testing::ElementsAre;

class NotingObserver : public PlanObserver {
 public:
  void phase_began(const std::vector<std::string>& what) override {
    told.push_back(fmt::format("begin {}", fmt::join(what, "+")));
  }
  void phase_ended(const Status& how) override {
    told.push_back(how.ok() ? "end" : "end: " + how.error().message);
  }
  void clients_wait() override { told.emplace_back("clients wait"); }
  void clients_served() override { told.emplace_back("clients served"); }
  void point_of_no_return_passed() override { told.emplace_back("point of no return"); }
  void undo_began(const Error& why, std::size_t steps) override {
    told.push_back(fmt::format("undo {} for: {}", steps, why.message));
  }
  void step_undone(const std::string& step, const Status& how) override {
    told.push_back(fmt::format("undone {}{}", step, how.ok() ? "" : ": " + how.error().message));
  }

  std::vector<std::string> told;
};

class PlanObserverTest : public testing::Test {
 protected:
  std::unique_ptr<Step> step(const std::string& name, StepScript script = {}) {
    return std::make_unique<ScriptedStep>(name, events_, std::move(script));
  }
  Outcome run() {
    plan_.watch(&observer_);
    return plan_.run(journal_, {clock_.deadline_after(Milliseconds{1000}), Milliseconds{400}},
                     [] {});
  }

  FakeClock clock_;
  FakeLog log_;
  Interrupt interrupt_;
  Events events_;
  ScriptedJournal journal_{events_};
  Plan plan_{clock_, log_, interrupt_};
  NotingObserver observer_;
};

TEST_F(PlanObserverTest, IsToldOfEachStageAndMark) {
  plan_.add(step("a"));
  plan_.mark_hurry_begin(Milliseconds{500});
  plan_.add(step("b"));
  plan_.mark_point_of_no_return();
  plan_.add(step("c", {{}, Error{Code::kTimeout, "too slow"}, {}, nullptr, nullptr}));
  plan_.mark_hurry_end();
  std::vector<std::unique_ptr<Step>> both;
  both.push_back(step("d"));
  both.push_back(step("e"));
  plan_.add_together(std::move(both));
  EXPECT_EQ(run().ending, Ending::kIncomplete);
  EXPECT_THAT(observer_.told, ElementsAre("begin do a", "end", "clients wait", "begin do b", "end",
                                          "point of no return", "begin do c", "end: too slow",
                                          "clients served", "begin do d+do e", "end"));
}

TEST_F(PlanObserverTest, IsToldOfTheUndo) {
  plan_.add(step("a", {{}, {}, Error{Code::kTimeout, "gone"}, nullptr, nullptr}));
  plan_.add(step("b", {{}, Error{Code::kRefused, "no"}, {}, nullptr, nullptr}));
  EXPECT_EQ(run().ending, Ending::kNotUndone);
  EXPECT_THAT(observer_.told, ElementsAre("begin do a", "end", "begin do b", "end: no",
                                          "undo 2 for: no", "undone b", "undone a: gone"));
}

TEST_F(PlanObserverTest, APhaseEndsOnceAndWithItsScope) {
  {
    Phase looking(&observer_, "look");
    looking.end({});
    const Phase left(&observer_, "catch up");
  }
  const Phase unwatched(nullptr, "nobody sees this");
  EXPECT_THAT(observer_.told,
              ElementsAre("begin look", "end", "begin catch up", "end: not finished"));
}

}  // namespace
}  // namespace mha
