// KILLs joined into one text, and what to do when one of them is refused.
#include "mysql/kill.h"

#include <fmt/core.h>

#include <deque>
#include <set>
#include <string>
#include <utility>

#include "mysql/errors.h"
#include "mysql/statements.h"
#include "mysql/thread_text.h"

namespace mha {
namespace {

constexpr const char* kDoing = "ending client connections";

class Killing {
 public:
  Killing(Connection& connection, std::uint64_t own_id,
          const std::vector<std::uint64_t>& thread_ids, std::size_t most_bytes, Deadline deadline)
      : connection_(connection), own_id_(own_id), most_bytes_(most_bytes), deadline_(deadline) {
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
        if (result.error.has_value()) note_refusal(outcomes_[pending_.front()], *result.error);
        pending_.pop_front();
      }
      if (refused_now_ && !pending_.empty()) {
        if (Status status = drop_gone(); !status.ok()) return status.error();
      }
      refused_now_ = false;
    }
    if (Status status = settle_unknown(); !status.ok()) return status.error();
    return std::move(outcomes_);
  }

 private:
  // As many of the pending ones as fit; at least one.
  std::string next_text() const {
    std::string text;
    for (const std::size_t index : pending_) {
      const std::string statement =
          fmt::format("{}KILL {}", text.empty() ? "" : ";", outcomes_[index].thread_id);
      if (!text.empty() && text.size() + statement.size() > most_bytes_) break;
      text += statement;
    }
    return text;
  }

  void note_refusal(KillOutcome& outcome, const MysqlError& error) {
    refused_now_ = true;
    outcome.result = KillResult::kRefused;
    outcome.message = to_string(error);
    if (error.number == kNoSuchThread) unknown_.push_back(&outcome);
  }

  Result<std::set<std::uint64_t>> listed() {
    Result<std::vector<SqlRow>> rows =
        connection_.rows(std::string{sql::kThreads}, kDoing, deadline_);
    if (!rows.ok()) return rows.error();
    std::set<std::uint64_t> ids;
    for (const ServerThread& thread : threads_from_rows(rows.value(), own_id_)) {
      ids.insert(thread.id);
    }
    return ids;
  }

  static void mark_gone(KillOutcome& outcome) {
    outcome = {outcome.thread_id, KillResult::kAlreadyGone, ""};
  }

  // Where one client has left, others have: a round trip for each of them would take for ever.
  Status drop_gone() {
    Result<std::set<std::uint64_t>> ids = listed();
    if (!ids.ok()) return ids.error();
    std::deque<std::size_t> present;
    for (const std::size_t index : pending_) {
      if (ids.value().contains(outcomes_[index].thread_id)) {
        present.push_back(index);
      } else {
        mark_gone(outcomes_[index]);
      }
    }
    pending_ = std::move(present);
    return {};
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
  std::uint64_t own_id_;
  std::size_t most_bytes_;
  Deadline deadline_;
  std::vector<KillOutcome> outcomes_;  // grows in the constructor only
  std::deque<std::size_t> pending_;    // indices of outcomes_ that no answer came for yet
  std::vector<KillOutcome*> unknown_;  // answered with 1094
  bool refused_now_ = false;
};

}  // namespace

Result<std::vector<KillOutcome>> kill_threads(Connection& connection, std::uint64_t own_id,
                                              const std::vector<std::uint64_t>& thread_ids,
                                              std::size_t most_bytes, Deadline deadline) {
  return Killing{connection, own_id, thread_ids, most_bytes, deadline}.run();
}

}  // namespace mha
