// KILLs joined into one text, and what to do when one of them is refused.
#include "mysql/kill.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mysql/errors.h"
#include "mysql/statements.h"
#include "mysql/thread_text.h"

namespace mha {
namespace {

constexpr const char* kDoing = "ending client connections";
// Of one text: the server stops at the first that it refuses, and the rest is sent again.
constexpr std::size_t kMostInText = 256;
// Refusals without a kill between them, after which it is asked who is there at all.
constexpr int kRefusedInARow = 8;

// An identifier, in every sql_mode. (KILL USER takes no expression.)
std::string quoted_name(const std::string& name) {
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string(2, c) : std::string(1, c);
  return quoted + "`";
}

class Killing {
 public:
  Killing(Connection& connection, std::uint64_t own_id,
          const std::vector<std::uint64_t>& thread_ids, std::size_t most_bytes, Deadline deadline)
      : connection_(connection), most_bytes_(most_bytes), deadline_(deadline) {
    for (const std::uint64_t id : thread_ids) {
      if (id == own_id) {
        outcomes_.push_back({id, KillResult::kRefused, "this is our own connection"});
      } else {
        pending_.push_back(outcomes_.size());
        outcomes_.push_back({id, KillResult::kKilled, ""});
      }
    }
  }

  Result<std::vector<KillOutcome>> run() {
    while (!pending_.empty()) {
      const std::string text = next_text();
      Result<std::vector<StatementResult>> results = connection_.run(text, kDoing, deadline_);
      if (!results.ok()) return results.error();
      for (const StatementResult& result : results.value()) {
        ++refused_in_a_row_;
        if (result.error.has_value()) {
          note_refusal(outcomes_[pending_.front()], *result.error);
        } else {
          refused_in_a_row_ = 0;
        }
        pending_.pop_front();
      }
      if (refused_in_a_row_ >= kRefusedInARow && !pending_.empty()) {
        if (Status status = drop_gone(); !status.ok()) return status.error();
        refused_in_a_row_ = 0;
      }
    }
    if (Status status = settle_unknown(); !status.ok()) return status.error();
    return std::move(outcomes_);
  }

 private:
  // As many of the pending ones as fit; at least one.
  std::string next_text() const {
    std::string text;
    for (std::size_t i = 0; i < std::min(pending_.size(), kMostInText); ++i) {
      const std::string statement =
          fmt::format("{}KILL {}", text.empty() ? "" : ";", outcomes_[pending_[i]].thread_id);
      if (!text.empty() && text.size() + statement.size() > most_bytes_) break;
      text += statement;
    }
    return text;
  }

  void note_refusal(KillOutcome& outcome, const MysqlError& error) {
    outcome.result = KillResult::kRefused;
    outcome.message = to_string(error);
    if (error.number == kNoSuchThread) unknown_.push_back(&outcome);
  }

  // All of them, our own too.
  Result<std::vector<ServerThread>> threads() {
    Result<std::vector<SqlRow>> rows =
        connection_.rows(std::string{sql::kThreads}, kDoing, deadline_);
    if (!rows.ok()) return rows.error();
    constexpr std::uint64_t kNobody = 0;
    return threads_from_rows(rows.value(), kNobody);
  }

  Result<std::set<std::uint64_t>> listed() {
    Result<std::vector<ServerThread>> all = threads();
    if (!all.ok()) return all.error();
    std::set<std::uint64_t> ids;
    for (const ServerThread& thread : all.value()) ids.insert(thread.id);
    return ids;
  }

  static void mark_gone(KillOutcome& outcome) {
    outcome = {outcome.thread_id, KillResult::kAlreadyGone, ""};
  }

  // Where many clients have left, a round trip for each of them would take for ever. Where only
  // some leave, the list would: of 5,000 threads it takes a tenth of a second, and hundreds leave
  // meanwhile.
  Status drop_gone() {
    Result<std::vector<ServerThread>> all = threads();
    if (!all.ok()) return all.error();
    drop_all_but(all.value());
    return {};
  }

  void drop_all_but(const std::vector<ServerThread>& there) {
    std::set<std::uint64_t> ids;
    for (const ServerThread& thread : there) ids.insert(thread.id);
    std::erase_if(pending_, [&](std::size_t index) {
      const bool gone = !ids.contains(outcomes_[index].thread_id);
      if (gone) mark_gone(outcomes_[index]);
      return gone;
    });
  }

  // Of the threads that the server does not know, those still listed were refused.
  Status settle_unknown() {
    if (unknown_.empty()) return {};
    Result<std::set<std::uint64_t>> ids = listed();
    if (!ids.ok()) return ids.error();
    for (KillOutcome* outcome : unknown_) {
      if (!ids.value().contains(outcome->thread_id)) mark_gone(*outcome);
    }
    return {};
  }

  Connection& connection_;
  std::size_t most_bytes_;
  Deadline deadline_;
  std::vector<KillOutcome> outcomes_;  // grows in the constructor only
  std::deque<std::size_t> pending_;    // indices of outcomes_ that no answer came for yet
  std::vector<KillOutcome*> unknown_;  // answered with 1094
  int refused_in_a_row_ = 0;
};

}  // namespace

Result<std::vector<KillOutcome>> kill_threads(Connection& connection, std::uint64_t own_id,
                                              const std::vector<std::uint64_t>& thread_ids,
                                              std::size_t most_bytes, Deadline deadline) {
  return Killing{connection, own_id, thread_ids, most_bytes, deadline}.run();
}

Status kill_sessions_of(Connection& connection, ServerFamily family, const std::string& user,
                        Deadline deadline) {
  if (family != ServerFamily::kMariadb) {
    return Error{Code::kRefused, "MySQL has no KILL USER"};
  }
  const std::string text = fmt::format("KILL USER {}", quoted_name(user));
  const Result<std::vector<StatementResult>> results = connection.run(text, kDoing, deadline);
  if (!results.ok()) return results.error();
  const std::optional<MysqlError>& error = results.value().back().error;
  return error.has_value() ? Status{connection.refusal(*error, kDoing)} : Status{};
}

}  // namespace mha
