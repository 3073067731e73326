// The server's waiting functions in slices, and what to make of their answers.
#include "mysql/replication_waits.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mysql/named_row.h"
#include "mysql/replica_status.h"
#include "mysql/thread_text.h"

namespace mha {
namespace {

constexpr const char* kDoing = "waiting for its applier";

// The longest time that an applier that stopped goes unnoticed in.
constexpr Milliseconds kSlice{500};
// Where the state is polled.
constexpr Milliseconds kPause{5};
// A receiver that was connected a moment ago may be so again in a moment.
constexpr Milliseconds kReceiverPatience{3'000};
// For an answer to come back before our own deadline, which would end the session.
constexpr Milliseconds kAnswerTime{200};

// Until when the server may wait.
Deadline last_wait(const ReplicationSession& session, Deadline deadline) {
  const Milliseconds left = session.clock.remaining(deadline);
  return Deadline{deadline.at() - std::min(kAnswerTime, left / 3)};
}

Error too_late(const ReplicationSession& session, const std::string& state) {
  return {Code::kTimeout, fmt::format("MySQL on {}: {}: not in time; {}", session.connection.name(),
                                      kDoing, state)};
}

// "bin.000042" has 42; nullopt where the name has no number, or its other part is not `base`.
std::optional<std::uint64_t> file_number(std::string_view file, std::string_view base) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos || file.substr(0, dot) != base) return std::nullopt;
  return number_in<std::uint64_t>(file.substr(dot + 1));
}

bool reached(const BinlogCoordinates& now, const BinlogCoordinates& wanted) {
  const std::string_view base = std::string_view{wanted.file}.substr(0, wanted.file.rfind('.'));
  const auto number_now = file_number(now.file, base);
  const auto number_wanted = file_number(wanted.file, base);
  if (!number_now.has_value() || !number_wanted.has_value()) return now == wanted;
  return std::pair{*number_now, now.position} >= std::pair{*number_wanted, wanted.position};
}

std::string place(const BinlogCoordinates& where) {
  return where.file.empty() ? "nothing" : fmt::format("{}:{}", where.file, where.position);
}

// Of a GTID set "UUID:1-5,UUID:7" or a position "0-1-5,1-1-9": all of its parts.
std::string has_executed_sql(const ReplicationSession& session, std::string_view gtids) {
  std::string condition;
  while (!gtids.empty()) {
    const std::string_view part = gtids.substr(0, gtids.find(','));
    gtids.remove_prefix(std::min(gtids.size(), part.size() + 1));
    if (!condition.empty()) condition += " AND ";
    condition += fmt::format(fmt::runtime(session.replication().has_executed),
                             sql_literal(std::string{part}));
  }
  return fmt::format("SELECT {}", condition);
}

// Of a receiver that is without its source: MySQL's and MariaDB's.
bool is_connecting(const ServerThread& thread) {
  return thread.state.starts_with("Connecting to ") ||
         thread.state.starts_with("Waiting to reconnect ") ||
         thread.state.starts_with("Reconnecting after ");
}

// Whether the applier and its workers, if any, have nothing left to do but what is not complete. A
// worker's states: MySQL's and MariaDB's.
bool is_idle(const ReplicationSession& session, const ReplicaStatus& status, Deadline deadline) {
  if (status.applier_state.find("has read all relay log") == std::string::npos) return false;
  const Result<std::vector<SqlRow>> rows =
      session.connection.rows(std::string{sql::kThreads}, kDoing, deadline);
  if (!rows.ok()) return false;
  const std::vector<ServerThread> threads =
      threads_from_rows(rows.value(), session.identity.connection_id);
  return std::ranges::all_of(threads, [](const ServerThread& thread) {
    return thread.user != "system user" || is_connecting(thread) ||
           thread.state.find("has read all relay log") != std::string::npos ||
           thread.state.starts_with("Waiting for an event from Coordinator") ||
           thread.state.starts_with("Waiting for work from ") || thread.command == "Daemon";
  });
}

// Whether a receiver that gets nothing more ends the wait.
enum class Receiver { kIsNotLookedAt, kIsNeeded };

class Wait {
 public:
  // `function` with what to wait for filled in, but not the seconds; `arrived` says of the replica
  // and, where `question` is not empty, of its answer, whether it is there.
  Wait(const ReplicationSession& session, Receiver receiver, Milliseconds least,
       std::function<std::string(const std::string& seconds)> function, std::string question,
       std::function<bool(const ReplicaStatus& status)> arrived, Deadline deadline)
      : session_(session),
        receiver_(receiver),
        least_(least),
        function_(std::move(function)),
        question_(std::move(question)),
        arrived_(std::move(arrived)),
        deadline_(deadline),
        last_wait_(last_wait(session, deadline)) {}

