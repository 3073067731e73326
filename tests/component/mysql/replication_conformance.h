// One suite for the port replication: what the engine relies on, over the fake and over pairs of
// real servers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "ports/mysql_server.h"
#include "ports/replication.h"

namespace mha {

// Two servers that are writable, have the same rows, have written nothing to their binary logs, and
// do not replicate yet.
class ReplicationWorld {
 public:
  virtual ~ReplicationWorld() = default;

  virtual MysqlConnector& connector() = 0;
  virtual Clock& clock() = 0;
  // Of server 0 or 1.
  [[nodiscard]] virtual MysqlTarget target(std::size_t server) const = 0;
  // The account that replicates, which both have.
  [[nodiscard]] virtual NewSource account() const = 0;
  // How this world's replicas follow.
  [[nodiscard]] virtual GtidUse gtid_use() const = 0;

  // Commits so many transactions.
  virtual void write(std::size_t server, std::size_t transactions) = 0;
  // Of those, all that the server has now.
  virtual std::size_t written(std::size_t server) = 0;
  // Statements as the family's mysqlbinlog prints them, that commit so many transactions.
  virtual std::string script(std::size_t transactions) = 0;
  // Its applier makes no headway, though it runs.
  virtual void hold_applier(std::size_t server) = 0;
  virtual void release_applier(std::size_t server) = 0;
  // Its applier stops with an error at the next transaction that is written on `source`, which is
  // written here; the error's number.
  virtual int break_applier(std::size_t server, std::size_t source) = 0;
  // In the schema shop, with the definer app@10.% and the character set latin1: one that has
  // nothing to do for long. `status` is kEnabled or kDisabled.
  virtual void create_event(std::size_t server, const std::string& name, EventStatus status) = 0;
};

using MakeReplicationWorld = std::function<std::unique_ptr<ReplicationWorld>()>;

class ReplicationConformance
    : public testing::TestWithParam<std::pair<std::string, MakeReplicationWorld>> {
 protected:
  void SetUp() override {
    world_ = GetParam().second();
    for (std::size_t server = 0; server < 2; ++server) {
      sessions_[server] = open(server);
      ASSERT_NE(sessions_[server], nullptr);
    }
  }

  [[nodiscard]] Deadline within(Milliseconds span) const {
    return world_->clock().deadline_after(span);
  }
  [[nodiscard]] Deadline soon() const { return within(Milliseconds{20000}); }
  std::unique_ptr<MysqlServer> open(std::size_t server) {
    auto session = world_->connector().connect(world_->target(server), soon());
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(session).value() : nullptr;
  }
  Replication& on(std::size_t server) { return sessions_[server]->replication(); }
  ServerState state(std::size_t server) {
    const Result<ServerState> found = on(server).state(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? found.value() : ServerState{};
  }
  // Of a replica; a default where it is none.
  ReplicaState replica(std::size_t server) {
    const ServerState found = state(server);
    EXPECT_TRUE(found.replica.has_value());
    return found.replica.value_or(ReplicaState{});
  }
  SourcePosition position(std::size_t server) {
    const Result<SourcePosition> found = on(server).own_position(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? found.value() : SourcePosition{};
  }
  // To follow `server` from where it is now.
  NewSource source(std::size_t server) {
    NewSource source = world_->account();
    source.host = world_->target(server).host;
    source.port = world_->target(server).port;
    source.gtid_use = world_->gtid_use();
    source.start = position(server).binlog;
    return source;
  }
  void follow(std::size_t server, std::size_t its_source) {
    expect_ok(on(server).replicate_from(source(its_source), soon()));
    expect_ok(on(server).start_replica(soon()));
  }
  Status wait(std::size_t server, const SourcePosition& wanted, Deadline deadline) {
    return on(server).wait_until_applied(wanted, world_->gtid_use(), deadline);
  }
  // How many transactions server 1 finds in it; executes those from `skip` on.
  std::uint64_t executed(const std::string& script, std::uint64_t skip = 0) {
    const Result<std::uint64_t> done =
        on(1).execute_binlog_script({whole_text(script), skip, Switch::kOn, {}}, soon());
    EXPECT_TRUE(done.ok()) << done.error().message;
    return done.ok() ? done.value() : 0;
  }
  // What a switch does.
  void switch_to(std::size_t server, std::size_t old_source) {
    expect_ok(wait(server, position(old_source), soon()));
    expect_ok(on(server).stop_replica(soon()));
    expect_ok(on(server).forget_source(soon()));
    follow(old_source, server);
  }
  bool eventually(const std::function<bool()>& condition) {
    const Deadline deadline = soon();
    while (!condition()) {
      if (world_->clock().passed(deadline)) return false;
      world_->clock().sleep_for(Milliseconds{5});
    }
    return true;
  }
  std::vector<ScheduledEvent> events(std::size_t server) {
    const auto found = on(server).scheduled_events(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? found.value() : std::vector<ScheduledEvent>{};
  }
  // One that create_event() has made, its definer and character set kept.
  static testing::Matcher<ScheduledEvent> event_is(const std::string& name, EventStatus status,
                                                   std::uint32_t originator) {
    using testing::Field;
    return testing::AllOf(Field("schema", &ScheduledEvent::schema, "shop"),
                          Field("name", &ScheduledEvent::name, name),
                          Field("status", &ScheduledEvent::status, status),
                          Field("originator", &ScheduledEvent::originator, originator),
                          Field("definer", &ScheduledEvent::definer, "app@10.%"),
                          Field("character_set", &ScheduledEvent::character_set, "latin1"),
                          Field("collation", &ScheduledEvent::collation, "latin1_swedish_ci"));
  }
  static void expect_ok(const Status& status) {
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  // With this code, and a message that names the server and has `part`.
  void expect_error(const Status& status, Code code, const std::string& part) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, code) << status.error().message;
    EXPECT_THAT(status.error().message, testing::HasSubstr(part));
    EXPECT_THAT(status.error().message, testing::Not(testing::HasSubstr("\n")));
  }

  std::unique_ptr<ReplicationWorld> world_;
  std::array<std::unique_ptr<MysqlServer>, 2> sessions_;
};

TEST_P(ReplicationConformance, ServerWithoutASource) {
  const ServerState alone = state(0);
  EXPECT_FALSE(alone.replica.has_value());
  EXPECT_TRUE(alone.log_bin);
  EXPECT_TRUE(alone.log_replica_updates);
  EXPECT_FALSE(alone.read_only.blocks_writes());
  EXPECT_EQ(alone.binlog, position(0).binlog);
  EXPECT_FALSE(alone.binlog.file.empty());
  const bool mariadb = sessions_[0]->identity().family == ServerFamily::kMariadb;
  EXPECT_EQ(alone.server_uuid.empty(), mariadb);
  EXPECT_THAT(alone.other_channels, testing::IsEmpty());
  const auto skew = alone.clock - world_->clock().wall_now();
  EXPECT_LT(std::chrono::abs(skew), std::chrono::seconds{5});
}

TEST_P(ReplicationConformance, ReplicaTellsWhereItIs) {
  follow(1, 0);
  world_->write(0, 3);
  const SourcePosition end = position(0);
  expect_ok(wait(1, end, soon()));
  // MySQL counts the GTIDs first.
  ASSERT_TRUE(eventually([&] { return replica(1).executed == end.binlog; }));
  const ReplicaState now = replica(1);
  EXPECT_EQ(now.source_host, world_->target(0).host);
  EXPECT_EQ(now.source_port, world_->target(0).port);
  EXPECT_EQ(now.source_user, world_->account().user);
  EXPECT_EQ(now.receiver, ReceiverState::kRunning);
  EXPECT_TRUE(now.applier_running);
  EXPECT_EQ(now.gtid_use, world_->gtid_use());
  EXPECT_EQ(now.received, end.binlog);
  EXPECT_TRUE(now.behind.has_value());
  EXPECT_EQ(now.receiver_error.number, 0);
  EXPECT_EQ(now.applier_error.number, 0);
  EXPECT_FALSE(state(0).replica.has_value());
}

TEST_P(ReplicationConformance, GtidsOfBothAgreeOnceApplied) {
  follow(1, 0);
  world_->write(0, 3);
  expect_ok(wait(1, position(0), soon()));
  const ServerState source = state(0);
  if (!source.gtids) return;
  EXPECT_THAT(source.executed_gtids, testing::Not(testing::IsEmpty()));
  EXPECT_EQ(source.binlog_gtids, position(0).gtids);
  EXPECT_EQ(state(1).executed_gtids, source.executed_gtids);
}

TEST_P(ReplicationConformance, WaitsUntilApplied) {
  follow(1, 0);
  world_->write(0, 20);
  expect_ok(wait(1, position(0), soon()));
  EXPECT_EQ(world_->written(1), 20U);
}

TEST_P(ReplicationConformance, WaitEndsInTimeAndTheSessionLives) {
  follow(1, 0);
  world_->hold_applier(1);
  world_->write(0, 1);
  const SourcePosition end = position(0);
  // Shorter and longer than the second that some servers count in.
  for (const Milliseconds span : {Milliseconds{150}, Milliseconds{900}, Milliseconds{1700}}) {
    const TimePoint begin = world_->clock().now();
    expect_error(wait(1, end, within(span)), Code::kTimeout, sessions_[1]->name());
    EXPECT_LE(world_->clock().now() - begin, span + Milliseconds{50});
    EXPECT_TRUE(replica(1).applier_running);
  }
  EXPECT_EQ(world_->written(1), 0U);
  world_->release_applier(1);
  expect_ok(wait(1, end, soon()));
  EXPECT_EQ(world_->written(1), 1U);
}

TEST_P(ReplicationConformance, WaitSaysWhyTheApplierStopped) {
  follow(1, 0);
  const int number = world_->break_applier(1, 0);
  const SourcePosition end = position(0);
  const TimePoint begin = world_->clock().now();
  expect_error(wait(1, end, soon()), Code::kRefused, std::to_string(number));
  EXPECT_LT(world_->clock().now() - begin, Milliseconds{5000});
  EXPECT_EQ(replica(1).applier_error.number, number);
  EXPECT_FALSE(replica(1).applier_running);
}

// A source that is gone, or does not have any more what is asked for.
TEST_P(ReplicationConformance, WaitSaysWhyNothingComesAnyMore) {
  if (world_->gtid_use() == GtidUse::kNone) return;
  const auto wait_for = [this](const SourcePosition& wanted) {
    return on(1).wait_until_replicated(wanted.gtids, soon());
  };
  follow(1, 0);
  world_->write(0, 2);
  expect_ok(wait_for(position(0)));
  // What was received comes to its end.
  world_->hold_applier(1);
  world_->write(0, 1);
  const SourcePosition received = position(0);
  ASSERT_TRUE(eventually([&] { return replica(1).received == received.binlog; }));
  expect_ok(on(1).stop_receiver(soon()));
  expect_error(on(1).wait_until_replicated(received.gtids, within(Milliseconds{300})),
               Code::kTimeout, "");
  world_->release_applier(1);
  expect_ok(wait_for(received));

  world_->write(0, 1);
  const SourcePosition end = position(0);
  const TimePoint begin = world_->clock().now();
  expect_error(wait_for(end), Code::kRefused, "receiver");
  EXPECT_LT(world_->clock().now() - begin, Milliseconds{8000});
  NewSource nowhere = source(0);
  nowhere.port = 1;
  expect_ok(on(1).replicate_from(nowhere, soon()));
  expect_error(on(1).start_replica(soon()), Code::kRefused, "connect");
  expect_error(wait_for(end), Code::kRefused, "connect");
  follow(1, 0);
  expect_ok(wait_for(end));
}

TEST_P(ReplicationConformance, WhatIsAppliedAlreadyIsNotWaitedFor) {
  follow(1, 0);
  world_->write(0, 2);
  const SourcePosition end = position(0);
  expect_ok(wait(1, end, soon()));
  expect_ok(on(1).stop_replica(soon()));
  expect_ok(wait(1, end, within(Milliseconds{1000})));
  world_->write(0, 1);
  expect_error(wait(1, position(0), soon()), Code::kRefused, "applier");
}

TEST_P(ReplicationConformance, SwitchThereAndBack) {
  follow(1, 0);
  world_->write(0, 2);
  switch_to(1, 0);
  EXPECT_FALSE(state(1).replica.has_value());
  EXPECT_EQ(replica(0).source_port, world_->target(1).port);
  // Back at once: the last transaction is the candidate's own.
  switch_to(0, 1);
  world_->write(0, 2);
  switch_to(1, 0);
  world_->write(1, 3);
  switch_to(0, 1);
  world_->write(0, 1);
  expect_ok(wait(1, position(0), soon()));
  EXPECT_EQ(world_->written(0), 8U);
  EXPECT_EQ(world_->written(1), 8U);
}

TEST_P(ReplicationConformance, EachStepMayBeRepeated) {
  expect_ok(on(1).stop_replica(soon()));
  expect_ok(on(1).forget_source(soon()));
  const NewSource from = source(0);
  world_->write(0, 1);
  for (int time = 0; time < 2; ++time) {
    expect_ok(on(1).replicate_from(from, soon()));
    EXPECT_EQ(replica(1).receiver, ReceiverState::kStopped);
    EXPECT_FALSE(replica(1).applier_running);
  }
  for (int time = 0; time < 2; ++time) expect_ok(on(1).start_replica(soon()));
  expect_ok(wait(1, position(0), soon()));
  EXPECT_EQ(world_->written(1), 1U);
  for (int time = 0; time < 2; ++time) expect_ok(on(1).stop_receiver(soon()));
  EXPECT_EQ(replica(1).receiver, ReceiverState::kStopped);
  EXPECT_TRUE(replica(1).applier_running);
  for (int time = 0; time < 2; ++time) expect_ok(on(1).stop_replica(soon()));
  EXPECT_FALSE(replica(1).applier_running);
  for (int time = 0; time < 2; ++time) expect_ok(on(1).forget_source(soon()));
  EXPECT_FALSE(state(1).replica.has_value());
}

TEST_P(ReplicationConformance, PointingStopsWhatRuns) {
  follow(1, 0);
  world_->write(0, 1);
  expect_ok(wait(1, position(0), soon()));
  expect_ok(on(1).replicate_from(source(0), soon()));
  EXPECT_EQ(replica(1).receiver, ReceiverState::kStopped);
  EXPECT_FALSE(replica(1).applier_running);
}

TEST_P(ReplicationConformance, WhatDoesNotReplicateIsNotStarted) {
  expect_error(on(0).start_replica(soon()), Code::kRefused, "nobody");
  expect_error(on(0).wait_until_relay_log_applied(soon()), Code::kRefused, "nobody");
}

TEST_P(ReplicationConformance, RunningReplicationIsNotForgotten) {
  follow(1, 0);
  expect_error(on(1).forget_source(soon()), Code::kRefused, sessions_[1]->name());
  EXPECT_EQ(replica(1).receiver, ReceiverState::kRunning);
}

TEST_P(ReplicationConformance, ReceiverThatCannotConnectIsSaid) {
  NewSource nowhere = source(0);
  nowhere.port = 1;
  expect_ok(on(1).replicate_from(nowhere, soon()));
  expect_error(on(1).start_replica(soon()), Code::kRefused, "connect");
  EXPECT_EQ(replica(1).receiver, ReceiverState::kConnecting);
  EXPECT_NE(replica(1).receiver_error.number, 0);
}

TEST_P(ReplicationConformance, WhatTheReceiverHasHadIsSeen) {
  const auto seen = [&](std::size_t server) {
    const auto found = on(server).receiver_seen(soon());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? found.value() : std::nullopt;
  };
  EXPECT_FALSE(seen(0).has_value());
  follow(1, 0);
  ASSERT_TRUE(seen(1).has_value());
  EXPECT_EQ(seen(1)->receiver, ReceiverState::kRunning);
  // An applier that does nothing does not keep it from receiving.
  world_->hold_applier(1);
  const BinlogCoordinates before = seen(1)->received;
  world_->write(0, 1);
  const BinlogCoordinates end = position(0).binlog;
  EXPECT_NE(before, end);
  EXPECT_TRUE(eventually([&] { return seen(1)->received == end; }));
  world_->release_applier(1);
  expect_ok(on(1).stop_receiver(soon()));
  EXPECT_EQ(seen(1)->receiver, ReceiverState::kStopped);
  NewSource nowhere = source(0);
  nowhere.port = 1;
  expect_ok(on(1).replicate_from(nowhere, soon()));
  EXPECT_FALSE(on(1).start_replica(soon()).ok());
  EXPECT_EQ(seen(1)->receiver, ReceiverState::kConnecting);
  EXPECT_NE(seen(1)->error.number, 0);
}

TEST_P(ReplicationConformance, RelayLogIsAppliedToItsEnd) {
  follow(1, 0);
  world_->hold_applier(1);
  world_->write(0, 5);
  const SourcePosition end = position(0);
  ASSERT_TRUE(eventually([&] { return replica(1).received == end.binlog; }));
  expect_error(on(1).wait_until_relay_log_applied(soon()), Code::kRefused, "receiver");
  expect_ok(on(1).stop_receiver(soon()));
  expect_error(on(1).wait_until_relay_log_applied(within(Milliseconds{200})), Code::kTimeout, "");
  world_->release_applier(1);
  expect_ok(on(1).wait_until_relay_log_applied(soon()));
  EXPECT_EQ(world_->written(1), 5U);
  expect_ok(on(1).wait_until_relay_log_applied(soon()));
}

TEST_P(ReplicationConformance, ScriptIsExecuted) {
  EXPECT_EQ(executed(world_->script(3)), 3U);
  EXPECT_EQ(world_->written(1), 3U);
  // The session goes on, and takes another one.
  EXPECT_FALSE(state(1).replica.has_value());
  EXPECT_EQ(executed(""), 0U);
}

TEST_P(ReplicationConformance, ScriptGoesOnBehindWhatIsThere) {
  const std::string script = world_->script(4);
  std::vector<std::uint64_t> asked;
  BinlogReplay replay{whole_text(script), 0, Switch::kOn, [&](std::uint64_t number) -> Status {
                        asked.push_back(number);
                        if (number == 2) return Error{Code::kInternal, "enough"};
                        return on(1).own_position(soon()).status();
                      }};
  const Result<std::uint64_t> stopped = on(1).execute_binlog_script(replay, soon());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().message, "enough");
  EXPECT_EQ(world_->written(1), 2U);
  EXPECT_THAT(asked, testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(executed(script, 2), 4U);
  EXPECT_EQ(world_->written(1), 4U);
}

TEST_P(ReplicationConformance, ScriptStaysOutOfTheBinaryLog) {
  const BinlogCoordinates before = position(1).binlog;
  const Result<std::uint64_t> done =
      on(1).execute_binlog_script({whole_text(world_->script(2)), 0, Switch::kOff, {}}, soon());
  EXPECT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(world_->written(1), 2U);
  EXPECT_EQ(position(1).binlog, before);
  world_->write(1, 1);
  EXPECT_NE(position(1).binlog, before);
}

TEST_P(ReplicationConformance, EventScheduler) {
  for (const Switch wanted : {Switch::kOn, Switch::kOn, Switch::kOff, Switch::kOff}) {
    expect_ok(on(0).set_event_scheduler(wanted, soon()));
    EXPECT_EQ(state(0).event_scheduler, wanted == Switch::kOn);
  }
}

TEST_P(ReplicationConformance, EventsAreDisabledOnReplicasAndEnabledOnANewSource) {
  follow(1, 0);
  world_->create_event(0, "nightly", EventStatus::kEnabled);
  world_->create_event(0, "old", EventStatus::kDisabled);
  expect_ok(wait(1, position(0), soon()));
  const std::uint32_t id0 = sessions_[0]->identity().server_id;
  const std::uint32_t id1 = sessions_[1]->identity().server_id;
  EXPECT_THAT(events(0), testing::ElementsAre(event_is("nightly", EventStatus::kEnabled, id0),
                                              event_is("old", EventStatus::kDisabled, id0)));
  EXPECT_THAT(events(1),
              testing::ElementsAre(event_is("nightly", EventStatus::kDisabledOnReplica, id0),
                                   event_is("old", EventStatus::kDisabledOnReplica, id0)));

  switch_to(1, 0);
  // Twice: what is enabled stays so.
  for (int time = 0; time < 2; ++time) {
    const std::vector<ScheduledEvent> now = events(1);
    ASSERT_EQ(now.size(), 2U);
    expect_ok(on(1).enable_event(now[0], soon()));
    EXPECT_THAT(events(1),
                testing::ElementsAre(event_is("nightly", EventStatus::kEnabled, id1),
                                     event_is("old", EventStatus::kDisabledOnReplica, id0)));
  }
  expect_ok(wait(0, position(1), soon()));
  EXPECT_THAT(events(0),
              testing::ElementsAre(event_is("nightly", EventStatus::kDisabledOnReplica, id1),
                                   event_is("old", EventStatus::kDisabled, id0)));
  // The session goes on as it was.
  expect_error(on(1).enable_event({"shop", "nowhere", EventStatus::kEnabled, 0, "app@10.%",
                                   "latin1", "latin1_swedish_ci"},
                                  soon()),
               Code::kRefused, "nowhere");
  EXPECT_FALSE(state(1).replica.has_value());
}

TEST_P(ReplicationConformance, SemiSync) {
  const bool available = state(0).semi_sync.available;
  for (const Switch wanted : {Switch::kOn, Switch::kOff}) {
    const bool on_now = available && wanted == Switch::kOn;
    for (const SemiSyncRole role : {SemiSyncRole::kSource, SemiSyncRole::kReplica}) {
      const Status done = on(0).set_semi_sync(role, wanted, soon());
      EXPECT_EQ(done.ok(), available || wanted == Switch::kOff);
    }
    EXPECT_EQ(state(0).semi_sync.source_enabled, on_now);
    EXPECT_EQ(state(0).semi_sync.replica_enabled, on_now);
  }
}

TEST_P(ReplicationConformance, ASemiSyncReplicaCountsFromItsReceiversNextStartOn) {
  if (!state(0).semi_sync.available) return;
  EXPECT_EQ(state(0).semi_sync.wanted_replicas, 1U);
  follow(1, 0);
  expect_ok(on(1).set_semi_sync(SemiSyncRole::kReplica, Switch::kOn, soon()));
  world_->write(0, 1);
  expect_ok(wait(1, position(0), soon()));
  EXPECT_EQ(state(0).semi_sync.replicas, 0U) << "its receiver goes on as it began";
  expect_ok(on(1).stop_receiver(soon()));
  expect_ok(on(1).start_replica(soon()));
  EXPECT_TRUE(eventually([&] { return state(0).semi_sync.replicas == 1; }));
  EXPECT_FALSE(state(0).semi_sync.source_enabled);
  expect_ok(on(1).set_semi_sync(SemiSyncRole::kReplica, Switch::kOff, soon()));
}

TEST_P(ReplicationConformance, NothingIsMissingForAnAdministrator) {
  const auto missing = on(0).missing_privileges(soon());
  ASSERT_TRUE(missing.ok()) << missing.error().message;
  EXPECT_THAT(missing.value(), testing::IsEmpty());
}

TEST_P(ReplicationConformance, PassedDeadlineEndsTheSession) {
  EXPECT_EQ(on(0).state(within(Milliseconds{-1})).error().code, Code::kTimeout);
  EXPECT_EQ(on(0).state(soon()).error().code, Code::kUnreachable);
  EXPECT_EQ(on(0).stop_replica(soon()).error().code, Code::kUnreachable);
}

// In a program that instantiates the suite: one world each, under a name.
inline std::string replication_world_name(
    const testing::TestParamInfo<ReplicationConformance::ParamType>& info) {
  return info.param.first;
}

}  // namespace mha
