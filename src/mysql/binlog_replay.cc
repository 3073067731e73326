// Statement by statement, in one session.
#include "mysql/binlog_replay.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/binlog_script.h"
#include "mysql/errors.h"
#include "mysql/text.h"

namespace mha {
namespace {

constexpr std::size_t kShownBytes = 120;

// For a message: no base64.
std::string shown(std::string_view statement) {
  return valid_utf8(one_line(statement.substr(0, statement.find('\n'))), kShownBytes);
}

// As mysqlbinlog prints it: SET @@SESSION.GTID_NEXT= 'ANONYMOUS'.
bool names_a_transaction(std::string_view statement) {
  return statement.starts_with("SET @@SESSION.GTID_NEXT=");
}

bool starts_transaction(ScriptPart part) {
  return part == ScriptPart::kBegin || part == ScriptPart::kWhole;
}

Error too_large(const ReplicationSession& session, const std::string& doing, std::size_t size) {
  return session.refused(
      doing,
      fmt::format("it has {} bytes, and the server takes {}; it and what follows is not done: set "
                  "a larger max_allowed_packet (SET GLOBAL max_allowed_packet={}), and go on from "
                  "here",
                  size, session.max_allowed_packet,
                  // A multiple of 1024, as the server wants it.
                  (size / 1024 + 2) * 1024));
}

Status execute_one(const ReplicationSession& session, std::string_view statement,
                   const std::string& doing, Deadline deadline) {
  const bool is_mysql = session.identity.family == ServerFamily::kMysql;
  if (is_mysql && is_for_newer_mysql(statement, session.identity.version_number)) return {};
  // The server counts some bytes of its own.
  constexpr std::size_t kHeader = 64;
  if (statement.size() + kHeader > session.max_allowed_packet) {
    return too_large(session, doing, statement.size());
  }
  Result<std::vector<StatementResult>> results =
      session.connection.run_long(std::string{statement}, doing, deadline);
  if (!results.ok()) return results.error();
  const std::optional<MysqlError>& error = results.value().back().error;
  // What is in a comment for another version is nothing here.
  if (!error.has_value() || error->number == kEmptyQuery) return {};
  Error refusal = session.connection.refusal(*error, doing);
  refusal.message += "; it and what follows is not done";
  return refusal;
}

// The statements one by one, up to the first that fails.
Result<std::uint64_t> execute_all(const ReplicationSession& session, const BinlogReplay& replay,
                                  Deadline deadline) {
  BinlogScript statements{replay.text};
  ScriptTransactions transactions;
  for (std::size_t number = 1;; ++number) {
    const Result<std::optional<std::string_view>> next = statements.next();
    if (!next.ok()) return next.error();
    if (!next.value().has_value()) return transactions.count();
    const std::string_view statement = *next.value();
    const std::uint64_t transaction = transactions.count();
    const ScriptPart part = transactions.take(statement);
    // The name of one that is skipped goes with it: it would wait for its transaction.
    const bool skipped = transaction < replay.skip &&
                         (part != ScriptPart::kSetting || names_a_transaction(statement));
    if (skipped) continue;
    if (starts_transaction(part) && replay.before) {
      if (const Status ready = replay.before(transaction); !ready.ok()) return ready.error();
    }
    const Status done = execute_one(
        session, statement,
        fmt::format("executing statement {} of a binary log ({})", number, shown(statement)),
        deadline);
    if (!done.ok()) return done.error();
  }
}

}  // namespace

bool is_for_newer_mysql(std::string_view statement, unsigned version) {
  constexpr std::string_view kOpen = "/*!";
  constexpr std::string_view kClose = "*/";
  if (!statement.starts_with(kOpen) || !statement.ends_with(kClose)) return false;
  if (statement.find(kClose) != statement.size() - kClose.size()) return false;
  std::string_view digits = statement.substr(kOpen.size());
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  if (digits.size() != 5 && digits.size() != 6) return false;
  unsigned wanted = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
  return wanted > version;
}

Result<std::uint64_t> execute_binlog_script(const ReplicationSession& session,
                                            const BinlogReplay& replay, Deadline deadline) {
  const std::string doing = "turning its own binary log off";
  const bool log_bin = replay.log_bin == Switch::kOn;
  if (!log_bin) {
    const Status off = session.execute("SET SESSION sql_log_bin=0", doing, deadline);
    if (!off.ok()) return off.error();
  }
  Result<std::uint64_t> done = execute_all(session, replay, deadline);
  const bool lost = !done.ok() && (done.error().code == Code::kTimeout ||
                                   done.error().code == Code::kUnreachable);
  if (lost) return done;
  std::vector<std::string_view> leaving{session.replication().leave_binlog_script,
                                        session.statements().session_settings};
  // Not within a transaction: after the first of these.
  if (!log_bin) leaving.emplace_back("SET SESSION sql_log_bin=1");
  const Result<std::vector<StatementResult>> left =
      session.ask(leaving, "leaving the statements of a binary log", deadline);
  if (done.ok() && !left.ok()) return left.error();
  return done;
}

}  // namespace mha