  Status run() {
    std::string state = "nothing was asked";
    while (true) {
      const Milliseconds left = session_.clock.remaining(last_wait_);
      if (left <= Milliseconds{0}) return too_late(session_, state);
      Result<bool> there = wait(left);
      if (!there.ok()) return there.status();
      if (there.value()) return {};
      Result<std::optional<std::string>> lack = look();
      if (!lack.ok()) return lack.status();
      if (!lack.value().has_value()) return {};
      state = *lack.value();
    }
  }

 private:
  // In the server. Whether it says that the place is reached.
  Result<bool> wait(Milliseconds left) {
    std::string sql;
    if (left >= least_) {
      const Milliseconds slice = std::max(least_, std::min(left, kSlice));
      sql = fmt::format("SELECT {}", function_(seconds(slice)));
    } else {
      sql = fmt::format("SELECT 0 * SLEEP({})", seconds(std::min(left, kPause)));
    }
    Result<std::vector<SqlRow>> rows = session_.connection.rows(sql, kDoing, deadline_);
    if (!rows.ok()) return rows.error();
    return !rows.value().empty() && rows.value().front().front() == "1";
  }

  // nullopt where it is there; else where it is instead. kRefused where it will never be.
  Result<std::optional<std::string>> look() {
    std::vector<std::string_view> statements{session_.replication().replica_status};
    if (!question_.empty()) statements.push_back(question_);
    Result<std::vector<StatementResult>> results = session_.ask(statements, kDoing, deadline_);
    if (!results.ok()) return results.error();
    const ReplicaStatus status =
        parse_replica_status(results.value().front(), session_.replication());
    const bool answered = !question_.empty() && results.value().back().rows.front().front() == "1";
    if (answered || arrived_(status)) return std::optional<std::string>{};
    if (!status.replica.has_value()) {
      return session_.refused(kDoing, "it replicates from nobody");
    }
    const ReplicaState& replica = *status.replica;
    if (!replica.applier_running) {
      const std::string why = replica.applier_error.number == 0
                                  ? "somebody has stopped it"
                                  : fmt::format("{} (error {})", replica.applier_error.text,
                                                replica.applier_error.number);
      return session_.refused(
          kDoing, fmt::format("the applier does not run, at {}: {}", place(replica.executed), why));
    }
    if (receiver_ == Receiver::kIsNeeded && nothing_comes(status)) {
      return session_.refused(kDoing, why_nothing_comes(replica));
    }
    return std::optional{
        fmt::format("it is at {} of its source's binary log, has received up to {}",
                    place(replica.executed), place(replica.received))};
  }

  // Its receiver has been without a source for long enough, and the applier has nothing left to do.
  bool nothing_comes(const ReplicaStatus& status) {
    const ReplicaState& replica = *status.replica;
    const bool is_lost =
        replica.receiver == ReceiverState::kStopped ||
        (replica.receiver == ReceiverState::kConnecting && replica.receiver_error.number != 0);
    if (!is_lost || !is_idle(session_, status, deadline_)) {
      lost_since_.reset();
      return false;
    }
    const TimePoint now = session_.clock.now();
    if (!lost_since_.has_value()) lost_since_ = now;
    return now - *lost_since_ >= kReceiverPatience;
  }

  static std::string why_nothing_comes(const ReplicaState& replica) {
    const std::string_view how = replica.receiver == ReceiverState::kStopped
                                     ? "its receiver has stopped"
                                     : "its receiver cannot connect";
    const std::string why = replica.receiver_error.number == 0
                                ? "the server does not say why"
                                : fmt::format("{} (error {})", replica.receiver_error.text,
                                              replica.receiver_error.number);
    return fmt::format("{}, with {} received and applied, and more to come: {}", how,
                       place(replica.executed), why);
  }

