// Plans: the order of things, undoing, the point of no return, the journal.
#include "core/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "unit/core/scripted_step.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Script = ScriptedStep::Script;

class PlanTest : public testing::Test {
 protected:
  void add(const std::string& name, Script script = {}) {
    plan_.add(std::make_unique<ScriptedStep>(name, events_, std::move(script)));
  }
  Outcome run() {
    return plan_.run(journal_, {clock_.deadline_after(Milliseconds{1000}), Milliseconds{400}},
                     [this] { events_.emplace_back("before_undo"); });
  }
  // Without the journal's.
  [[nodiscard]] Events effects() const {
    Events some;
    std::copy_if(
        events_.begin(), events_.end(), std::back_inserter(some),
        [](const std::string& event) { return !event.starts_with("journal") && event != "sync"; });
    return some;
  }
  static Status failure(const std::string& message) { return Error{Code::kTimeout, message}; }

  FakeClock clock_;
  FakeLog log_;
  Interrupt interrupt_;
  Events events_;
  ScriptedJournal journal_{events_};
  Plan plan_{clock_, log_, interrupt_};
};

TEST_F(PlanTest, EveryStepIsOnDiskBeforeItActs) {
  add("a");
  add("b");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kDone);
  EXPECT_FALSE(outcome.headline.has_value());
  EXPECT_THAT(outcome.leftovers, IsEmpty());
  EXPECT_THAT(events_, ElementsAre("observe a", "journal step_begin a", "sync", "apply a",
                                   "journal step_done a",  //
                                   "observe b", "journal step_begin b", "sync", "apply b",
                                   "journal step_done b",  //
                                   "journal end", "sync"));
}

TEST_F(PlanTest, TheJournalIsEnoughToBuildAStepAgain) {
  add("a");
  run();
  const nlohmann::json& begin = journal_.records().at(0);
  EXPECT_EQ(begin["kind"], "kind_of_a");
  EXPECT_EQ(begin["parameters"]["host"], "a");
  EXPECT_EQ(begin["found"]["was"], "found by a");
  EXPECT_EQ(journal_.records().back()["ending"], 0);
}

// What somebody wants to know afterwards: where the time went.
TEST_F(PlanTest, TheJournalSaysHowLongEachStepTookAndHowLongClientsWaited) {
  const auto takes = [this](int ms) {
    return Script{{}, {}, {}, [this, ms] { clock_.advance(Milliseconds{ms}); }, {}};
  };
  add("a", takes(5));
  plan_.mark_hurry_begin(Milliseconds{500});
  add("b", takes(20));
  plan_.mark_point_of_no_return();
  add("c", takes(7));
  plan_.mark_hurry_end();
  add("d", takes(100));
  ASSERT_EQ(run().ending, Ending::kDone);
  std::map<std::string, double> took;
  for (const nlohmann::json& record : journal_.records()) {
    if (record["event"] == "step_done") took[record["step"]] = record["took_ms"];
  }
  EXPECT_THAT(took, ElementsAre(std::pair{"a", 5.0}, std::pair{"b", 20.0}, std::pair{"c", 7.0},
                                std::pair{"d", 100.0}));
  EXPECT_EQ(journal_.records().back()["clients_waited_ms"], 27.0);
}

TEST_F(PlanTest, AFailureUndoesInReverseTheFailedStepFirst) {
  add("a");
  add("b");
  add("c", {{}, failure("c broke"), {}, {}, {}});
  add("d");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(outcome.headline->message, "c broke");
  EXPECT_EQ(outcome.headline->code, Code::kTimeout);
  EXPECT_THAT(outcome.leftovers, IsEmpty());
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "observe b", "apply b", "observe c",
                                     "apply c", "before_undo", "undo c", "undo b", "undo a"));
  EXPECT_EQ(journal_.records().back()["ending"], 20);
}

TEST_F(PlanTest, WhatWasUndoneIsInTheJournal) {
  add("a");
  add("b", {{}, failure("b broke"), {}, {}, {}});
  run();
  EXPECT_THAT(events_, testing::IsSupersetOf({"journal step_failed b", "journal undo_done b",
                                              "journal undo_done a"}));
}

TEST_F(PlanTest, AStepThatCouldNotBeReadIsNotUndone) {
  add("a");
  add("b", {failure("b unreadable"), {}, {}, {}, {}});
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "observe b", "before_undo", "undo a"));
}

TEST_F(PlanTest, AFailingUndoDoesNotStopTheOthersAndIsListed) {
  add("a");
  add("b", {{}, {}, failure("b is stuck"), {}, {}});
  add("c", {{}, failure("c broke"), {}, {}, {}});
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_EQ(outcome.headline->message, "c broke") << "the first error stays the headline";
  EXPECT_THAT(outcome.leftovers, ElementsAre(AllOf(HasSubstr("b"), HasSubstr("b is stuck"),
                                                   HasSubstr("by hand: mend-b"))));
  EXPECT_THAT(effects(), testing::IsSupersetOf({"undo c", "undo b", "undo a"}));
  EXPECT_THAT(events_, testing::Contains("journal undo_failed b"));
  EXPECT_EQ(journal_.records().back()["ending"], 21);
}

