// The online stop: what it checks first, in which order it acts, what it says, what it puts back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/journal.h"
#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool is_effect(const std::string& call) {
  return call.find(" set_read_only") != std::string::npos ||
         call.find(" kill ") != std::string::npos || call.find(" assign") != std::string::npos ||
         call.find(" remove") != std::string::npos;
}

std::vector<std::string> effects(const FakeCluster& cluster) {
  std::vector<std::string> found;
  for (const std::string& call : cluster.faults.calls()) {
    if (is_effect(call)) found.push_back(call);
  }
  return found;
}

class OnlineStopTest : public testing::Test {
 protected:
  // An outcome where nothing may have been touched.
  void expect_nothing_changed(const Outcome& outcome) {
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    ASSERT_TRUE(outcome.headline.has_value());
    EXPECT_THAT(outcome.leftovers, IsEmpty());
    EXPECT_THAT(effects(cluster_), IsEmpty());
    EXPECT_EQ(cluster_.state(), found_);
    EXPECT_THAT(find_journals(cluster_.state_dir, "online_stop", journal_subject("db1", 3306)),
                IsEmpty());
  }

  FakeCluster cluster_;
  FakeMysqlState& orig_ = cluster_.orig_server();
  FakeMysqlState& next_ = cluster_.next_server();
  const ClusterState found_ = cluster_.state();
};

TEST_F(OnlineStopTest, TakesTheClientsOffInThisOrder) {
  const std::uint64_t app = orig_.add_thread("app");
  cluster_.settings.kill_after_timeout = std::chrono::seconds{0};
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kDone);
  EXPECT_THAT(effects(cluster_),
              ElementsAre("mysql db2:3306 set_read_only ON", "mysql db1:3306 set_read_only ON",
                          fmt::format("mysql db1:3306 kill {}", app), "vip db1 remove"));
  EXPECT_EQ(cluster_.state(),
            (ClusterState{
                {ReadOnly::kOn, false}, {ReadOnly::kOn, false}, {}, ReplicaThreads{true, true}}));
  EXPECT_THAT(orig_.threads, IsEmpty());
}

TEST_F(OnlineStopTest, ListsAgainAfterTheAddressIsGone) {
  cluster_.stop();
  const std::vector<std::string> calls = cluster_.faults.calls();
  const std::size_t removed = position(calls, "vip db1 remove");
  ASSERT_LT(removed, calls.size());
  EXPECT_THAT(
      std::vector<std::string>(calls.begin() + static_cast<std::ptrdiff_t>(removed), calls.end()),
      Contains("mysql db1:3306 threads"));
}

TEST_F(OnlineStopTest, WhoComesBackBeforeTheAddressIsGoneIsEnded) {
  bool came = false;
  cluster_.vip.set_on_call([&](const std::string& call) {
    if (call != "vip db1 remove" || came) return;
    came = true;
    orig_.add_thread("app");
  });
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_TRUE(came);
  EXPECT_THAT(orig_.threads, IsEmpty());
}

TEST_F(OnlineStopTest, NothingIsTouchedBeforeBothHostsAreChecked) {
  cluster_.stop();
  const std::vector<std::string> calls = cluster_.faults.calls();
  std::size_t first_effect = 0;
  while (first_effect < calls.size() && !is_effect(calls[first_effect])) ++first_effect;
  ASSERT_LT(first_effect, calls.size());
  for (const char* check :
       {"mysql db1:3306 connect", "mysql db2:3306 connect", "ssh db1 connect", "ssh db2 connect",
        "vip db1 check", "vip db2 check", "vip db1 status", "vip db2 status"}) {
    EXPECT_LT(position(calls, check), first_effect) << check;
  }
}

TEST_F(OnlineStopTest, EveryCheckThatFailsCostsNothing) {
  for (const char* call :
       {"mysql db1:3306 connect", "mysql db2:3306 connect", "ssh db1 connect", "ssh db2 connect",
        "vip db1 check", "vip db2 check", "vip db1 status", "vip db2 status"}) {
    FakeCluster cluster;
    const ClusterState found = cluster.state();
    cluster.faults.fail_matching(call, FaultTime::kBefore, {Code::kDenied, "the reason"});
    const Outcome outcome = cluster.stop();
    EXPECT_EQ(outcome.ending, Ending::kUndone) << call;
    ASSERT_TRUE(outcome.headline.has_value()) << call;
    EXPECT_THAT(outcome.headline->message,
                AllOf(HasSubstr("nothing was changed"), HasSubstr("the reason")))
        << call;
    EXPECT_THAT(effects(cluster), IsEmpty()) << call;
    EXPECT_EQ(cluster.state(), found) << call;
  }
}

