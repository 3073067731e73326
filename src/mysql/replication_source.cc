// CHANGE MASTER, START, STOP and RESET, each read back.
#include "mysql/replication_source.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "mysql/replica_status.h"

namespace mha {
namespace {

// A receiver connects in some milliseconds; the pause is the server's, so that a session that is
// killed ends it.
constexpr const char* kPause = "DO SLEEP(0.01)";

// As the grammar of CHANGE MASTER wants one; no expression is allowed there.
std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\0') {
      literal += "\\0";
      continue;
    }
    if (c == '\'' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "'";
}

// "NAME=value" of the family's "MASTER_..." or "SOURCE_...", one after the other.
class Options {
 public:
  explicit Options(std::string_view source_word) : source_word_(source_word) {}

  void add(std::string_view option) {
    if (option.empty()) return;
    if (!text_.empty()) text_ += ", ";
    text_ += option;
  }
  void add(std::string_view name, const std::string& text) {
    add(fmt::format("{}_{}={}", source_word_, name, quoted(text)));
  }
  void add(std::string_view name, std::uint64_t number) {
    add(fmt::format("{}_{}={}", source_word_, name, number));
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string_view source_word_;
  std::string text_;
};

void add_security(Options& options, const ReplicationStatements& statements,
                  const SourceSecurity& security) {
  options.add("SSL", security.tls ? 1 : 0);
  options.add("SSL_VERIFY_SERVER_CERT", security.verify_server ? 1 : 0);
  options.add("SSL_CA", security.ca);
  options.add("SSL_CAPATH", security.ca_path);
  options.add("SSL_CERT", security.certificate);
  options.add("SSL_KEY", security.key);
  options.add("SSL_CIPHER", security.cipher);
  options.add("SSL_CRL", security.crl);
  options.add("SSL_CRLPATH", security.crl_path);
  if (!statements.get_public_key.empty()) {
    options.add(fmt::format("{}={}", statements.get_public_key, security.get_public_key ? 1 : 0));
    options.add(fmt::format("{}={}", statements.public_key_path, quoted(security.public_key_path)));
  }
}

std::string_view gtid_option(const ReplicationStatements& statements, GtidUse use) {
  switch (use) {
    case GtidUse::kNone:
      return statements.by_place;
    case GtidUse::kAuto:
      return statements.by_gtid;
    case GtidUse::kCurrentPos:
      return statements.by_current_pos;
  }
  return statements.by_place;
}

std::string to_text(const ReplicationError& error) {
  return error.number == 0 ? "the server does not say why"
                           : fmt::format("{} (error {})", error.text, error.number);
}

std::string source_name(const std::string& host, std::uint16_t port) {
  MysqlTarget target;
  target.host = host;
  target.port = port;
  return target.name();
}

// The replica's state; kRefused where it is none.
Result<ReplicaState> replica(const ReplicationSession& session, const std::string& doing,
                             Deadline deadline) {
  Result<ReplicaStatus> status =
      read_replica_status(session.connection, session.replication(), doing, deadline);
  if (!status.ok()) return status.error();
  if (!status.value().replica.has_value()) {
    return session.refused(doing, "it replicates from nobody");
  }
  return *std::move(status.value().replica);
}

// An applier ends with its transaction, however large that is; one that takes longer hangs.
constexpr Milliseconds kStopAtMost{300'000};

Result<ReplicaStatus> state_in(const ReplicationSession& session,
                               const Result<std::vector<StatementResult>>& results) {
  if (!results.ok()) return results.error();
  return parse_replica_status(results.value().back(), session.replication());
}

// Executes `statement` and reads the state, in one round trip.
Result<ReplicaStatus> execute_and_look(const ReplicationSession& session,
                                       std::string_view statement, const std::string& doing,
                                       Deadline deadline) {
  return state_in(session,
                  session.ask({statement, session.replication().replica_status}, doing, deadline));
}

// The same for one that stops threads.
Result<ReplicaStatus> stop_and_look(const ReplicationSession& session, std::string_view statement,
                                    const std::string& doing, Deadline deadline) {
  const Deadline at_most = session.clock.deadline_after(kStopAtMost).capped(deadline);
  return state_in(
      session, session.ask_long({statement, session.replication().replica_status}, doing, at_most));
}

bool has(const NewSource& wanted, const ReplicaState& now) {
  const bool user = wanted.user.empty() || now.source_user == wanted.user;
  return now.source_host == wanted.host && now.source_port == wanted.port && user &&
         now.gtid_use == wanted.gtid_use && now.receiver == ReceiverState::kStopped &&
         !now.applier_running;
}

}  // namespace

Result<Secret> change_source_sql(const ReplicationStatements& statements, const NewSource& source) {
  const std::string_view by = gtid_option(statements, source.gtid_use);
  if (by.empty()) {
    return Error{Code::kInternal, "this family of servers has no Using_Gtid=Current_Pos"};
  }
  Options options{statements.source_word};
  options.add("HOST", source.host);
  options.add("PORT", source.port);
  if (!source.user.empty()) {
    options.add("USER", source.user);
    options.add("PASSWORD", source.password.reveal());
  }
  options.add("CONNECT_RETRY", source.connect_retry);
  options.add(by);
  if (source.gtid_use == GtidUse::kNone && !source.start.file.empty()) {
    options.add("LOG_FILE", source.start.file);
    options.add("LOG_POS", source.start.position);
  }
  add_security(options, statements, source.security);
  return Secret{fmt::format(fmt::runtime(statements.change_source), options.text())};
}

std::string without_quotes(const std::string& text) {
  const std::size_t first = text.find_first_of("'\"`");
  const std::size_t last = text.find_last_of("'\"`");
  if (first == std::string::npos) return text;
  // Of an odd quote nobody knows where it ends.
  if (first == last) return text.substr(0, first) + "...";
  return text.substr(0, first) + "..." + text.substr(last + 1);
}

Status stop_replica(const ReplicationSession& session, Deadline deadline) {
  const std::string doing = "stopping replication";
  const Result<ReplicaStatus> status =
      stop_and_look(session, session.replication().stop, doing, deadline);
  if (!status.ok()) return status.error();
  const std::optional<ReplicaState>& now = status.value().replica;
  const bool runs =
      now.has_value() && (now->receiver != ReceiverState::kStopped || now->applier_running);
  if (!runs) return {};
  return session.refused(doing, "the server took it, and yet a thread of it runs");
}

Status stop_receiver(const ReplicationSession& session, Deadline deadline) {
  const std::string doing = "stopping its receiver";
  const Result<ReplicaStatus> status =
      stop_and_look(session, session.replication().stop_receiver, doing, deadline);
  if (!status.ok()) return status.error();
  const std::optional<ReplicaState>& now = status.value().replica;
  if (!now.has_value() || now->receiver == ReceiverState::kStopped) return {};
  return session.refused(doing, "the server took it, and yet it runs");
}

Status start_replica(const ReplicationSession& session, Deadline deadline) {
  const std::string doing = "starting replication";
  Result<ReplicaState> before = replica(session, doing, deadline);
  if (!before.ok()) return before.status();
  std::string_view statement = session.replication().start;
  while (true) {
    const Result<ReplicaStatus> status = execute_and_look(session, statement, doing, deadline);
    if (!status.ok()) return status.error();
    const std::optional<ReplicaState>& now = status.value().replica;
    if (!now.has_value()) return session.refused(doing, "it replicates from nobody any more");
    if (!now->applier_running) {
      return session.refused(doing,
                             fmt::format("its applier stopped: {}", to_text(now->applier_error)));
    }
    const bool failed = now->receiver_error.number != 0;
    if (now->receiver == ReceiverState::kStopped) {
      return session.refused(doing,
                             fmt::format("its receiver stopped: {}", to_text(now->receiver_error)));
    }
    if (now->receiver == ReceiverState::kRunning && !failed) return {};
    if (failed) {
      return session.refused(
          doing, fmt::format("its receiver cannot connect to {}, and goes on trying: {}",
                             source_name(now->source_host, now->source_port),
                             to_text(now->receiver_error)));
    }
    statement = kPause;
  }
}

Status forget_source(const ReplicationSession& session, Deadline deadline) {
  const std::string doing = "forgetting its source";
  const Result<ReplicaStatus> before =
      read_replica_status(session.connection, session.replication(), doing, deadline);
  if (!before.ok()) return before.error();
  const std::optional<ReplicaState>& now = before.value().replica;
  if (!now.has_value()) return {};
  if (now->receiver != ReceiverState::kStopped || now->applier_running) {
    return session.refused(doing, "it still replicates: stop it first");
  }
  const Result<ReplicaStatus> after =
      execute_and_look(session, session.replication().forget_source, doing, deadline);
  if (!after.ok()) return after.error();
  if (!after.value().replica.has_value()) return {};
  return session.refused(doing, "the server took it, and yet it has a source");
}

Status replicate_from(const ReplicationSession& session, const NewSource& source,
                      Deadline deadline) {
  const std::string doing = fmt::format("pointing it to {}", source_name(source.host, source.port));
  Result<Secret> change = change_source_sql(session.replication(), source);
  if (!change.ok()) return change.error();
  if (Status stopped = stop_replica(session, deadline); !stopped.ok()) return stopped;
  const std::string_view adopt = session.replication().adopt_own_gtids;
  if (source.gtid_use == GtidUse::kAuto && !adopt.empty()) {
    if (Status adopted = session.execute(adopt, doing, deadline); !adopted.ok()) return adopted;
  }
  Result<std::vector<StatementResult>> results =
      session.connection.run_secret(change.value(), doing, deadline);
  if (!results.ok()) return results.error();
  if (std::optional<MysqlError> error = results.value().back().error; error.has_value()) {
    error->text = without_quotes(error->text);
    return session.connection.refusal(*error, doing);
  }
  Result<ReplicaState> now = replica(session, doing, deadline);
  if (!now.ok()) return now.status();
  if (has(source, now.value())) return {};
  return session.refused(
      doing, fmt::format("the server took it, and yet it follows {}",
                         source_name(now.value().source_host, now.value().source_port)));
}

}  // namespace mha