// A step that hangs in its undo must not take the time of the others: theirs may be the only
// ones that can be undone.
TEST_F(PlanTest, AHangingUndoLeavesTimeForTheOthers) {
  Milliseconds time_for_a{};
  add("a", {{}, {}, {}, {}, [&](Deadline deadline) { time_for_a = clock_.remaining(deadline); }});
  add("b", {{}, {}, failure("b hung"), {}, [&](Deadline deadline) {
              clock_.sleep_until(deadline.at());
            }});
  add("c", {{}, failure("c broke"), {}, {}, {}});
  const TimePoint begin = clock_.now();
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_THAT(outcome.leftovers, ElementsAre(HasSubstr("b hung")));
  EXPECT_GE(time_for_a, Milliseconds{100});
  EXPECT_LE(clock_.now() - begin, Milliseconds{400}) << "the budget of the whole undo";
}

TEST_F(PlanTest, UndoHasABudgetOfItsOwn) {
  Milliseconds left{};
  add("a", {{}, {}, {}, {}, [&](Deadline deadline) { left = clock_.remaining(deadline); }});
  add("b",
      {{}, failure("b took all the time"), {}, [&] { clock_.advance(Milliseconds{5000}); }, {}});
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_GT(left, Milliseconds{0});
}

TEST_F(PlanTest, AfterTheDeadlineNoStepBegins) {
  add("a", {{}, {}, {}, [&] { clock_.advance(Milliseconds{1000}); }, {}});
  add("b");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(outcome.headline->code, Code::kTimeout);
  EXPECT_THAT(outcome.headline->message, HasSubstr("no time left for b"));
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "before_undo", "undo a"));
}

TEST_F(PlanTest, AnInterruptUndoes) {
  add("a", {{}, {}, {}, [&] { interrupt_.request(); }, {}});
  add("b");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("interrupted"));
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "before_undo", "undo a"));
}

TEST_F(PlanTest, AfterThePointOfNoReturnItOnlyGoesForward) {
  add("a");
  plan_.mark_point_of_no_return();
  add("b", {{}, failure("b broke"), {}, {}, {}});
  add("c");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_EQ(outcome.headline->message, "b broke");
  EXPECT_THAT(outcome.leftovers, ElementsAre("b broke"));
  EXPECT_THAT(effects(),
              ElementsAre("observe a", "apply a", "observe b", "apply b", "observe c", "apply c"));
  EXPECT_EQ(journal_.records().back()["ending"], 10);
}

// Without the address a new master that takes writes is of no use.
TEST_F(PlanTest, AfterThePointOfNoReturnEachStepHasTimeOfItsOwn) {
  Milliseconds left_for_b{};
  Milliseconds left_for_c{};
  add("a", {{}, {}, {}, [&] { clock_.advance(Milliseconds{1000}); }, {}});
  plan_.mark_point_of_no_return();
  add("b", {{}, failure("b hung"), {}, {}, {}, [&](Deadline deadline) {
              left_for_b = clock_.remaining(deadline);
              clock_.sleep_until(deadline.at());
            }});
  add("c",
      {{}, {}, {}, {}, {}, [&](Deadline deadline) { left_for_c = clock_.remaining(deadline); }});
  EXPECT_EQ(run().ending, Ending::kIncomplete);
  EXPECT_GT(left_for_b, Milliseconds{0});
  EXPECT_GT(left_for_c, Milliseconds{0});
}

// A plan that may wait an hour for a replica does not wait an hour for an sshd that hangs.
TEST_F(PlanTest, WhatIsPromptHasLittleOfAPlansLongTime) {
  Milliseconds left_for_prompt{};
  Milliseconds left_for_patient{};
  Milliseconds left_after_the_point{};
  const auto into = [this](Milliseconds& left) {
    return [this, &left](Deadline deadline) { left = clock_.remaining(deadline); };
  };
  add("a", {{}, {}, {}, {}, {}, into(left_for_prompt)});
  add("b", {{}, {}, {}, {}, {}, into(left_for_patient), Pace::kPatient});
  plan_.mark_point_of_no_return();
  add("c", {{}, {}, {}, {}, {}, into(left_after_the_point)});
  plan_.run(journal_,
            {clock_.deadline_after(Milliseconds{3'600'000}), Milliseconds{400}, Milliseconds{30}},
            [] {});
  EXPECT_EQ(left_for_prompt, Milliseconds{30});
  EXPECT_EQ(left_for_patient, Milliseconds{3'600'000});
  EXPECT_EQ(left_after_the_point, Milliseconds{30});
}