TEST_F(OnlineStopTest, BothHostsTroublesAreSaid) {
  orig_.health = FakeHealth::kDown;
  cluster_.vip.set_check_error("db2", Error{Code::kDenied, "sudo: a password is required"});
  const Outcome outcome = cluster_.stop();
  expect_nothing_changed(outcome);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db1:3306"));
  EXPECT_TRUE(cluster_.log.has(LogLevel::kError, "sudo: a password is required"));
}

TEST_F(OnlineStopTest, ASilentPeerCostsTheOperationsTimeAndNoMore) {
  for (const int which : {0, 1, 2, 3}) {
    FakeCluster cluster;
    cluster.settings.operation_timeout = std::chrono::seconds{7};
    if (which == 0) cluster.orig_server().health = FakeHealth::kSilent;
    if (which == 1) cluster.next_server().health = FakeHealth::kSilent;
    if (which == 2) cluster.silence_ssh("db1");
    if (which == 3) cluster.silence_ssh("db2");
    const Outcome outcome = cluster.stop();
    EXPECT_EQ(outcome.ending, Ending::kUndone) << which;
    EXPECT_EQ(outcome.headline->code, Code::kTimeout) << which;
    EXPECT_EQ(cluster.clock.elapsed(), Milliseconds{7000}) << which;
    EXPECT_THAT(effects(cluster), IsEmpty()) << which;
  }
}

TEST_F(OnlineStopTest, AThirdMachineWithTheAddressIsRefused) {
  cluster_.vip.set_holders({});
  cluster_.vip.set_strangers({"02:00:00:00:00:99"});
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_EQ(outcome.headline->code, Code::kRefused);
  EXPECT_THAT(outcome.headline->message,
              AllOf(HasSubstr("10.0.0.100"), HasSubstr("02:00:00:00:00:99"),
                    HasSubstr("nothing was changed")));
  EXPECT_THAT(effects(cluster_), IsEmpty());
}

TEST_F(OnlineStopTest, AnAddressOnBothIsSaidAndLeftOnTheNewOne) {
  cluster_.vip.set_holders({"db1", "db2"});
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "10.0.0.100"));
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
}

TEST_F(OnlineStopTest, AnAddressOnNeitherIsSaid) {
  cluster_.vip.set_holders({});
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_TRUE(
      cluster_.log.has(LogLevel::kWarning, "the virtual IP 10.0.0.100 was not found on host db1"));
}

TEST_F(OnlineStopTest, AnAddressOnTheNewMasterAlreadyStaysThere) {
  cluster_.vip.set_holders({"db2"});
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_THAT(cluster_.vip.holders(), ElementsAre("db2"));
}

TEST_F(OnlineStopTest, WithoutAVirtualIpThereIsNoSsh) {
  cluster_.settings.vip_type = VipType::kNone;
  cluster_.settings.writer_vip.reset();
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  cluster_.ssh.set_health("db2", FakeHealth::kDown);
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_THAT(cluster_.faults.calls(), Not(Contains(testing::ContainsRegex("^(ssh|vip) "))));
  EXPECT_TRUE(orig_.read_only.blocks_writes());
}

TEST_F(OnlineStopTest, WhoBlocksReadOnlyIsNamedAndAllIsPutBack) {
  next_.read_only.read_only = ReadOnly::kOff;
  const ClusterState found = cluster_.state();
  const std::uint64_t app = orig_.add_thread("app");
  orig_.blockers.push_back({42, "thread 42 (app@10.0.0.5): LOCK TABLES on `shop`.`orders`"});
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("LOCK TABLES on `shop`.`orders`"));
  EXPECT_EQ(cluster_.state(), found);
  ASSERT_EQ(orig_.threads.size(), 1U);
  EXPECT_EQ(orig_.threads[0].id, app) << "nobody is ended before writes are off";
}

TEST_F(OnlineStopTest, AClientThatCannotBeEndedUndoesAll) {
  orig_.unkillable.insert(orig_.add_thread("root"));
  cluster_.settings.kill_after_timeout = std::chrono::seconds{2};
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("still connected"));
  EXPECT_EQ(cluster_.state(), found_);
  EXPECT_TRUE(cluster_.log.has(LogLevel::kInfo,
                               "Rolling back the failover changes on the original master 'db1'"));
}

