// Fake MySQL servers with state: what sessions do to one is seen by all sessions of it.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_flow.h"
#include "fakes/fake_mysql_state.h"
#include "fakes/fake_replication.h"
#include "fakes/fake_session.h"
#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

// A session. Records "mysql NAME CALL ..." in the fault plan, for instance
//   mysql db1:3306 connect app              mysql db1:3306 threads
//   mysql db1:3306 read_only_state          mysql db1:3306 kill 101,102
//   mysql db1:3306 set_read_only ON         mysql db1:3306 write_blockers
//   mysql db1:3306 set_read_only ON super_read_only=ON
//   mysql db1:3306 lock_holders
// and those of its replication, which fake_replication.h lists.
class FakeMysqlServer : public MysqlServer {
 public:
  // As FakeSession.
  FakeMysqlServer(FakeMysqlState& state, const std::string& name, const std::string& user,
                  FaultPlan& faults, Clock* clock, std::function<void()> flow)
      : state_(state), session_(state, name, user, faults, clock, std::move(flow)) {}

  [[nodiscard]] const ServerIdentity& identity() const override { return session_.identity(); }
  [[nodiscard]] const std::string& name() const override { return session_.name(); }

  Result<ReadOnlyState> read_only_state(Deadline deadline) override {
    return session_.call("read_only_state", deadline,
                         [this]() -> Result<ReadOnlyState> { return state_.read_only; });
  }