TEST_F(PlanTest, ThePointOfNoReturnIsOnDiskBeforeWhatComesAfterIt) {
  add("a");
  plan_.mark_point_of_no_return();
  add("b");
  run();
  EXPECT_THAT(events_, ElementsAre("observe a", "journal step_begin a", "sync", "apply a",
                                   "journal step_done a", "journal point_of_no_return", "sync",
                                   "observe b", "journal step_begin b", "sync", "apply b",
                                   "journal step_done b", "journal end", "sync"));
}

// Who finds this process dead after that has to know what the handover was; the point of no return
// itself costs clients no wait for the disk then.
TEST_F(PlanTest, AHandoverIsOnDiskBeforeTheStepThatBeginsIt) {
  add("a");
  plan_.mark_handover([] { return nlohmann::json{{"begins", "here"}}; });
  add("b");
  plan_.mark_point_of_no_return();
  add("c");
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_THAT(events_, ElementsAre("observe a", "journal step_begin a", "sync", "apply a",
                                   "journal step_done a",  //
                                   "observe b", "journal step_begin b", "sync", "journal handover",
                                   "sync", "apply b", "journal step_done b",
                                   "journal point_of_no_return",  //
                                   "observe c", "journal step_begin c", "sync", "apply c",
                                   "journal step_done c", "journal end", "sync"));
}

TEST_F(PlanTest, AHandoverThatCannotBeNotedIsNotBegun) {
  add("a");
  plan_.mark_handover([] { return nlohmann::json::object(); });
  add("b");
  plan_.mark_point_of_no_return();
  journal_.fail_on("handover");
  EXPECT_EQ(run().ending, Ending::kUndone);
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "observe b", "before_undo", "undo a"));
}

// vip_type none: the new master becomes writable, and nothing comes after it. Whoever reads the
// journal must still see that there is no way back.
TEST_F(PlanTest, APointOfNoReturnAtTheEndIsNotedToo) {
  add("a");
  plan_.mark_point_of_no_return();
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_THAT(events_, ElementsAre("observe a", "journal step_begin a", "sync", "apply a",
                                   "journal step_done a", "journal point_of_no_return",
                                   "journal end", "sync"));
}

TEST_F(PlanTest, AFailureBeforeThePointOfNoReturnNotesNone) {
  add("a", {{}, failure("a broke"), {}, {}, {}});
  plan_.mark_point_of_no_return();
  add("b");
  EXPECT_EQ(run().ending, Ending::kUndone);
  EXPECT_THAT(events_, testing::Not(testing::Contains("journal point_of_no_return")));
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "before_undo", "undo a"));
}

TEST_F(PlanTest, AfterThePointOfNoReturnAnInterruptIsIgnored) {
  add("a");
  plan_.mark_point_of_no_return();
  add("b", {{}, {}, {}, [&] { interrupt_.request(); }, {}});
  add("c");
  EXPECT_EQ(run().ending, Ending::kDone);
  EXPECT_THAT(effects(), testing::Contains("apply c"));
}

TEST_F(PlanTest, WithoutAJournalNothingIsBegun) {
  add("a");
  journal_.fail_on("step_begin a");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("journal"));
  EXPECT_THAT(effects(), ElementsAre("observe a", "before_undo"));
}

TEST_F(PlanTest, AJournalThatIsNotOnDiskIsNone) {
  add("a");
  journal_.fail_syncs();
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(effects(), ElementsAre("observe a", "before_undo"));
}

TEST_F(PlanTest, AJournalThatBreaksHalfWayUndoesWhatWasBegun) {
  add("a");
  add("b");
  journal_.fail_on("step_begin b");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "observe b", "before_undo", "undo a"));
}

TEST_F(PlanTest, AJournalThatBreaksDoesNotStopAnUndo) {
  add("a");
  add("b", {{}, failure("b broke"), {}, {}, {}});
  journal_.fail_on("undo_done");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(effects(), testing::IsSupersetOf({"undo b", "undo a"}));
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "journal"));
}

// The new master takes writes already: without the address no client finds it.
TEST_F(PlanTest, AfterThePointOfNoReturnABrokenJournalStopsNothing) {
  add("a");
  plan_.mark_point_of_no_return();
  add("b");
  journal_.fail_on("step_begin b");
  const Outcome outcome = run();
  EXPECT_EQ(outcome.ending, Ending::kDone);
  EXPECT_THAT(effects(), ElementsAre("observe a", "apply a", "observe b", "apply b"));
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "journal"));
}

TEST_F(PlanTest, DescribesItselfWithoutDoingAnything) {
  add("a");
  plan_.mark_point_of_no_return();
  add("b");
  EXPECT_THAT(plan_.describe(), ElementsAre("1. do a", "-- point of no return --", "2. do b"));
  EXPECT_THAT(events_, IsEmpty());
}

}  // namespace
}  // namespace mha
