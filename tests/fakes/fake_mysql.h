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

#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

enum class FakeHealth {
  kUp,
  kSilent,  // accepts, and answers nothing: each call costs its deadline (where there is a clock)
  kDown,    // refuses connections; open sessions are broken
};

// What one fake server is and holds. Tests read and write the members between calls; sessions go
// through the locked functions.
struct FakeMysqlState {
  ServerIdentity identity{ServerFamily::kMysql, "8.0.36", 80036, 0, 1};
  FakeHealth health = FakeHealth::kUp;
  std::optional<Error> connect_error;  // what connect answers instead, while set

  // nullopt in super_read_only: the server has no such variable (as MariaDB).
  ReadOnlyState read_only{ReadOnly::kOff, false};
  // Clients and the server's own threads. Our own sessions are not among them: they are added when
  // another session lists.
  std::vector<ServerThread> threads;
  // How often the client behind a thread comes back, under a new id, when it is killed.
  std::map<std::uint64_t, unsigned> reconnects;
  // Threads that KILL answers with error 1094 for.
  std::set<std::uint64_t> unkillable;
  // While there is any, writes cannot be blocked; killing a blocker's thread ends it.
  std::vector<WriteBlocker> blockers;
  std::vector<std::string> exempt_users;       // whom read_only does not bind
  std::optional<ReplicaThreads> replica;       // nullopt: no replica
  std::map<std::string, std::uint64_t> locks;  // name of a GET_LOCK to the thread that holds it

  // Runs at the start of each call that reaches the server (text as in FaultPlan): the world moves
  // on between calls.
  std::function<void(FakeMysqlState&, const std::string& call)> on_call;

  // Adds a client; gives its id.
  std::uint64_t add_thread(const std::string& user, const std::string& command = "Sleep",
                           const std::string& host = "10.0.0.9:40000") {
    const std::uint64_t id = next_id++;
    threads.push_back({id, user, host, command, 0, "", ""});
    return id;
  }

  // Ends a thread as if its client had left.
  void remove_thread(std::uint64_t id) {
    std::erase_if(threads, [id](const ServerThread& thread) { return thread.id == id; });
    std::erase_if(blockers, [id](const WriteBlocker& blocker) { return blocker.thread_id == id; });
    std::erase_if(locks, [id](const auto& entry) { return entry.second == id; });
    reconnects.erase(id);
    sessions.erase(id);
  }

  std::uint64_t next_id = 100;
  std::map<std::uint64_t, ServerThread> sessions;  // ours that are open
  std::recursive_mutex mutex;
};

// MariaDB: no super_read_only.
inline void make_mariadb(FakeMysqlState& state) {
  state.identity = {ServerFamily::kMariadb, "10.11.14-MariaDB", 101114, 0,
                    state.identity.server_id};
  state.read_only.super_read_only.reset();
}

// A session. Records "mysql NAME CALL ..." in the fault plan, for instance
//   mysql db1:3306 connect app              mysql db1:3306 threads
//   mysql db1:3306 read_only_state          mysql db1:3306 kill 101,102
//   mysql db1:3306 set_read_only ON         mysql db1:3306 write_blockers
//   mysql db1:3306 set_read_only ON super_read_only=ON
//   mysql db1:3306 lock_holders
// A call on a dead session is neither counted nor recorded: it reaches no server.
class FakeMysqlServer : public MysqlServer {
 public:
  // `clock` may be null: then no call takes time, and deadlines are not looked at.
  FakeMysqlServer(FakeMysqlState& state, std::string name, const std::string& user,
                  FaultPlan& faults, Clock* clock)
      : state_(state), name_(std::move(name)), faults_(faults), clock_(clock) {
    const std::lock_guard lock{state_.mutex};
    identity_ = state_.identity;
    identity_.connection_id = state_.next_id++;
    state_.sessions[identity_.connection_id] = {
        identity_.connection_id, user, "10.0.0.1:50000", "Sleep", 0, "", ""};
  }
  ~FakeMysqlServer() override {
    const std::lock_guard lock{state_.mutex};
    state_.remove_thread(identity_.connection_id);
  }
  FakeMysqlServer(const FakeMysqlServer&) = delete;
  FakeMysqlServer& operator=(const FakeMysqlServer&) = delete;