  Status set_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait,
                       Deadline deadline) override {
    std::string text = fmt::format("set_read_only {}", to_string(wanted.read_only));
    if (wanted.super_read_only.has_value()) {
      text += fmt::format(" super_read_only={}", *wanted.super_read_only ? "ON" : "OFF");
    }
    return session_.call(text, deadline,
                         [&] { return change_read_only(wanted, lock_wait, deadline); });
  }

  Result<std::vector<ServerThread>> threads(Deadline deadline) override {
    return session_.call("threads", deadline, [this]() -> Result<std::vector<ServerThread>> {
      std::vector<ServerThread> all = state_.threads;
      for (const auto& [id, session] : state_.sessions) {
        if (id != own_id()) all.push_back(session);
      }
      return all;
    });
  }

  Result<std::vector<KillOutcome>> kill(const std::vector<std::uint64_t>& thread_ids,
                                        Deadline deadline) override {
    return session_.call(fmt::format("kill {}", fmt::join(thread_ids, ",")), deadline,
                         [&]() -> Result<std::vector<KillOutcome>> {
                           std::vector<KillOutcome> outcomes;
                           for (const std::uint64_t id : thread_ids)
                             outcomes.push_back(kill_one(id));
                           return outcomes;
                         });
  }

  Status end_sessions_of(const std::string& user, Deadline deadline) override {
    return session_.call(fmt::format("end_sessions_of {}", user), deadline, [&]() -> Status {
      if (identity().family != ServerFamily::kMariadb) {
        return Error{Code::kRefused, "MySQL has no KILL USER"};
      }
      std::vector<std::uint64_t> ids;
      for (const ServerThread& thread : state_.threads) {
        const bool stays = state_.not_by_user.contains(thread.id);
        if (thread.user == user && !stays) ids.push_back(thread.id);
      }
      for (const std::uint64_t id : ids) kill_one(id);
      return {};
    });
  }

  Result<std::vector<WriteBlocker>> write_blockers(Deadline deadline) override {
    return session_.call("write_blockers", deadline,
                         [this]() -> Result<std::vector<WriteBlocker>> { return state_.blockers; });
  }

  Result<std::vector<std::string>> users_exempt_from_read_only(Deadline deadline) override {
    return session_.call(
        "users_exempt_from_read_only", deadline,
        [this]() -> Result<std::vector<std::string>> { return state_.exempt_users; });
  }

  Result<std::optional<ReplicaThreads>> replica_threads(Deadline deadline) override {
    return session_.call(
        "replica_threads", deadline,
        [this]() -> Result<std::optional<ReplicaThreads>> { return state_.replica; });
  }

  Status ensure_replica_threads(ReplicaThreads wanted, Deadline deadline) override {
    return session_.call("ensure_replica_threads", deadline, [&]() -> Status {
      if (!state_.replica.has_value()) {
        return Error{Code::kRefused, fmt::format("{} replicates from nobody any more", name())};
      }
      state_.replica->receiver |= wanted.receiver;
      state_.replica->applier |= wanted.applier;
      return {};
    });
  }

  Result<std::vector<std::uint64_t>> lock_holders(const std::vector<std::string>& lock_names,
                                                  Deadline deadline) override {
    return session_.call("lock_holders", deadline, [&]() -> Result<std::vector<std::uint64_t>> {
      std::set<std::uint64_t> holders;
      for (const std::string& lock_name : lock_names) {
        const auto entry = state_.locks.find(lock_name);
        if (entry != state_.locks.end()) holders.insert(entry->second);
      }
      return std::vector<std::uint64_t>(holders.begin(), holders.end());
    });
  }

  Status take_lock(const std::string& lock_name, Deadline deadline) override {
    return session_.call("take_lock " + lock_name, deadline, [&]() -> Status {
      const auto [entry, added] = state_.locks.try_emplace(lock_name, own_id());
      if (added || entry->second == own_id()) return {};
      return Error{Code::kRefused,
                   fmt::format("another session holds the lock {} on {}", lock_name, name())};
    });
  }

  [[nodiscard]] Replication& replication() override { return replication_; }

 private:
  [[nodiscard]] std::uint64_t own_id() const { return identity().connection_id; }

  // As the servers do: read_only=0 clears super_read_only, super_read_only=1 sets read_only, and
  // only more blocking waits for locks.
  Status change_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait, Deadline deadline) {
    if (!state_.read_only.super_read_only.has_value()) wanted.super_read_only.reset();
    const bool has_no_lock_values = state_.identity.family == ServerFamily::kMariadb &&
                                    state_.identity.version_number >= 120000;
    const bool plain = wanted.read_only == ReadOnly::kOff || wanted.read_only == ReadOnly::kOn;
    if (!plain && !has_no_lock_values) {
      return Error{Code::kRefused, fmt::format("{} does not know read_only={}", name(),
                                               to_string(wanted.read_only))};
    }
    ReadOnlyState next = wanted;
    if (!next.super_read_only.has_value()) next.super_read_only = state_.read_only.super_read_only;
    if (next.read_only == ReadOnly::kOff && next.super_read_only.has_value()) {
      next.super_read_only = false;
    }
    if (next == state_.read_only) return {};
    const bool waits_for_locks =
        (next.blocks_writes() && !state_.read_only.blocks_writes()) ||
        (next.super_read_only == true && state_.read_only.super_read_only == false);
    if (waits_for_locks && !state_.blockers.empty()) {
      Clock* const clock = session_.clock();
      const std::chrono::seconds wait = std::max(lock_wait, std::chrono::seconds{1});
      if (clock != nullptr && clock->remaining(deadline) < wait) {
        return session_.timed_out("set_read_only", deadline);
      }
      if (clock != nullptr) clock->sleep_for(wait);
      return Error{Code::kRefused,
                   fmt::format("setting read_only on {}: a lock blocks it (error 1205)", name())};
    }
    state_.read_only = next;
    return {};
  }

  KillOutcome kill_one(std::uint64_t id) {
    if (id == own_id()) {
      return {id, KillResult::kRefused, "this is our own connection"};
    }
    if (state_.sessions.contains(id)) {
      state_.remove_thread(id);
      return {id, KillResult::kKilled, ""};
    }
    const auto found = std::find_if(state_.threads.begin(), state_.threads.end(),
                                    [id](const ServerThread& thread) { return thread.id == id; });
    if (found == state_.threads.end()) return {id, KillResult::kAlreadyGone, ""};
    if (state_.unkillable.contains(id) || found->command == "Daemon") {
      return {id, KillResult::kRefused, fmt::format("You are not owner of thread {}", id)};
    }
    if (state_.undying.contains(id)) {
      found->command = "Killed";
      return {id, KillResult::kKilled, ""};
    }
    ServerThread client = *found;
    const unsigned comebacks = state_.reconnects.contains(id) ? state_.reconnects.at(id) : 0;
    state_.remove_thread(id);
    if (comebacks > 0) {
      client.id = state_.next_id++;
      client.command = "Sleep";
      state_.threads.push_back(client);
      state_.reconnects[client.id] = comebacks - 1;
    }
    return {id, KillResult::kKilled, ""};
  }

  FakeMysqlState& state_;
  FakeSession session_;
  FakeReplication replication_{session_};
};