TEST_F(OnlineStopTest, AnInterruptInTheWaitUndoesAll) {
  orig_.add_thread("app");
  orig_.on_call = [this](FakeMysqlState& /*state*/, const std::string& /*call*/) {
    if (cluster_.clock.elapsed() >= Milliseconds{1000}) cluster_.interrupt.request();
  };
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("interrupted"));
  EXPECT_EQ(cluster_.state(), found_);
  EXPECT_EQ(orig_.threads.size(), 1U) << "nobody was killed";
}

TEST_F(OnlineStopTest, AnInterruptInTheChecksChangesNothing) {
  cluster_.vip.set_on_call([this](const std::string& call) {
    if (call == "vip db2 status") cluster_.interrupt.request();
  });
  expect_nothing_changed(cluster_.stop());
}

TEST_F(OnlineStopTest, WithoutAJournalNothingIsBegun) {
  write_whole(cluster_.folder.path("file"), "");
  cluster_.state_dir = cluster_.folder.path("file/state");
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, AllOf(HasSubstr("journal"), HasSubstr("the state folder"),
                                               HasSubstr("/file: Not a directory")));
  EXPECT_THAT(effects(cluster_), IsEmpty());
  EXPECT_EQ(cluster_.state(), found_);
}

// SSH to the original master dies in mid-operation: the address cannot be put back where it may
// have gone, and everything else is.
TEST_F(OnlineStopTest, WhatCanBePutBackIsPutBack) {
  next_.read_only.read_only = ReadOnly::kOff;
  cluster_.vip.set_on_call([this](const std::string& call) {
    if (call == "vip db1 remove") cluster_.silence_ssh("db1");
  });
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_EQ(cluster_.state().orig, found_.orig);
  EXPECT_EQ(cluster_.state().next.read_only, ReadOnly::kOff);
  EXPECT_THAT(outcome.leftovers, ElementsAre(AllOf(HasSubstr("ensure_vip_absent db1"),
                                                   HasSubstr("by hand: add-vip-on db1"))));
}

TEST_F(OnlineStopTest, ASilentOriginalIsBoundedAndNamed) {
  cluster_.settings.operation_timeout = std::chrono::seconds{10};
  cluster_.settings.lock_wait_timeout = std::chrono::seconds{3};
  cluster_.settings.kill_after_timeout = std::chrono::seconds{2};
  next_.read_only.read_only = ReadOnly::kOff;
  orig_.on_call = [](FakeMysqlState& state, const std::string& /*call*/) {
    if (state.read_only.blocks_writes()) state.health = FakeHealth::kSilent;
  };
  const Outcome outcome = cluster_.stop();
  EXPECT_EQ(outcome.ending, Ending::kNotUndone);
  EXPECT_EQ(outcome.headline->code, Code::kTimeout);
  EXPECT_THAT(outcome.leftovers,
              ElementsAre(AllOf(HasSubstr("ensure_read_only db1:3306"),
                                HasSubstr("mysql -h db1 -P 3306 -e 'SET GLOBAL read_only=OFF'"))));
  EXPECT_EQ(cluster_.state().next.read_only, ReadOnly::kOff) << "db2 answers: it is put back";
  // Forward 10 + 3 + 2 s, undo 10 s.
  EXPECT_LE(cluster_.clock.elapsed(), Milliseconds{25000});
}

TEST_F(OnlineStopTest, UndoUsesFreshSessions) {
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "no"});
  ASSERT_EQ(cluster_.stop().ending, Ending::kUndone);
  const std::vector<std::string> calls = cluster_.faults.calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "mysql db1:3306 connect mha"), 2);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "ssh db1 connect"), 2);
  EXPECT_THAT(orig_.sessions, IsEmpty());
}

// Where thousands are ended and log in again, the answer to the KILLs comes too late, and nobody
// else gets in for long.
TEST_F(OnlineStopTest, UndoNeedsNoLogin) {
  orig_.add_thread("app");
  orig_.on_call = [](FakeMysqlState& state, const std::string& call) {
    if (call.find(" kill ") != std::string::npos) {
      state.connect_error = Error{Code::kTimeout, "no answer in time"};
    }
  };
  cluster_.faults.fail_matching("mysql db1:3306 kill", FaultTime::kAfter,
                                {Code::kTimeout, "no answer in time"}, 1);
  EXPECT_EQ(cluster_.stop().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found_);
}