  [[nodiscard]] const ServerIdentity& identity() const override { return identity_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  Result<ReadOnlyState> read_only_state(Deadline deadline) override {
    return call("read_only_state", deadline,
                [this]() -> Result<ReadOnlyState> { return state_.read_only; });
  }

  Status set_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait,
                       Deadline deadline) override {
    std::string text = fmt::format("set_read_only {}", to_string(wanted.read_only));
    if (wanted.super_read_only.has_value()) {
      text += fmt::format(" super_read_only={}", *wanted.super_read_only ? "ON" : "OFF");
    }
    return call(text, deadline, [&] { return change_read_only(wanted, lock_wait, deadline); });
  }

  Result<std::vector<ServerThread>> threads(Deadline deadline) override {
    return call("threads", deadline, [this]() -> Result<std::vector<ServerThread>> {
      std::vector<ServerThread> all = state_.threads;
      for (const auto& [id, session] : state_.sessions) {
        if (id != identity_.connection_id) all.push_back(session);
      }
      return all;
    });
  }

  Result<std::vector<KillOutcome>> kill(const std::vector<std::uint64_t>& thread_ids,
                                        Deadline deadline) override {
    return call(fmt::format("kill {}", fmt::join(thread_ids, ",")), deadline,
                [&]() -> Result<std::vector<KillOutcome>> {
                  std::vector<KillOutcome> outcomes;
                  for (const std::uint64_t id : thread_ids) outcomes.push_back(kill_one(id));
                  return outcomes;
                });
  }

  Result<std::vector<WriteBlocker>> write_blockers(Deadline deadline) override {
    return call("write_blockers", deadline,
                [this]() -> Result<std::vector<WriteBlocker>> { return state_.blockers; });
  }

  Result<std::vector<std::string>> users_exempt_from_read_only(Deadline deadline) override {
    return call("users_exempt_from_read_only", deadline,
                [this]() -> Result<std::vector<std::string>> { return state_.exempt_users; });
  }

  Result<std::optional<ReplicaThreads>> replica_threads(Deadline deadline) override {
    return call("replica_threads", deadline,
                [this]() -> Result<std::optional<ReplicaThreads>> { return state_.replica; });
  }

  Status ensure_replica_threads(ReplicaThreads wanted, Deadline deadline) override {
    return call("ensure_replica_threads", deadline, [&]() -> Status {
      if (!state_.replica.has_value()) {
        return Error{Code::kRefused, fmt::format("{} replicates from nobody any more", name_)};
      }
      state_.replica->receiver |= wanted.receiver;
      state_.replica->applier |= wanted.applier;
      return {};
    });
  }

  Result<std::vector<std::uint64_t>> lock_holders(const std::vector<std::string>& lock_names,
                                                  Deadline deadline) override {
    return call("lock_holders", deadline, [&]() -> Result<std::vector<std::uint64_t>> {
      std::set<std::uint64_t> holders;
      for (const std::string& lock_name : lock_names) {
        const auto entry = state_.locks.find(lock_name);
        if (entry != state_.locks.end()) holders.insert(entry->second);
      }
      return std::vector<std::uint64_t>(holders.begin(), holders.end());
    });
  }

 private:
  Error broken() const {
    return {Code::kUnreachable, fmt::format("the connection to {} is lost", name_)};
  }

  Error timed_out(const std::string& what, Deadline deadline) {
    if (clock_ != nullptr) clock_->sleep_until(deadline.at());
    return {Code::kTimeout, fmt::format("{} on {}: no answer in time", what, name_)};
  }

