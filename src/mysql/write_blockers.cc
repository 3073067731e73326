// Three ways to ask, from exact to vague.
#include "mysql/write_blockers.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "mysql/text.h"
#include "mysql/thread_text.h"

namespace mha {
namespace {

// Without a SET that was blocked: what is over sooner blocks nobody for long.
constexpr std::chrono::seconds::rep kLeastWait = 1;

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

// Behind a SET that waits, or a FLUSH TABLES WITH READ LOCK: what the thread waits for is what they
// hold already. MariaDB 10.4 and newer, and before that and MySQL (manual: General Thread States).
bool is_victim(const ServerThread& thread) {
  return thread.state == "Waiting for backup lock" ||
         thread.state == "Waiting for global read lock" ||
         thread.state == "Waiting for commit lock";
}

class Search {
 public:
  Search(Connection& connection, const ServerIdentity& identity, std::chrono::seconds waited,
         Deadline deadline)
      : connection_(connection), identity_(identity), waited_(waited), deadline_(deadline) {}

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
      for (const auto& [id, names] : tables) {
        if (!came_later(id, names)) blockers.push_back(lock_holder(id, names));
      }
      return blockers;
    }
    return std::nullopt;
  }

  // A victim holds, once the SET has given up, what its statement needs. (Who has tables locked may
  // run one statement after the other under them.)
  [[nodiscard]] bool came_later(std::uint64_t id, const std::set<std::string>& tables) const {
    const ServerThread* known = thread(id);
    if (known == nullptr) return false;
    return is_victim(*known) ||
           (tables.empty() && is_running_statement(*known) && known->seconds < waited_.count());
  }

  // What began after the SET did not block it: it hung behind it, or came after it.
  std::vector<WriteBlocker> guess() {
    std::vector<WriteBlocker> blockers = find_writers(std::max(waited_.count(), kLeastWait));
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
      if (is_victim(candidate)) continue;
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
  std::chrono::seconds waited_;
  Deadline deadline_;
  ThreadsById threads_;
  std::optional<Error> lost_;
};

}  // namespace

Result<std::vector<WriteBlocker>> find_write_blockers(Connection& connection,
                                                      const ServerIdentity& identity,
                                                      std::chrono::seconds waited,
                                                      Deadline deadline) {
  return Search{connection, identity, waited, deadline}.run();
}

}  // namespace mha
