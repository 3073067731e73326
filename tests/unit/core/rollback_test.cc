// Rolling back from the journal what a killed program began.
#include "core/rollback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "unit/core/start_states.h"
#include "unit/core/sweep.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// The world at one moment, as a program that is killed there leaves it: what the servers hold, and
// what of the journals had been written.
struct Moment {
  std::string next_call;
  ClusterState state;
  std::map<std::string, std::string> journals;  // by file name
};

Moment moment_of(FakeCluster& cluster, const std::string& next_call) {
  Moment moment{next_call, cluster.state(), {}};
  if (!std::filesystem::exists(cluster.state_dir)) return moment;
  for (const auto& entry : std::filesystem::directory_iterator(cluster.state_dir)) {
    moment.journals[entry.path().filename().string()] = read_whole(entry.path().string());
  }
  return moment;
}

// The moments before each call of `operation` after its checks, and the one at its end.
std::vector<Moment> moments_of(FakeCluster& cluster, const std::string& operation) {
  std::vector<Moment> moments;
  const auto take = [&](const std::string& call) {
    // In the checks two threads call; and a killed program has left nothing then.
    Moment moment = moment_of(cluster, call);
    const auto& journals = moment.journals;
    const bool has_begun = std::any_of(journals.begin(), journals.end(), [&](const auto& journal) {
      return journal.first.starts_with(operation);
    });
    if (has_begun) moments.push_back(std::move(moment));
  };
  for (FakeMysqlState* server : {&cluster.orig_server(), &cluster.next_server()}) {
    server->on_call = [take](FakeMysqlState& /*state*/, const std::string& call) { take(call); };
  }
  cluster.vip.set_on_call(take);
  static_cast<void>(operation == "online_stop" ? cluster.stop() : cluster.start());
  take("the end");
  return moments;
}

class RollbackTest : public testing::TestWithParam<StartState> {
 protected:
  static std::unique_ptr<FakeCluster> cluster() {
    auto made = std::make_unique<FakeCluster>();
    GetParam().prepare(*made);
    return made;
  }
  // Another program, later, with the servers and the journals as they were left.
  static std::unique_ptr<FakeCluster> after(const Moment& moment, const std::string& torn = "") {
    auto made = cluster();
    made->clock.advance(Milliseconds{60000});
    made->set_state(moment.state);
    std::filesystem::create_directory(made->state_dir);
    for (const auto& [name, text] : moment.journals) {
      write_whole(made->state_dir + "/" + name, text + torn);
    }
    return made;
  }
  static void expect_rolled_back(const Moment& moment, const std::string& torn,
                                 const ClusterState& found) {
    const auto later = after(moment, torn);
    const std::optional<Outcome> outcome = later->roll_back();
    EXPECT_EQ(later->state(), found);
    if (!outcome.has_value()) return;
    EXPECT_EQ(outcome->ending, Ending::kUndone);
    EXPECT_THAT(outcome->leftovers, IsEmpty());
    EXPECT_FALSE(later->roll_back().has_value()) << "it is dealt with";
  }
};

TEST_P(RollbackTest, KilledAtEveryPoint) {
  const auto killed = cluster();
  const ClusterState found = killed->state();
  const std::vector<Moment> moments = moments_of(*killed, "online_stop");
  ASSERT_GT(moments.size(), 5U);
  for (const Moment& moment : moments) {
    SCOPED_TRACE("before " + moment.next_call);
    expect_rolled_back(moment, "", found);
  }
}

// The machine went down while a record was being written: half of it is there.
TEST_P(RollbackTest, KilledAtEveryPointWithATornRecord) {
  const auto killed = cluster();
  const ClusterState found = killed->state();
  for (const Moment& moment : moments_of(*killed, "online_stop")) {
    SCOPED_TRACE("before " + moment.next_call);
    expect_rolled_back(moment, R"({"event":"step_begin","kind":"ensu)", found);
  }
}