  // One call: the session alive, the fault plan, the server alive, the effect. kTimeout and
  // kUnreachable end the session.
  template <typename Effect>
  auto call(const std::string& what, Deadline deadline, Effect effect) -> decltype(effect()) {
    using Answer = decltype(effect());
    if (dead_) return broken();
    const std::string text = fmt::format("mysql {} {}", name_, what);
    Answer outcome = faults_.around(text, [&]() -> Answer {
      const std::lock_guard lock{state_.mutex};
      if (state_.on_call) state_.on_call(state_, text);
      const bool killed = !state_.sessions.contains(identity_.connection_id);
      if (killed || state_.health == FakeHealth::kDown) return broken();
      const bool late = clock_ != nullptr && clock_->passed(deadline);
      if (late || state_.health == FakeHealth::kSilent) return timed_out(what, deadline);
      return effect();
    });
    if (!outcome.ok()) {
      const Code code = outcome.error().code;
      dead_ = code == Code::kTimeout || code == Code::kUnreachable;
    }
    return outcome;
  }

  // As the servers do: read_only=0 clears super_read_only, super_read_only=1 sets read_only, and
  // only more blocking waits for locks.
  Status change_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait, Deadline deadline) {
    if (!state_.read_only.super_read_only.has_value()) wanted.super_read_only.reset();
    const bool has_no_lock_values = state_.identity.family == ServerFamily::kMariadb &&
                                    state_.identity.version_number >= 120000;
    const bool plain = wanted.read_only == ReadOnly::kOff || wanted.read_only == ReadOnly::kOn;
    if (!plain && !has_no_lock_values) {
      return Error{Code::kRefused, fmt::format("{} does not know read_only={}", name_,
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
      const std::chrono::seconds wait = std::max(lock_wait, std::chrono::seconds{1});
      if (clock_ != nullptr && clock_->remaining(deadline) < wait) {
        return timed_out("set_read_only", deadline);
      }
      if (clock_ != nullptr) clock_->sleep_for(wait);
      return Error{Code::kRefused,
                   fmt::format("setting read_only on {}: a lock blocks it (error 1205)", name_)};
    }
    state_.read_only = next;
    return {};
  }

  KillOutcome kill_one(std::uint64_t id) {
    if (id == identity_.connection_id) {
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
  std::string name_;
  FaultPlan& faults_;
  Clock* clock_;
  ServerIdentity identity_;
  bool dead_ = false;
};

// Knows servers by "host:port" as MysqlTarget::name() writes it; any other target is unreachable.
// Outlives its sessions, as do the fault plan and the clock.
class FakeMysqlConnector : public MysqlConnector {
 public:
  explicit FakeMysqlConnector(FaultPlan& faults, Clock* clock = nullptr)
      : faults_(faults), clock_(clock) {}

  // Adds a server, or gives the one that is there.
  FakeMysqlState& server(const std::string& name) { return servers_[name]; }

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
      const std::lock_guard lock{state.mutex};
      if (state.on_call) state.on_call(state, text);
      if (state.connect_error.has_value()) return *state.connect_error;
      if (state.health == FakeHealth::kDown) return refused(name);
      const bool late = clock_ != nullptr && clock_->passed(deadline);
      if (late || state.health == FakeHealth::kSilent) {
        if (clock_ != nullptr) clock_->sleep_until(deadline.at());
        return Error{Code::kTimeout, fmt::format("connecting to {}: no answer in time", name)};
      }
      return std::unique_ptr<MysqlServer>(
          std::make_unique<FakeMysqlServer>(state, name, target.user, faults_, clock_));
    });
  }

 private:
  static Error refused(const std::string& name) {
    return {Code::kUnreachable, fmt::format("connecting to {}: connection refused", name)};
  }

  FaultPlan& faults_;
  Clock* clock_;
  std::map<std::string, FakeMysqlState> servers_;
  mutable std::mutex mutex_;
  std::vector<MysqlTarget> targets_;
};

}  // namespace mha
