// One suite for the port mysql_server: what the core relies on, over the fake and over real
// servers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

// A server with read_only off and no clients, and what happens to it from outside.
class MysqlWorld {
 public:
  virtual ~MysqlWorld() = default;

  virtual MysqlConnector& connector() = 0;
  virtual Clock& clock() = 0;
  [[nodiscard]] virtual MysqlTarget target() const = 0;
  // The same, at a port that nobody listens at.
  [[nodiscard]] virtual MysqlTarget nowhere() const = 0;

  // An idle client of user `app`; its thread's id.
  virtual std::uint64_t add_client() = 0;
  virtual void drop_client(std::uint64_t id) = 0;
  // A client whose running statement keeps read_only from being set until it is killed.
  virtual std::uint64_t add_blocker() = 0;
  // Lets a client of add_client() hold a lock of this name.
  virtual void take_lock(std::uint64_t id, const std::string& lock_name) = 0;
};

// Null where the world cannot be had on this machine, which on a CI machine it throws for.
using MakeWorld = std::function<std::unique_ptr<MysqlWorld>()>;

class MysqlConformance : public testing::TestWithParam<std::pair<std::string, MakeWorld>> {
 protected:
  void SetUp() override {
    world_ = GetParam().second();
    if (world_ == nullptr) GTEST_SKIP() << GetParam().first << " cannot be had: see above";
    session_ = open();
    ASSERT_NE(session_, nullptr);
  }

  [[nodiscard]] Deadline soon() const {
    return world_->clock().deadline_after(Milliseconds{20000});
  }
  std::unique_ptr<MysqlServer> open() {
    auto session = world_->connector().connect(world_->target(), soon());
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(session).value() : nullptr;
  }
  ReadOnlyState state() {
    const Result<ReadOnlyState> found = session_->read_only_state(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? found.value() : ReadOnlyState{};
  }
  Status set(ReadOnlyState wanted) {
    return session_->set_read_only(wanted, std::chrono::seconds{1}, soon());
  }
  // On/off with super_read_only as the server has it.
  [[nodiscard]] ReadOnlyState with_super(ReadOnly read_only, bool super_read_only) {
    ReadOnlyState wanted{read_only, std::nullopt};
    if (state().super_read_only.has_value()) wanted.super_read_only = super_read_only;
    return wanted;
  }
  std::vector<std::uint64_t> listed() {
    const Result<std::vector<ServerThread>> threads = session_->threads(soon());
    EXPECT_TRUE(threads.ok()) << threads.error().message;
    std::vector<std::uint64_t> ids;
    if (!threads.ok()) return ids;
    for (const ServerThread& thread : threads.value()) ids.push_back(thread.id);
    return ids;
  }
  bool eventually_gone(std::uint64_t id) {
    const Deadline deadline = soon();
    while (std::ranges::count(listed(), id) != 0) {
      if (world_->clock().passed(deadline)) return false;
      world_->clock().sleep_for(Milliseconds{5});
    }
    return true;
  }
  // A killed thread may be in one list a moment longer than in the other.
  bool eventually_unblocked() {
    const Deadline deadline = soon();
    for (;;) {
      const auto blockers = session_->write_blockers(soon());
      EXPECT_TRUE(blockers.ok()) << blockers.error().message;
      if (!blockers.ok() || blockers.value().empty()) return blockers.ok();
      if (world_->clock().passed(deadline)) return false;
      world_->clock().sleep_for(Milliseconds{5});
    }
  }
  std::vector<KillOutcome> kill(const std::vector<std::uint64_t>& ids) {
    Result<std::vector<KillOutcome>> outcomes = session_->kill(ids, soon());
    EXPECT_TRUE(outcomes.ok()) << outcomes.error().message;
    return outcomes.ok() ? std::move(outcomes).value() : std::vector<KillOutcome>{};
  }

  std::unique_ptr<MysqlWorld> world_;
  std::unique_ptr<MysqlServer> session_;
};

TEST_P(MysqlConformance, Identity) {
  EXPECT_EQ(session_->name(), world_->target().name());
  const ServerIdentity& identity = session_->identity();
  EXPECT_GT(identity.connection_id, 0U);
  EXPECT_GE(identity.version_number, 50600U);
  EXPECT_EQ(identity.version.substr(0, 1), std::to_string(identity.version_number).substr(0, 1));
  EXPECT_NE(open()->identity().connection_id, identity.connection_id);
}

TEST_P(MysqlConformance, NobodyThere) {
  const auto session = world_->connector().connect(world_->nowhere(), soon());
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, Code::kUnreachable);
  EXPECT_THAT(session.error().message, testing::HasSubstr(world_->nowhere().name()));
}

TEST_P(MysqlConformance, ReadOnlyOnAndOff) {
  EXPECT_EQ(state(), with_super(ReadOnly::kOff, false));
  ASSERT_TRUE(set({ReadOnly::kOn, std::nullopt}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOn, false));
  ASSERT_TRUE(set({ReadOnly::kOn, std::nullopt}).ok());
  ASSERT_TRUE(set({ReadOnly::kOff, std::nullopt}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOff, false));
}

TEST_P(MysqlConformance, SuperReadOnlyWhereThereIsOne) {
  ASSERT_TRUE(set({ReadOnly::kOn, true}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOn, true));
  ASSERT_TRUE(set({ReadOnly::kOn, std::nullopt}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOn, true));
  ASSERT_TRUE(set({ReadOnly::kOn, false}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOn, false));
  ASSERT_TRUE(set({ReadOnly::kOn, true}).ok());
  ASSERT_TRUE(set({ReadOnly::kOff, std::nullopt}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOff, false));
}