TEST_P(RollbackTest, KilledAtEveryPointOfTheUndo) {
  std::size_t swept = 0;
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1;; ++k) {
      const auto killed = cluster();
      const ClusterState found = killed->state();
      killed->faults.fail_call(k, when, {Code::kTimeout, "the injected fault"});
      const std::vector<Moment> moments = moments_of(*killed, "online_stop");
      if (killed->faults.count() < k) break;
      for (const Moment& moment : moments) {
        SCOPED_TRACE(fmt::format("call {} failed, killed before {}", k, moment.next_call));
        expect_rolled_back(moment, "", found);
        ++swept;
      }
    }
  }
  EXPECT_GT(swept, 40U);
}

// What the program that called MHA does behind a start that was killed: gives the clients back, or,
// where the new master takes writes, leaves the original one alone and says so.
TEST_P(RollbackTest, StartKilledAtEveryPoint) {
  const auto killed = cluster();
  const ClusterState found = killed->state();
  ASSERT_EQ(killed->stop().ending, Ending::kDone);
  killed->clock.advance(Milliseconds{300});
  killed->mha_stops_the_applier();
  std::size_t given_back = 0;
  std::size_t refused = 0;
  for (const Moment& moment : moments_of(*killed, "online_start")) {
    SCOPED_TRACE("before " + moment.next_call);
    const auto later = after(moment);
    const std::optional<Outcome> outcome = later->roll_back();
    const ClusterState state = later->state();
    expect_one_writer(found, state);
    if (moment.state.next.blocks_writes()) {
      ASSERT_TRUE(outcome.has_value());
      EXPECT_EQ(outcome->ending, Ending::kUndone);
      EXPECT_EQ(state, found);
      ++given_back;
    } else {
      EXPECT_EQ(state, moment.state);
      EXPECT_EQ(outcome.has_value() ? outcome->ending : Ending::kNotUndone, Ending::kNotUndone);
      ++refused;
    }
  }
  EXPECT_GE(given_back, 2U);
  EXPECT_GE(refused, 1U);
}

// A rollback may be killed as well, or fail half way: the next one does the rest.
TEST_P(RollbackTest, AFailedRollbackIsDoneByTheNext) {
  const auto killed = cluster();
  const ClusterState found = killed->state();
  const Moment end = moments_of(*killed, "online_stop").back();
  for (const SweepFault& fault : sweep_faults()) {
    std::size_t k = 1;
    for (;; ++k) {
      const auto later = after(end);
      later->faults.fail_call(k, fault.when, fault.error());
      const std::optional<Outcome> first = later->roll_back();
      ASSERT_TRUE(first.has_value());
      if (later->faults.count() < k) break;
      SCOPED_TRACE(fault_text(*later, k, fault));
      if (first->ending == Ending::kUndone) {
        EXPECT_EQ(later->state(), found);
        continue;
      }
      EXPECT_THAT(first->leftovers, testing::Not(IsEmpty()));
      const ClusterState between = later->state();
      const std::optional<Outcome> second = later->roll_back();
      ASSERT_TRUE(second.has_value());
      if (found.two_writers() && second->ending == Ending::kNotUndone) {
        // The first one has put db2 back to writable, as it was found: that looks like a promotion.
        ASSERT_TRUE(second->headline.has_value());
        EXPECT_THAT(second->headline->message, HasSubstr("takes writes by now"));
        EXPECT_FALSE(between.next.blocks_writes());
        EXPECT_EQ(later->state(), between);
        continue;
      }
      EXPECT_EQ(second->ending, Ending::kUndone);
      EXPECT_EQ(later->state(), found);
    }
    EXPECT_GT(k, 3U);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RollbackTest, testing::ValuesIn(start_states()),
                         [](const testing::TestParamInfo<StartState>& param) {
                           return param.param.name;
                         });

class RollbackOnceTest : public testing::Test {
 protected:
  JournalFile stop_and_read() {
    EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
    return read_newest("online_stop");
  }
  JournalFile read_newest(const std::string& operation) {
    const Result<JournalFile> journal = read_journal(
        find_journals(cluster_.state_dir, operation, journal_subject("db1", 3306)).at(0));
    EXPECT_TRUE(journal.ok());
    return journal.ok() ? journal.value() : JournalFile{};
  }
  std::optional<JournalFile> open_stop() {
    return find_open_journal(cluster_.environment(), "online_stop", "db1", 3306,
                             cluster_.clock.wall_now() - std::chrono::hours{1});
  }

  FakeCluster cluster_;
  const ClusterState found_ = cluster_.state();
};

// MHA (or a person) has promoted it in between: two writers are worse than none.
TEST_F(RollbackOnceTest, AWritableNewMasterIsRefused) {
  stop_and_read();
  cluster_.next_server().read_only.read_only = ReadOnly::kOff;
  const ClusterState before = cluster_.state();
  const std::optional<Outcome> outcome = cluster_.roll_back();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ending, Ending::kNotUndone);
  EXPECT_THAT(outcome->headline->message,
              AllOf(HasSubstr("'db2' takes writes by now"), HasSubstr("'db1' stays read-only")));
  EXPECT_THAT(outcome->leftovers, Contains(HasSubstr("by hand: add-vip-on db1")));
  EXPECT_EQ(cluster_.state(), before);
}

