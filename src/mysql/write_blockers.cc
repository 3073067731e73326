// Three ways to ask, from exact to vague.
#include "mysql/write_blockers.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "mysql/text.h"

namespace mha {
namespace {

constexpr std::size_t kStatementBytes = 200;

using ThreadsById = std::map<std::uint64_t, ServerThread>;

std::string cell(const SqlRow& row, std::size_t column) {
  return column < row.size() ? valid_utf8(row[column].value_or("")) : "";
}

template <typename Number>
Number number(const SqlRow& row, std::size_t column) {
  const std::string text = cell(row, column);
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// `schema`.`table`, or "" where the row has none.
std::string table_name(const SqlRow& row, std::size_t column) {
  const std::string table = one_line(cell(row, column + 1));
  return table.empty() ? "" : fmt::format("`{}`.`{}`", one_line(cell(row, column)), table);
}

// "thread 42 (app@10.0.0.5:41000)".
std::string thread_name(const ServerThread& thread) {
  return fmt::format("thread {} ({}@{})", thread.id, one_line(thread.user), one_line(thread.host));
}

bool is_idle(const ServerThread& thread) { return thread.command == "Sleep"; }

std::string activity(const ServerThread& thread) {
  if (is_idle(thread)) return fmt::format("idle for {} s", thread.seconds);
  const std::string& statement = thread.info.empty() ? thread.state : thread.info;
  return fmt::format("running for {} s: {}", thread.seconds, one_line(statement));
}

// Whether a statement only reads, by its first word. What it calls may write all the same:
// find_writers() asks InnoDB as well.
bool only_reads(std::string_view statement) {
  const auto skip = [&statement](std::size_t bytes) {
    statement.remove_prefix(std::min(bytes, statement.size()));
  };
  while (!statement.empty()) {
    if (statement.starts_with("/*") && !statement.starts_with("/*!")) {
      const std::size_t end = statement.find("*/");
      skip(end == std::string_view::npos ? statement.size() : end + 2);
    } else if (statement.front() == '(' || statement.front() <= ' ') {
      skip(1);
    } else {
      break;
    }
  }
  std::string word;
  for (const char c : statement) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  static constexpr std::array<std::string_view, 10> kReaders{
      "SELECT", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "USE", "KILL", "SET", "DO"};
  return std::find(kReaders.begin(), kReaders.end(), word) != kReaders.end();
}

// Dump threads, appliers that wait, the event scheduler: they run for ever and block nothing.
bool is_running_statement(const ServerThread& thread) {
  static constexpr std::array<std::string_view, 3> kCommands{"Query", "Execute", "Prepare"};
  return std::find(kCommands.begin(), kCommands.end(), thread.command) != kCommands.end() &&
         !thread.info.empty();
}

class Search {
 public:
  Search(Connection& connection, const ServerIdentity& identity, Deadline deadline)
      : connection_(connection), identity_(identity), deadline_(deadline) {}

  Result<std::vector<WriteBlocker>> run() {
    for (ServerThread& thread : threads_from_rows(ask(sql::kThreads), identity_.connection_id)) {
      threads_.emplace(thread.id, std::move(thread));
    }
    std::optional<std::vector<WriteBlocker>> holders = find_lock_holders();
    std::vector<WriteBlocker> blockers = holders.has_value() ? *std::move(holders) : guess();
    if (lost_.has_value()) return *lost_;
    return blockers;
  }

 private:
  // No rows where the server refuses.
  std::vector<SqlRow> ask(std::string_view statement) {
    if (lost_.has_value()) return {};
    Result<std::vector<StatementResult>> results =
        connection_.run(std::string{statement}, "looking for what blocks read_only", deadline_);
    if (!results.ok()) {
      lost_ = results.error();
      return {};
    }
    return std::move(results.value().back().rows);
  }

  const ServerThread* thread(std::uint64_t id) const {
    const auto found = threads_.find(id);
    return found == threads_.end() ? nullptr : &found->second;
  }

  // nullopt where the server does not record its locks.
  std::optional<std::vector<WriteBlocker>> find_lock_holders() {
    for (const LockSource& source : statements_for(identity_).lock_sources) {
      std::map<std::uint64_t, std::set<std::string>> tables;
      for (const SqlRow& row : ask(source.holders)) {
        std::set<std::string>& names = tables[number<std::uint64_t>(row, 0)];
        if (std::string name = table_name(row, 1); !name.empty()) names.insert(std::move(name));
      }
      if (tables.empty() && ask(source.is_recording).empty()) continue;
      std::vector<WriteBlocker> blockers;
      for (const auto& [id, names] : tables) blockers.push_back(lock_holder(id, names));
      return blockers;
    }
    return std::nullopt;
  }

  // What began less than a second ago did not block a SET that waited for a second: it hung behind
  // it, or came after it.
  std::vector<WriteBlocker> guess() {
    std::vector<WriteBlocker> blockers = find_writers(1);
    if (blockers.empty()) blockers = find_tables_in_use();
    return blockers.empty() ? find_writers(0) : blockers;
  }

  WriteBlocker lock_holder(std::uint64_t id, const std::set<std::string>& tables) const {
    const ServerThread* known = thread(id);
    std::string text =
        known != nullptr ? thread_name(*known) : fmt::format("thread {} (gone meanwhile)", id);
    text += tables.empty() ? ": holds a lock for writing"
                           : fmt::format(": holds {} locked for writing", fmt::join(tables, ", "));
    if (known != nullptr) text += fmt::format("; {}", activity(*known));
    return {id, std::move(text)};
  }

  std::vector<WriteBlocker> find_writers(std::int64_t least_seconds) {
    std::set<std::uint64_t> in_transaction;
    for (const SqlRow& row : ask(sql::kWritingTransactions)) {
      in_transaction.insert(number<std::uint64_t>(row, 0));
    }
    std::vector<WriteBlocker> blockers;
    for (const auto& [id, candidate] : threads_) {
      const bool writes = is_running_statement(candidate) && !only_reads(candidate.info);
      if (!writes && !in_transaction.contains(id)) continue;
      if (candidate.seconds < least_seconds) continue;
      blockers.push_back({id, fmt::format("{}: {}", thread_name(candidate), activity(candidate))});
    }
    return blockers;
  }

  std::vector<WriteBlocker> find_tables_in_use() {
    std::vector<WriteBlocker> blockers;
    for (const SqlRow& row : ask(sql::kTablesInUse)) {
      blockers.push_back(
          {std::nullopt,
           fmt::format("{} is locked or in use by {} thread(s) that the server does not name",
                       table_name(row, 0), cell(row, 2))});
    }
    return blockers;
  }

  Connection& connection_;
  const ServerIdentity& identity_;
  Deadline deadline_;
  ThreadsById threads_;
  std::optional<Error> lost_;
};

}  // namespace

std::vector<ServerThread> threads_from_rows(const std::vector<SqlRow>& rows, std::uint64_t own_id) {
  std::vector<ServerThread> threads;
  for (const SqlRow& row : rows) {
    ServerThread thread;
    thread.id = number<std::uint64_t>(row, 0);
    if (thread.id == own_id) continue;
    thread.user = cell(row, 1);
    thread.host = cell(row, 2);
    thread.command = cell(row, 4);
    thread.seconds = number<std::int64_t>(row, 5);
    thread.state = cell(row, 6);
    thread.info = valid_utf8(row.size() > 7 ? row[7].value_or("") : "", kStatementBytes);
    threads.push_back(std::move(thread));
  }
  return threads;
}

Result<std::vector<WriteBlocker>> find_write_blockers(Connection& connection,
                                                      const ServerIdentity& identity,
                                                      Deadline deadline) {
  return Search{connection, identity, deadline}.run();
}

}  // namespace mha