// Knows servers by "host:port" as MysqlTarget::name() writes it; any other target is unreachable.
// Outlives its sessions, as do the fault plan and the clock.
class FakeMysqlConnector : public MysqlConnector {
 public:
  explicit FakeMysqlConnector(FaultPlan& faults, Clock* clock = nullptr)
      : faults_(faults), clock_(clock) {}

  // Adds a server, with a server_id of its own, or gives the one that is there. Not while sessions
  // are being used in other threads.
  FakeMysqlState& server(const std::string& name) {
    const auto [entry, added] = servers_.try_emplace(name);
    if (added) entry->second.identity.server_id = static_cast<std::uint32_t>(servers_.size());
    return entry->second;
  }

  // Lets `replica` replicate from `source`, from the start of its binary log; both run.
  void follow(const std::string& replica, const std::string& source,
              GtidUse gtid_use = GtidUse::kAuto) {
    FakeMysqlState& state = server(replica);
    const std::size_t colon = source.rfind(':');
    NewSource& followed = state.replication.source;
    followed.host = source.substr(0, colon);
    followed.port = static_cast<std::uint16_t>(std::stoi(source.substr(colon + 1)));
    followed.user = "repl";
    followed.password = Secret{"repl-password"};
    followed.gtid_use = gtid_use;
    state.replica = ReplicaThreads{true, true};
    replicate();
  }

  // Lets transactions move as far as they go; each call on a session does the same.
  void replicate() {
    // One at a time: a replica must not ask a copy of its source that is older than itself.
    const std::lock_guard lock{flow_};
    FakeFlow{servers_}.run();
  }

  // All that connect was asked for, in order.
  [[nodiscard]] std::vector<MysqlTarget> targets() const {
    const std::lock_guard lock{mutex_};
    return targets_;
  }

  Result<std::unique_ptr<MysqlServer>> connect(const MysqlTarget& target,
                                               Deadline deadline) override {
    {
      const std::lock_guard lock{mutex_};
      targets_.push_back(target);
    }
    const std::string name = target.name();
    const std::string text = fmt::format("mysql {} connect {}", name, target.user);
    return faults_.around(text, [&]() -> Result<std::unique_ptr<MysqlServer>> {
      const auto entry = servers_.find(name);
      if (entry == servers_.end()) return refused(name);
      FakeMysqlState& state = entry->second;
      std::unique_lock lock{state.mutex};
      if (state.on_call) state.on_call(state, text);
      if (state.connect_error.has_value()) return *state.connect_error;
      if (state.health == FakeHealth::kDown) return refused(name);
      const bool late = clock_ != nullptr && clock_->passed(deadline);
      if (late || state.health == FakeHealth::kSilent) {
        lock.unlock();  // whoever waits for an answer keeps nobody from the server
        if (clock_ != nullptr) clock_->sleep_until(deadline.at());
        return Error{Code::kTimeout, fmt::format("connecting to {}: no answer in time", name)};
      }
      return std::unique_ptr<MysqlServer>(std::make_unique<FakeMysqlServer>(
          state, name, target.user, faults_, clock_, [this] { replicate(); }));
    });
  }

 private:
  static Error refused(const std::string& name) {
    return {Code::kUnreachable, fmt::format("connecting to {}: connection refused", name)};
  }

  FaultPlan& faults_;
  Clock* clock_;
  std::map<std::string, FakeMysqlState> servers_;
  std::mutex flow_;
  mutable std::mutex mutex_;
  std::vector<MysqlTarget> targets_;
};

}  // namespace mha