TEST_F(RollbackOnceTest, ANewMasterThatDiedIsNoReasonToLeaveTheClientsNowhere) {
  stop_and_read();
  cluster_.next_server().health = FakeHealth::kDown;
  const std::optional<Outcome> outcome = cluster_.roll_back();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(cluster_.state().orig, found_.orig);
  EXPECT_EQ(cluster_.vip.holders(), found_.vip_holders);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "could not be seen"));
}

// As above, but an online start had begun to make it writable when it fell silent: it may take
// writes.
TEST_F(RollbackOnceTest, ASilentNewMasterThatMayTakeWritesIsRefused) {
  stop_and_read();
  cluster_.clock.advance(Milliseconds{300});
  cluster_.next_server().on_call = [](FakeMysqlState& state, const std::string& call) {
    if (call.find(" connect ") != std::string::npos && !state.read_only.blocks_writes()) {
      state.health = FakeHealth::kSilent;
    }
  };
  cluster_.faults.fail_matching("set_read_only OFF", FaultTime::kAfter, {Code::kTimeout, "x"}, 1);
  const Outcome started = cluster_.start();
  ASSERT_FALSE(cluster_.next_server().read_only.blocks_writes()) << "the world of this test";
  EXPECT_EQ(started.ending, Ending::kNotUndone);
  EXPECT_TRUE(cluster_.orig_server().read_only.blocks_writes());

  const std::optional<Outcome> outcome = cluster_.roll_back();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ending, Ending::kNotUndone);
  EXPECT_THAT(outcome->headline->message, HasSubstr("'db2' may take writes"));
  EXPECT_TRUE(cluster_.orig_server().read_only.blocks_writes());
  EXPECT_THAT(cluster_.vip.holders(), IsEmpty());
}

TEST_F(RollbackOnceTest, PastThePointOfNoReturnNothingIsTouched) {
  stop_and_read();
  cluster_.clock.advance(Milliseconds{300});
  ASSERT_EQ(cluster_.start().ending, Ending::kDone);
  const ClusterState before = cluster_.state();
  Environment environment = cluster_.environment();
  const std::size_t calls = cluster_.faults.count();
  const JournalFile journal = read_newest("online_start");
  const Outcome outcome = roll_back(
      journal, [](const std::string&, std::uint16_t) -> Node* { return nullptr; }, environment,
      Milliseconds{1000});
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("point of no return"), HasSubstr(journal.path)));
  EXPECT_EQ(cluster_.faults.count(), calls);
  EXPECT_EQ(cluster_.state(), before);
}

