// Transactions, statements and locks, merged by thread.
#include "mysql/long_writers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "mysql/named_row.h"
#include "mysql/text.h"
#include "mysql/thread_text.h"

namespace mha {
namespace {

class Search {
 public:
  Search(const ReplicationSession& session, Deadline deadline)
      : session_(session), deadline_(deadline) {}

  Result<std::vector<LongWriter>> run(std::chrono::seconds at_least) {
    threads_ = list_threads();
    // A later word on a thread is added to an earlier one only where it is older.
    add_statements();
    add_transactions();
    add_lock_holders();
    if (lost_.has_value()) return *lost_;
    std::vector<LongWriter> writers;
    for (auto& [id, writer] : writers_) {
      if (writer.age >= at_least) writers.push_back(std::move(writer));
    }
    std::ranges::stable_sort(writers, [](const LongWriter& one, const LongWriter& other) {
      return one.age > other.age;
    });
    return writers;
  }

 private:
  using Threads = std::map<std::uint64_t, ServerThread>;
  using Tables = std::map<std::uint64_t, std::set<std::string>>;  // of each thread that holds some

  // Those of clients.
  Threads list_threads() {
    Threads threads;
    for (ServerThread& thread :
         threads_from_rows(ask(sql::kThreads), session_.identity.connection_id)) {
      if (thread.user != "system user") threads.emplace(thread.id, std::move(thread));
    }
    return threads;
  }

  // No rows where the server refuses.
  std::vector<SqlRow> ask(std::string_view statement) {
    if (lost_.has_value()) return {};
    Result<std::vector<StatementResult>> results =
        session_.connection.run(std::string{statement}, "looking for long transactions", deadline_);
    if (!results.ok()) {
      lost_ = results.error();
      return {};
    }
    return std::move(results.value().back().rows);
  }

  void add(std::uint64_t id, std::chrono::seconds age, const std::string& what) {
    const auto thread = threads_.find(id);
    if (thread == threads_.end()) return;
    const auto [entry, added] = writers_.try_emplace(id);
    if (!added && entry->second.age >= age) return;
    entry->second = {
        id, age,
        fmt::format("{}: {}; {}", thread_name(thread->second), what, activity(thread->second))};
  }

  void add_statements() {
    for (const auto& [id, thread] : threads_) {
      if (!is_running_statement(thread) || only_reads(thread.info)) continue;
      add(id, std::chrono::seconds{thread.seconds}, "a statement that writes");
    }
  }

  void add_transactions() {
    for (const SqlRow& row : ask(sql::kOpenWriters)) {
      const std::chrono::seconds age{number_in<std::int64_t>(row[1])};
      add(number_in<std::uint64_t>(row[0]), age,
          fmt::format("its transaction has written and is open for {} s", age.count()));
    }
  }

  // An idle thread that holds a lock for writing has said LOCK TABLES, or FLUSH TABLES WITH READ
  // LOCK: for how long is not told, but its last statement was so long ago. One that was idle when
  // the threads were listed may just write as the locks are: who holds one is asked twice, and what
  // it does in between.
  void add_lock_holders() {
    for (const LockSource& source : session_.statements().lock_sources) {
      const Tables first = tables_of(ask(source.holders));
      if (first.empty() && ask(source.is_recording).empty()) continue;
      if (first.empty()) return;
      const Threads between = list_threads();
      for (const auto& [id, names] : tables_of(ask(source.holders))) {
        const auto before = threads_.find(id);
        const auto thread = between.find(id);
        if (!first.contains(id) || before == threads_.end() || thread == between.end()) continue;
        std::string what = "it holds a lock for writing";
        if (!names.empty()) what = fmt::format("it holds {} locked for writing", joined(names));
        add(id, std::chrono::seconds{std::min(before->second.seconds, thread->second.seconds)},
            what);
      }
      return;
    }
  }

  static Tables tables_of(const std::vector<SqlRow>& rows) {
    Tables tables;
    for (const SqlRow& row : rows) {
      std::set<std::string>& names = tables[number_in<std::uint64_t>(row[0])];
      if (row[2].has_value()) {
        names.insert(fmt::format("`{}`.`{}`", one_line(row[1].value_or("")), one_line(*row[2])));
      }
    }
    return tables;
  }

  static std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  const ReplicationSession& session_;
  Deadline deadline_;
  Threads threads_;
  std::map<std::uint64_t, LongWriter> writers_;
  std::optional<Error> lost_;
};

}  // namespace

Result<std::vector<LongWriter>> find_long_writers(const ReplicationSession& session,
                                                  std::chrono::seconds at_least,
                                                  Deadline deadline) {
  return Search{session, deadline}.run(at_least);
}

}  // namespace mha
