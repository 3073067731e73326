// Deadlines around the client library.
#include "mysql/connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "mysql/client_library.h"
#include "mysql/errors.h"
#include "mysql/link.h"
#include "mysql/worker.h"

namespace mha {
namespace {

// How long a thread whose socket was cut may take to notice, and a goodbye may take to be sent.
// Both take microseconds; this bounds what is not foreseen.
constexpr Milliseconds kEndLimit{100};

struct ConnectOutcome {
  std::optional<MysqlError> error;
  bool encrypted = false;
  std::string peer;
};

bool demands_tls(MysqlTlsMode mode) {
  return mode != MysqlTlsMode::kDisabled && mode != MysqlTlsMode::kPreferred;
}

// On the worker's thread.
ConnectOutcome connect_link(Link& link, const MysqlTarget& target, unsigned timeout_seconds) {
  ConnectOutcome outcome;
  outcome.error = link.connect(target, TlsUse::kAsTargetSays, timeout_seconds);
  if (outcome.error.has_value() && outcome.error->number == kTlsError &&
      target.tls_mode == MysqlTlsMode::kPreferred) {
    outcome.error = link.connect(target, TlsUse::kNone, timeout_seconds);
  }
  if (outcome.error.has_value()) return outcome;
  outcome.encrypted = link.encrypted();
  outcome.peer = link.peer();
  return outcome;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const MysqlTarget& target, const Clock& clock,
                                                     Deadline deadline) {
  // Connector/C reads these as a list of hosts, and as a connection string.
  if (target.host.empty() || target.host.find_first_of(",;= ") != std::string::npos) {
    return Error{Code::kConfig,
                 fmt::format("'{}' is not a name or address of a MySQL server", target.host)};
  }
  try {
    std::unique_ptr<Connection> connection{new Connection{target, clock}};
    if (Status status = connection->connect(target, deadline); !status.ok()) return status.error();
    return connection;
  } catch (const std::system_error& error) {
    return Error{Code::kInternal, fmt::format("connecting to MySQL on {}: no thread to be had: {}",
                                              target.name(), error.what())};
  }
}

Connection::Connection(const MysqlTarget& target, const Clock& clock)
    : clock_(clock),
      name_(target.name()),
      answers_within_(target.answers_within),
      link_(std::make_shared<Link>()),
      // The link is closed on the thread that used it, whoever leaves first.
      worker_(std::make_unique<Worker>([link = link_] {
        link->close();
        leave_client_library();
      })) {}

Connection::~Connection() {
  // A job that goes on was cut when its caller gave up; where it cannot be cut, nobody waits.
  const bool ends_soon = worker_->idle() || link_->cut();
  worker_->stop(ends_soon ? kEndLimit : Milliseconds{0});
}

Status Connection::connect(const MysqlTarget& target, Deadline deadline) {
  const std::string doing = fmt::format("connecting as '{}'", target.user);
  const Milliseconds limit = limit_of(deadline);
  if (limit <= Milliseconds{0}) return give_up(doing);
  // The library's own time-out comes after ours.
  const auto timeout_seconds =
      static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limit).count()) + 1;
  auto outcome = std::make_shared<ConnectOutcome>();
  const bool in_time =
      worker_->run([link = link_, target, timeout_seconds,
                    outcome] { *outcome = connect_link(*link, target, timeout_seconds); },
                   limit);
  if (!in_time) return give_up(doing);
  if (outcome->error.has_value()) {
    dead_ = true;
    return Error{code_of_connect_error(outcome->error->number),
                 fmt::format("MySQL on {}: {}: {}", name_, doing, to_string(*outcome->error))};
  }
  encrypted_ = outcome->encrypted;
  peer_ = std::move(outcome->peer);
  if (demands_tls(target.tls_mode) && !encrypted_) {
    dead_ = true;
    return Error{Code::kDenied,
                 fmt::format("MySQL on {}: {}: the server has no TLS, which mysql_ssl_mode asks "
                             "for; set it up there, or set mysql_ssl_mode=preferred",
                             name_, doing)};
  }
  return {};
}

Result<std::vector<StatementResult>> Connection::run(const std::string& sql,
                                                     const std::string& doing, Deadline deadline) {
  return run_job([sql](Link& link) { return link.execute(sql); }, doing, limit_of(deadline));
}

Result<std::vector<StatementResult>> Connection::run_long(const std::string& sql,
                                                          const std::string& doing,
                                                          Deadline deadline) {
  return run_job([sql](Link& link) { return link.execute(sql); }, doing,
                 clock_.remaining(deadline));
}

Result<std::vector<StatementResult>> Connection::run_secret(const Secret& sql,
                                                            const std::string& doing,
                                                            Deadline deadline) {
  return run_job([sql](Link& link) { return link.execute(sql.reveal()); }, doing,
                 limit_of(deadline));
}

Result<std::vector<StatementResult>> Connection::run_job(std::function<Answer(Link&)> execute,
                                                         const std::string& doing,
                                                         Milliseconds limit) {
  if (dead_) {
    return Error{Code::kUnreachable,
                 fmt::format("MySQL on {}: {}: this connection was lost before", name_, doing)};
  }
  if (limit <= Milliseconds{0}) return give_up(doing);
  auto answer = std::make_shared<Answer>();
  const bool in_time = worker_->run(
      [link = link_, execute = std::move(execute), answer] { *answer = execute(*link); }, limit);
  if (!in_time) return give_up(doing);
  if (answer->lost.has_value()) {
    dead_ = true;
    return Error{Code::kUnreachable,
                 fmt::format("MySQL on {}: {}: {}", name_, doing, to_string(*answer->lost))};
  }
  return std::move(answer->results);
}

Result<std::vector<SqlRow>> Connection::rows(const std::string& sql, const std::string& doing,
                                             Deadline deadline) {
  Result<std::vector<StatementResult>> results = run(sql, doing, deadline);
  if (!results.ok()) return results.error();
  StatementResult& last = results.value().back();
  if (last.error.has_value()) return refusal(*last.error, doing);
  return std::move(last.rows);
}

Error Connection::refusal(const MysqlError& error, const std::string& doing) const {
  return {code_of_statement_error(error.number),
          fmt::format("MySQL on {}: {}: {}", name_, doing, to_string(error))};
}

Milliseconds Connection::limit_of(Deadline deadline) const {
  return std::min(clock_.remaining(deadline), answers_within_);
}

// The connection ends here; what was asked may or may not have happened.
Error Connection::give_up(const std::string& doing) {
  dead_ = true;
  link_->cut();
  return {Code::kTimeout, fmt::format("MySQL on {}: {}: no answer in time", name_, doing)};
}

std::string sql_literal(const std::string& text) {
  if (text.empty()) return "''";
  std::string literal = "CONVERT(0x";
  for (const char c : text) literal += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return literal + " USING utf8mb4)";
}

}  // namespace mha
