// Sessions that speak SQL for the port's calls.
#include "mysql/libmysql_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mysql/connection.h"
#include "mysql/errors.h"
#include "mysql/kill.h"
#include "mysql/replica_threads.h"
#include "mysql/replication.h"
#include "mysql/statements.h"
#include "mysql/thread_text.h"
#include "mysql/write_blockers.h"

namespace mha {
namespace {

template <typename Number>
Number number(const std::optional<std::string>& text) {
  Number value = 0;
  if (text.has_value()) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

// "read_only is ON, super_read_only is OFF"; the latter only where there is one.
std::string to_text(const ReadOnlyState& state) {
  std::string text = fmt::format("read_only is {}", to_string(state.read_only));
  if (state.super_read_only.has_value()) {
    text += fmt::format(", super_read_only is {}", *state.super_read_only ? "ON" : "OFF");
  }
  return text;
}

// What the server will hold once `wanted` is set on it.
ReadOnlyState reachable(const ReadOnlyState& wanted, const ReadOnlyState& current) {
  ReadOnlyState goal = wanted;
  if (!goal.blocks_writes()) goal.super_read_only = false;
  if (!goal.super_read_only.has_value()) goal.super_read_only = current.super_read_only;
  if (!current.super_read_only.has_value()) goal.super_read_only.reset();
  return goal;
}

class LibmysqlServer : public MysqlServer {
 public:
  LibmysqlServer(std::unique_ptr<Connection> connection, const Clock& clock)
      : connection_(std::move(connection)), clock_(clock) {}

  // The part of connecting that needs SQL.
  Status introduce(Deadline deadline) {
    const std::string sql = fmt::format("{};{}", sql::kIdentity, sql::kHasSuperReadOnly);
    Result<std::vector<StatementResult>> results =
        connection_->run(sql, "asking who it is", deadline);
    if (!results.ok()) return results.error();
    for (const StatementResult& result : results.value()) {
      if (result.error.has_value()) return connection_->refusal(*result.error, "asking who it is");
    }
    const std::vector<SqlRow>& rows = results.value().front().rows;
    if (rows.size() != 1 || rows.front().size() != 5) {
      return Error{Code::kInternal,
                   fmt::format("MySQL on {}: asking who it is: no such answer expected", name())};
    }
    const SqlRow& row = rows.front();
    identity_.version = row[0].value_or("");
    identity_.family = family_of(identity_.version, row[1].value_or(""));
    identity_.version_number = version_number_of(identity_.version);
    identity_.connection_id = number<std::uint64_t>(row[2]);
    identity_.server_id = number<std::uint32_t>(row[3]);
    max_allowed_packet_ = number<std::size_t>(row[4]);
    has_super_read_only_ = !results.value().back().rows.empty();
    replication_ = make_replication(*connection_, identity_, clock_, max_allowed_packet_);
    return connection_
        ->rows(std::string{statements_for(identity_).session_settings}, "setting up the session",
               deadline)
        .status();
  }

  [[nodiscard]] const ServerIdentity& identity() const override { return identity_; }
  [[nodiscard]] const std::string& name() const override { return connection_->name(); }

  Result<ReadOnlyState> read_only_state(Deadline deadline) override {
    const std::string doing = "reading read_only";
    Result<std::vector<SqlRow>> rows = connection_->rows(read_only_sql(), doing, deadline);
    if (!rows.ok()) return rows.error();
    return parse_read_only(rows.value());
  }

  Status set_read_only(ReadOnlyState wanted, std::chrono::seconds lock_wait,
                       Deadline deadline) override {
    // What to say depends on what is there only for super_read_only; clients may be waiting, and to
    // set what is so already does nothing, without waiting for a lock.
    ReadOnlyState before{ReadOnly::kOff, std::nullopt};
    if (has_super_read_only_) {
      const Result<ReadOnlyState> found = read_only_state(deadline);
      if (!found.ok()) return found.error();
      before = found.value();
    }
    const ReadOnlyState goal = reachable(wanted, before);
    if (!goal.blocks_writes()) return give_writes_back(before, goal, lock_wait, deadline);
    if (has_super_read_only_ && before == goal) return {};
    return take_writes(before, goal, lock_wait, deadline);
  }

  Result<std::vector<ServerThread>> threads(Deadline deadline) override {
    Result<std::vector<SqlRow>> rows =
        connection_->rows(std::string{sql::kThreads}, "listing connections", deadline);
    if (!rows.ok()) return rows.error();
    return threads_from_rows(rows.value(), identity_.connection_id);
  }

  Result<std::vector<KillOutcome>> kill(const std::vector<std::uint64_t>& thread_ids,
                                        Deadline deadline) override {
    return kill_threads(*connection_, identity_.connection_id, thread_ids, text_limit(), deadline);
  }

  Status end_sessions_of(const std::string& user, Deadline deadline) override {
    return kill_sessions_of(*connection_, identity_.family, user, deadline);
  }

  Result<std::vector<WriteBlocker>> write_blockers(Deadline deadline) override {
    return find_write_blockers(*connection_, identity_, waited_, deadline);
  }

  Result<std::vector<std::uint64_t>> lock_holders(const std::vector<std::string>& lock_names,
                                                  Deadline deadline) override {
    if (lock_names.empty()) return std::vector<std::uint64_t>{};
    std::string sql = "SELECT ";
    for (const std::string& lock_name : lock_names) {
      sql +=
          fmt::format("{}IS_USED_LOCK({})", sql.ends_with(' ') ? "" : ",", sql_literal(lock_name));
    }
    Result<std::vector<SqlRow>> rows =
        connection_->rows(sql, "asking who holds MHA's locks", deadline);
    if (!rows.ok()) return rows.error();
    std::set<std::uint64_t> holders;
    for (const SqlRow& row : rows.value()) {
      for (const std::optional<std::string>& holder : row) {
        if (holder.has_value()) holders.insert(number<std::uint64_t>(holder));
      }
    }
    return std::vector<std::uint64_t>(holders.begin(), holders.end());
  }

  Status take_lock(const std::string& lock_name, Deadline deadline) override {
    Result<std::vector<SqlRow>> rows =
        connection_->rows(fmt::format("SELECT GET_LOCK({},0)", sql_literal(lock_name)),
                          "taking the lock " + lock_name, deadline);
    if (!rows.ok()) return rows.error();
    const bool taken =
        !rows.value().empty() && !rows.value()[0].empty() && rows.value()[0][0] == "1";
    if (taken) return {};
    return Error{Code::kRefused, fmt::format("another session holds the lock {} on MySQL on {}",
                                             lock_name, name())};
  }

  Result<std::vector<std::string>> users_exempt_from_read_only(Deadline deadline) override {
    Result<std::vector<SqlRow>> rows = connection_->rows(
        std::string{sql::kExemptGrantees}, "asking who is exempt from read_only", deadline);
    if (!rows.ok()) return rows.error();
    std::set<std::string> users;
    for (const SqlRow& row : rows.value()) {
      const std::string grantee = row.front().value_or("");
      const std::size_t end = grantee.rfind("'@'");
      if (end != std::string::npos && end > 0) users.insert(grantee.substr(1, end - 1));
    }
    return std::vector<std::string>(users.begin(), users.end());
  }

  Result<std::optional<ReplicaThreads>> replica_threads(Deadline deadline) override {
    return read_replica_threads(*connection_, statements_for(identity_), deadline);
  }

  Status ensure_replica_threads(ReplicaThreads wanted, Deadline deadline) override {
    return start_replica_threads(*connection_, statements_for(identity_), wanted, deadline);
  }

  [[nodiscard]] Replication& replication() override { return *replication_; }

 private:
  [[nodiscard]] std::string read_only_sql() const {
    return std::string{has_super_read_only_ ? sql::kReadOnlyAndSuper : sql::kReadOnly};
  }

  Result<ReadOnlyState> parse_read_only(const std::vector<SqlRow>& rows) const {
    const std::size_t columns = has_super_read_only_ ? 2 : 1;
    const bool readable = rows.size() == 1 && rows.front().size() == columns;
    const std::string text = readable ? rows.front()[0].value_or("NULL") : "";
    const std::optional<ReadOnly> value = read_only_from_string(text);
    if (!value.has_value()) {
      return Error{Code::kInternal,
                   fmt::format("MySQL on {}: read_only is '{}', a value that is not known here",
                               name(), text)};
    }
    ReadOnlyState state{*value, std::nullopt};
    if (has_super_read_only_) state.super_read_only = rows.front()[1] == "1";
    return state;
  }

  struct Answer {
    ReadOnlyState now;
    std::vector<SqlRow> listed;  // by what was said between
  };

  // Sets and reads back; `list` is asked between the two, where it is not empty.
  Result<Answer> run_set(const ReadOnlyState& before, const ReadOnlyState& goal,
                         std::string_view list, std::chrono::seconds lock_wait, Deadline deadline) {
    const std::string doing = fmt::format("setting read_only to {}", to_string(goal.read_only));
    const std::chrono::seconds wait = bounded_wait(lock_wait, deadline);
    Result<std::vector<StatementResult>> results =
        connection_->run(fmt::format("SET SESSION lock_wait_timeout={};{};{}{}{}", wait.count(),
                                     set_read_only_sql(before, goal), list, list.empty() ? "" : ";",
                                     read_only_sql()),
                         doing, deadline);
    if (!results.ok()) return results.error();
    const StatementResult& last = results.value().back();
    if (last.error.has_value()) return refused(*last.error, doing, wait, deadline);
    const Result<ReadOnlyState> after = parse_read_only(last.rows);
    if (!after.ok()) return after.error();
    Answer answer{after.value(), {}};
    if (!list.empty()) answer.listed = std::move(results.value()[kListed].rows);
    return answer;
  }

  [[nodiscard]] Error not_kept(const ReadOnlyState& before, const ReadOnlyState& goal,
                               const ReadOnlyState& now) const {
    return Error{
        Code::kRefused,
        fmt::format("MySQL on {}: setting read_only to {}: the server took '{}', and yet {}",
                    name(), to_string(goal.read_only), set_read_only_sql(before, goal),
                    to_text(now))};
  }

  Status take_writes(const ReadOnlyState& before, const ReadOnlyState& goal,
                     std::chrono::seconds lock_wait, Deadline deadline) {
    const Result<Answer> answer = run_set(before, goal, "", lock_wait, deadline);
    if (!answer.ok()) return answer.error();
    if (answer.value().now == goal) return {};
    return not_kept(before, goal, answer.value().now);
  }

  // Also where nothing blocks writes now: a session of ours that was lost may still wait to do it.
  // The list is read before read_only is: what has left it by then shows there. It may have come
  // to its end in the moment after our own statement, so that is said once more.
  Status give_writes_back(ReadOnlyState before, const ReadOnlyState& goal,
                          std::chrono::seconds lock_wait, Deadline deadline) {
    bool said_again = false;
    while (true) {
      const Result<Answer> answer =
          run_set(before, goal, sql::kOwnWaitingForReadOnly, lock_wait, deadline);
      if (!answer.ok()) return answer.error();
      std::vector<std::uint64_t> left_behind;
      for (const SqlRow& row : answer.value().listed) {
        left_behind.push_back(number<std::uint64_t>(row.at(0)));
      }
      const ReadOnlyState now = answer.value().now;
      if (left_behind.empty()) {
        if (now == goal) return {};
        if (std::exchange(said_again, true)) return not_kept(before, goal, now);
        before = now;
        continue;
      }
      if (clock_.passed(deadline)) {
        return Error{Code::kTimeout,
                     fmt::format("MySQL on {}: giving writes back: thread {} of ours still waits "
                                 "to set read_only, although it was killed",
                                 name(), left_behind.front())};
      }
      const Result<std::vector<KillOutcome>> killed = kill(left_behind, deadline);
      if (!killed.ok()) return killed.error();
      const auto paused = connection_->run("DO SLEEP(0.01)", "giving writes back", deadline);
      if (!paused.ok()) return paused.error();
      before = now;
    }
  }

  // The server is to give up before we do: a SET that nobody waits for any more would go on holding
  // up every write.
  [[nodiscard]] std::chrono::seconds bounded_wait(std::chrono::seconds wanted,
                                                  Deadline deadline) const {
    const auto left =
        std::chrono::floor<std::chrono::seconds>(clock_.remaining(deadline) - kAnswerTime);
    return std::max(std::chrono::seconds{1}, std::min(wanted, left));
  }

  Error refused(const MysqlError& error, const std::string& doing, std::chrono::seconds wait,
                Deadline deadline) {
    if (error.number != kLockWaitTimeout) return connection_->refusal(error, doing);
    waited_ = wait;
    Result<ReadOnlyState> now = read_only_state(deadline);
    const std::string state = now.ok() ? to_text(now.value()) : now.error().message;
    return Error{Code::kRefused,
                 fmt::format("MySQL on {}: {}: a running statement or a table lock blocked it for "
                             "{} s (error {}); {}",
                             name(), doing, wait.count(), error.number, state)};
  }

  // Small enough for the server, and for its answers to fit into socket buffers.
  [[nodiscard]] std::size_t text_limit() const {
    constexpr std::size_t kMost = 256 * 1024;
    constexpr std::size_t kHeader = 16;
    return std::min(kMost, max_allowed_packet_ > kHeader ? max_allowed_packet_ - kHeader : 0);
  }

  static constexpr Milliseconds kAnswerTime{200};
  static constexpr std::size_t kListed = 2;  // in run_set()'s answers, where a list is between

  std::unique_ptr<Connection> connection_;
  const Clock& clock_;
  ServerIdentity identity_;
  std::size_t max_allowed_packet_ = 0;
  bool has_super_read_only_ = false;
  std::chrono::seconds waited_{1};            // the last SET of read_only that was blocked
  std::unique_ptr<Replication> replication_;  // once introduced
};

}  // namespace

Result<std::unique_ptr<MysqlServer>> LibmysqlConnector::connect(const MysqlTarget& target,
                                                                Deadline deadline) {
  MysqlTarget where = target;
  where.address = known_address(target);
  Result<std::unique_ptr<Connection>> connection = Connection::open(where, clock_, deadline);
  if (!connection.ok()) return connection.error();
  remember(target, connection.value()->peer());
  auto server = std::make_unique<LibmysqlServer>(std::move(connection).value(), clock_);
  if (Status status = server->introduce(deadline); !status.ok()) return status.error();
  return std::unique_ptr<MysqlServer>{std::move(server)};
}

std::string LibmysqlConnector::known_address(const MysqlTarget& target) {
  if (target.tls_mode == MysqlTlsMode::kVerifyIdentity) return "";
  const std::lock_guard lock{mutex_};
  const auto known = addresses_.find(target.host);
  return known == addresses_.end() ? "" : known->second;
}

void LibmysqlConnector::remember(const MysqlTarget& target, const std::string& address) {
  const std::lock_guard lock{mutex_};
  addresses_.emplace(target.host, address);
}

}  // namespace mha
