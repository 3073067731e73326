// Statements joined for one round trip.
#include "mysql/replication_session.h"

#include <fmt/ranges.h>

namespace mha {

Result<std::vector<StatementResult>> ReplicationSession::ask(
    const std::vector<std::string_view>& statements, const std::string& doing,
    Deadline deadline) const {
  return all_of(connection.run(fmt::format("{}", fmt::join(statements, ";")), doing, deadline),
                statements.size(), doing);
}

Result<std::vector<StatementResult>> ReplicationSession::ask_long(
    const std::vector<std::string_view>& statements, const std::string& doing,
    Deadline deadline) const {
  return all_of(connection.run_long(fmt::format("{}", fmt::join(statements, ";")), doing, deadline),
                statements.size(), doing);
}

Result<std::vector<StatementResult>> ReplicationSession::all_of(
    Result<std::vector<StatementResult>> results, std::size_t statements,
    const std::string& doing) const {
  if (!results.ok()) return results.error();
  const StatementResult& last = results.value().back();
  if (last.error.has_value()) return connection.refusal(*last.error, doing);
  if (results.value().size() < statements) {
    return Error{Code::kInternal,
                 fmt::format("MySQL on {}: {}: {} answers to {} statements", connection.name(),
                             doing, results.value().size(), statements)};
  }
  return results;
}

Status ReplicationSession::execute(std::string_view statement, const std::string& doing,
                                   Deadline deadline) const {
  return connection.rows(std::string{statement}, doing, deadline).status();
}

Error ReplicationSession::refused(const std::string& doing, const std::string& what) const {
  return {Code::kRefused, fmt::format("MySQL on {}: {}: {}", connection.name(), doing, what)};
}

}  // namespace mha