TEST_F(RollbackOnceTest, AHostThatNobodyKnowsIsNamedAndTheOthersAreUndone) {
  const JournalFile journal = stop_and_read();
  Environment environment = cluster_.environment();
  Node orig(cluster_.orig(), environment.ports);
  const Outcome outcome = roll_back(
      journal,
      [&](const std::string& host, std::uint16_t /*port*/) -> Node* {
        return host == "db1" ? &orig : nullptr;
      },
      environment, Milliseconds{10000});
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_THAT(outcome.leftovers,
              Contains(AllOf(HasSubstr("ensure_read_only db2"), HasSubstr("host db2"))));
  EXPECT_THAT(outcome.leftovers, testing::Each(HasSubstr("host db2")));
  EXPECT_EQ(cluster_.state().orig, found_.orig);
  EXPECT_TRUE(open_stop().has_value()) << "it still waits for somebody";
}

TEST_F(RollbackOnceTest, OnlyTheNewestJournalCounts) {
  stop_and_read();
  cluster_.clock.advance(Milliseconds{1000});
  // This one fails and is undone, so it is as the first one left it.
  cluster_.orig_server().blockers.clear();
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "x"}, 1);
  ASSERT_EQ(cluster_.stop().ending, Ending::kUndone);
  EXPECT_FALSE(open_stop().has_value());
}

TEST_F(RollbackOnceTest, WhatIsOpen) {
  const std::string dir = cluster_.state_dir;
  const auto open_after = [&](const std::vector<json>& records) {
    cluster_.clock.advance(Milliseconds{10});
    Result<std::unique_ptr<Journal>> journal = create_file_journal(
        dir, "online_stop", journal_subject("db1", 3306), json::object(), cluster_.clock);
    EXPECT_TRUE(journal.ok());
    for (const json& record : records) EXPECT_TRUE(journal.value()->append(record).ok());
    EXPECT_TRUE(journal.value()->sync().ok());
    return open_stop().has_value();
  };
  EXPECT_TRUE(open_after({})) << "killed";
  EXPECT_TRUE(open_after({{{"event", "end"}, {"ending", 0}}})) << "waits for start";
  EXPECT_TRUE(open_after({{{"event", "end"}, {"ending", 21}}}));
  EXPECT_FALSE(open_after({{{"event", "end"}, {"ending", 20}}}));
  EXPECT_FALSE(open_after({{{"event", "end"}, {"ending", 0}}, {{"event", "closed"}}}));
  EXPECT_FALSE(
      find_open_journal(cluster_.environment(), "online_stop", "db2", 3306, {}).has_value());
  EXPECT_FALSE(
      find_open_journal(cluster_.environment(), "online_stop", "db1", 3307, {}).has_value());
}

TEST_F(RollbackOnceTest, AnOldJournalIsHistory) {
  stop_and_read();
  const auto open_since = [&](WallTime since) {
    return find_open_journal(cluster_.environment(), "online_stop", "db1", 3306, since).has_value();
  };
  EXPECT_TRUE(open_since(cluster_.clock.wall_now()));
  EXPECT_FALSE(open_since(cluster_.clock.wall_now() + Milliseconds{1}));
}

// The newest file is torn in its first line: the machine went down before anything was begun.
TEST_F(RollbackOnceTest, AnEmptyNewerJournalDoesNotHideAnOpenOne) {
  const JournalFile journal = stop_and_read();
  write_whole(cluster_.state_dir + "/online_stop-db1_3306-20250101T000000000-1.journal",
              "{\"event\":\"oper");
  const std::optional<JournalFile> open = open_stop();
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->path, journal.path);
}

// What the older one says is not true any more.
TEST_F(RollbackOnceTest, ADamagedNewerJournalIsTold) {
  stop_and_read();
  const std::string newer =
      cluster_.state_dir + "/online_stop-db1_3306-20250101T000000000-1.journal";
  write_whole(newer, R"({"event":"operation","time":7})");
  EXPECT_FALSE(open_stop().has_value());
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, newer));
}

TEST_F(RollbackOnceTest, WithoutAJournalThereIsNothingToDo) {
  EXPECT_FALSE(cluster_.roll_back().has_value());
  EXPECT_EQ(cluster_.faults.count(), 0U);
}

}  // namespace
}  // namespace mha