  static std::string seconds(Milliseconds span) {
    return span.count() % 1000 == 0
               ? fmt::format("{}", span.count() / 1000)
               : fmt::format("{:.3f}", static_cast<double>(span.count()) / 1e3);
  }

  const ReplicationSession& session_;
  Receiver receiver_;
  Milliseconds least_;
  std::function<std::string(const std::string&)> function_;
  std::string question_;
  std::function<bool(const ReplicaStatus&)> arrived_;
  Deadline deadline_;
  Deadline last_wait_;
  std::optional<TimePoint> lost_since_;
};

Status wait_for_gtids(const ReplicationSession& session, const std::string& gtids,
                      Receiver receiver, Deadline deadline) {
  if (gtids.empty()) return {};
  const WaitFunction& function = session.replication().wait_for_gtids;
  const auto condition = [&](const std::string& seconds) {
    return fmt::format(fmt::runtime(function.condition), sql_literal(gtids), seconds);
  };
  const auto unknown = [](const ReplicaStatus&) { return false; };
  return Wait{session, receiver, function.least, condition, has_executed_sql(session, gtids),
              unknown, deadline}
      .run();
}

Status wait_for_place(const ReplicationSession& session, const BinlogCoordinates& wanted,
                      std::function<bool(const ReplicaStatus&)> arrived, Deadline deadline) {
  const WaitFunction& function = session.replication().wait_for_place;
  const auto condition = [&](const std::string& seconds) {
    return fmt::format(fmt::runtime(function.condition), sql_literal(wanted.file), wanted.position,
                       seconds);
  };
  return Wait{session, Receiver::kIsNotLookedAt, function.least, condition,
              "",      std::move(arrived),       deadline}
      .run();
}

}  // namespace

Status wait_until_applied(const ReplicationSession& session, const SourcePosition& position,
                          GtidUse gtid_use, Deadline deadline) {
  if (gtid_use != GtidUse::kNone) {
    return wait_for_gtids(session, position.gtids, Receiver::kIsNotLookedAt, deadline);
  }
  if (position.binlog.file.empty()) {
    return session.refused(kDoing,
                           "its source has no binary log, so there is no place to wait for");
  }
  const auto arrived = [&](const ReplicaStatus& status) {
    return status.replica.has_value() && reached(status.replica->executed, position.binlog);
  };
  return wait_for_place(session, position.binlog, arrived, deadline);
}

Status wait_until_replicated(const ReplicationSession& session, const std::string& gtids,
                             Deadline deadline) {
  return wait_for_gtids(session, gtids, Receiver::kIsNeeded, deadline);
}

Status wait_until_relay_log_applied(const ReplicationSession& session, Deadline deadline) {
  const Result<ReplicaStatus> status =
      read_replica_status(session.connection, session.replication(), kDoing, deadline);
  if (!status.ok()) return status.error();
  const std::optional<ReplicaState>& replica = status.value().replica;
  if (!replica.has_value()) return session.refused(kDoing, "it replicates from nobody");
  if (replica->receiver != ReceiverState::kStopped) {
    return session.refused(kDoing, "its receiver runs, so that its relay log has no end");
  }
  const BinlogCoordinates wanted = replica->received;
  if (wanted.file.empty() || reached(replica->executed, wanted)) return {};
  // Idle twice at the same place, with a wait in between: the rest is the begin of an event group.
  std::optional<BinlogCoordinates> idle_at;
  const auto arrived = [&](const ReplicaStatus& now) {
    if (!now.replica.has_value()) return false;
    const BinlogCoordinates executed = now.replica->executed;
    if (reached(executed, wanted)) return true;
    const bool idle = now.replica->applier_running && is_idle(session, now, deadline);
    const bool still = idle && idle_at == executed;
    idle_at = idle ? std::optional{executed} : std::nullopt;
    return still;
  };
  return wait_for_place(session, wanted, arrived, deadline);
}

}  // namespace mha