// It may still be running a statement of ours, or get one that TCP sends again.
TEST_F(OnlineStopTest, UndoEndsTheSessionThatItDrops) {
  std::optional<std::uint64_t> first;
  orig_.on_call = [&first](FakeMysqlState& state, const std::string& call) {
    if (!first.has_value() && call == "mysql db1:3306 threads") {
      first = state.sessions.begin()->first;
    }
  };
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "no"});
  ASSERT_EQ(cluster_.stop().ending, Ending::kUndone);
  ASSERT_TRUE(first.has_value());
  const std::vector<std::string> calls = cluster_.faults.calls();
  const std::size_t failed = position(calls, "vip db1 remove");
  EXPECT_LT(failed, position(calls, fmt::format("mysql db1:3306 kill {}", *first)));
  EXPECT_LT(position(calls, fmt::format("mysql db1:3306 kill {}", *first)),
            position(calls, "mysql db1:3306 set_read_only OFF"));
}

// A firewall may have forgotten a connection on which nothing was said.
TEST_F(OnlineStopTest, ALostReserveIsReplaced) {
  cluster_.faults.fail_matching("vip db1 remove", FaultTime::kBefore, {Code::kDenied, "no"});
  cluster_.vip.set_on_call([this](const std::string& call) {
    if (call != "vip db1 remove") return;
    const std::lock_guard lock{orig_.mutex};
    orig_.sessions.clear();
  });
  EXPECT_EQ(cluster_.stop().ending, Ending::kUndone);
  EXPECT_EQ(cluster_.state(), found_);
}

// A server may take one connection and no more.
TEST_F(OnlineStopTest, WithoutAReserveItGoesOn) {
  orig_.add_thread("app");
  cluster_.mysql.server("db1:3306").on_call = [](FakeMysqlState& state, const std::string& call) {
    const bool connects = call.find(" connect ") != std::string::npos;
    if (connects && !state.sessions.empty()) {
      state.connect_error = Error{Code::kRefused, "Too many connections (1040)"};
    }
  };
  EXPECT_EQ(cluster_.stop().ending, Ending::kDone);
  EXPECT_THAT(orig_.threads, IsEmpty());
  EXPECT_TRUE(cluster_.log.has(LogLevel::kWarning, "Too many connections"));
}

TEST_F(OnlineStopTest, TheJournalWaitsForStartAndHoldsNoSecret) {
  Environment environment = cluster_.environment();
  OnlineRequest request = cluster_.online();
  request.orig_master.mysql.password = Secret{std::string{"tops3cret"}};
  request.new_master.mysql.password = Secret{std::string{"tops3cret"}};
  ASSERT_EQ(online_stop(request, environment).ending, Ending::kDone);
  const auto open = find_open_journal(cluster_.environment(), "online_stop", "db1", 3306,
                                      cluster_.clock.wall_now());
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->records.front()["orig_master"]["host"], "db1");
  EXPECT_EQ(open->records.front()["new_master"]["host"], "db2");
  EXPECT_THAT(read_whole(open->path), Not(HasSubstr("tops3cret")));
  for (const FakeLog::Line& line : cluster_.log.lines()) {
    EXPECT_THAT(line.text, Not(HasSubstr("tops3cret")));
  }
}

TEST_F(OnlineStopTest, EveryStepHasANameOfItsOwn) {
  for (const int seconds : {0, 5}) {
    FakeCluster cluster;
    cluster.settings.kill_after_timeout = std::chrono::seconds{seconds};
    ASSERT_EQ(cluster.stop().ending, Ending::kDone);
    const auto journal = find_open_journal(cluster.environment(), "online_stop", "db1", 3306,
                                           cluster.clock.wall_now());
    ASSERT_TRUE(journal.has_value());
    std::set<std::string> names;
    std::size_t steps = 0;
    for (const nlohmann::json& record : journal->records) {
      if (record["event"] != "step_begin") continue;
      names.insert(record["step"]);
      ++steps;
    }
    EXPECT_GE(steps, 5U);
    EXPECT_EQ(names.size(), steps) << "kill_after_timeout=" << seconds;
  }
}

}  // namespace
}  // namespace mha