TEST_P(MysqlConformance, BlockedUntilTheBlockerIsKilled) {
  const ReadOnlyState before = state();
  const std::uint64_t blocker = world_->add_blocker();
  const Status refused = set({ReadOnly::kOn, true});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr(session_->name()));
  EXPECT_EQ(state(), before);

  const auto blockers = session_->write_blockers(soon());
  ASSERT_TRUE(blockers.ok()) << blockers.error().message;
  ASSERT_THAT(blockers.value(), testing::SizeIs(1));
  EXPECT_EQ(blockers.value()[0].thread_id, blocker);
  EXPECT_THAT(blockers.value()[0].text, testing::HasSubstr(std::to_string(blocker)));

  ASSERT_THAT(kill({blocker}), testing::SizeIs(1));
  ASSERT_TRUE(eventually_gone(blocker));
  EXPECT_TRUE(eventually_unblocked());
  EXPECT_TRUE(set({ReadOnly::kOn, true}).ok());
  EXPECT_EQ(state(), with_super(ReadOnly::kOn, true));
}

TEST_P(MysqlConformance, ListsOthersAndNotItself) {
  const std::uint64_t client = world_->add_client();
  const std::unique_ptr<MysqlServer> second = open();
  const std::vector<std::uint64_t> ids = listed();
  EXPECT_THAT(ids, testing::Contains(client));
  EXPECT_THAT(ids, testing::Contains(second->identity().connection_id));
  EXPECT_THAT(ids, testing::Not(testing::Contains(session_->identity().connection_id)));
}

TEST_P(MysqlConformance, KillsInOrder) {
  const std::uint64_t first = world_->add_client();
  const std::uint64_t gone = world_->add_client();
  const std::uint64_t second = world_->add_client();
  world_->drop_client(gone);
  ASSERT_TRUE(eventually_gone(gone));
  const std::uint64_t own = session_->identity().connection_id;
  const std::vector<KillOutcome> outcomes = kill({second, gone, own, first});
  ASSERT_THAT(outcomes, testing::SizeIs(4));
  EXPECT_EQ(outcomes[0].thread_id, second);
  EXPECT_EQ(outcomes[0].result, KillResult::kKilled);
  EXPECT_EQ(outcomes[1].thread_id, gone);
  EXPECT_EQ(outcomes[1].result, KillResult::kAlreadyGone);
  EXPECT_EQ(outcomes[2].thread_id, own);
  EXPECT_EQ(outcomes[2].result, KillResult::kRefused);
  EXPECT_FALSE(outcomes[2].message.empty());
  EXPECT_EQ(outcomes[3].thread_id, first);
  EXPECT_EQ(outcomes[3].result, KillResult::kKilled);
  EXPECT_TRUE(eventually_gone(first));
  EXPECT_TRUE(eventually_gone(second));
  EXPECT_THAT(kill({}), testing::IsEmpty());
}

TEST_P(MysqlConformance, EndsAllOfAUserWhereTheServerCan) {
  const std::uint64_t first = world_->add_client();
  const std::uint64_t second = world_->add_client();
  Result<std::vector<ServerThread>> threads = session_->threads(soon());
  ASSERT_TRUE(threads.ok()) << threads.error().message;
  const auto client = std::ranges::find(threads.value(), first, &ServerThread::id);
  ASSERT_NE(client, threads.value().end());
  const Status ended = session_->end_sessions_of(client->user, soon());
  if (session_->identity().family == ServerFamily::kMariadb) {
    EXPECT_TRUE(ended.ok()) << ended.error().message;
    EXPECT_TRUE(eventually_gone(first));
    EXPECT_TRUE(eventually_gone(second));
    EXPECT_TRUE(session_->end_sessions_of("nobody's", soon()).ok()) << "nobody is no error";
  } else {
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().code, Code::kRefused);
    EXPECT_THAT(listed(), testing::IsSupersetOf({first, second}));
  }
  EXPECT_TRUE(session_->read_only_state(soon()).ok()) << "our own session lives";
}

TEST_P(MysqlConformance, KilledSessionIsDead) {
  const std::unique_ptr<MysqlServer> victim = open();
  const std::uint64_t id = victim->identity().connection_id;
  ASSERT_THAT(kill({id}), testing::SizeIs(1));
  ASSERT_TRUE(eventually_gone(id));
  for (int call = 0; call < 2; ++call) {
    const Result<ReadOnlyState> found = victim->read_only_state(soon());
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::kUnreachable);
  }
}

TEST_P(MysqlConformance, LockHolders) {
  const std::uint64_t holder = world_->add_client();
  world_->take_lock(holder, "MHA_lock");
  const auto holders = session_->lock_holders({"free", "MHA_lock"}, soon());
  ASSERT_TRUE(holders.ok()) << holders.error().message;
  EXPECT_THAT(holders.value(), testing::ElementsAre(holder));
  kill({holder});
  ASSERT_TRUE(eventually_gone(holder));
  EXPECT_THAT(session_->lock_holders({"free", "MHA_lock"}, soon()).value(), testing::IsEmpty());
}

TEST_P(MysqlConformance, PassedDeadlineEndsTheSession) {
  const Result<ReadOnlyState> late =
      session_->read_only_state(world_->clock().deadline_after(Milliseconds{-1}));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::kTimeout);
  const Result<ReadOnlyState> after = session_->read_only_state(soon());
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().code, Code::kUnreachable);
  EXPECT_NE(open(), nullptr);
}

// In a program that instantiates the suite: one world each, under a name.
inline std::string world_name(const testing::TestParamInfo<MysqlConformance::ParamType>& info) {
  return info.param.first;
}

}  // namespace mha
