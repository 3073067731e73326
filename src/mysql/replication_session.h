// What the parts of the port replication work with.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/connection.h"
#include "mysql/statements.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

// The connection, identity and clock outlive it.
struct ReplicationSession {
  Connection& connection;
  const ServerIdentity& identity;
  const Clock& clock;
  std::size_t max_allowed_packet;  // bytes

  [[nodiscard]] const Statements& statements() const { return statements_for(identity); }
  [[nodiscard]] const ReplicationStatements& replication() const {
    return statements().replication;
  }

  // Statements that go together in one round trip; an answer for each, or the first refusal.
  [[nodiscard]] Result<std::vector<StatementResult>> ask(
      const std::vector<std::string_view>& statements, const std::string& doing,
      Deadline deadline) const;
  // The same, of what may take its time: Connection::run_long.
  [[nodiscard]] Result<std::vector<StatementResult>> ask_long(
      const std::vector<std::string_view>& statements, const std::string& doing,
      Deadline deadline) const;
  // One statement without rows.
  [[nodiscard]] Status execute(std::string_view statement, const std::string& doing,
                               Deadline deadline) const;

  // An Error kRefused of our own: "MySQL on db1:3306: DOING: WHAT".
  [[nodiscard]] Error refused(const std::string& doing, const std::string& what) const;

 private:
  [[nodiscard]] Result<std::vector<StatementResult>> all_of(
      Result<std::vector<StatementResult>> results, std::size_t statements,
      const std::string& doing) const;
};

}  // namespace mha
