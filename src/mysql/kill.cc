// KILLs joined into one text, and what to do when one of them is refused.
#include "mysql/kill.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>
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
// From so many threads of one user on.
constexpr std::size_t kManyOfUser = 100;

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

  Result<std::vector<KillOutcome>> run(ServerFamily family) {
    if (family == ServerFamily::kMariadb && pending_.size() >= kManyOfUser) {
      if (Status status = kill_users(); !status.ok()) return status.error();
    }
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
  // MariaDB looks for each id among all threads, one after the other: 5,000 of them are seconds,
  // and who comes back meanwhile makes it longer. By user it is one pass. Only users of whom nobody
  // is to be spared, ourselves and replication among them.
  Status kill_users() {
    Result<std::vector<ServerThread>> all = threads();
    if (!all.ok()) return all.error();
    drop_all_but(all.value());
    std::set<std::uint64_t> wanted;
    for (const std::size_t index : pending_) wanted.insert(outcomes_[index].thread_id);
    std::map<std::string, std::set<std::uint64_t>> of_users;
    std::set<std::string> spared;
    for (const ServerThread& thread : all.value()) {
      of_users[thread.user].insert(thread.id);
      if (!wanted.contains(thread.id)) spared.insert(thread.user);
    }
    for (const auto& [user, ids] : of_users) {
      if (spared.contains(user) || ids.size() < kManyOfUser) continue;
      const std::string text = fmt::format("KILL USER {}", sql_literal(user));
      const Result<std::vector<StatementResult>> results = connection_.run(text, kDoing, deadline_);
      if (!results.ok()) return results.error();
      const bool done = !results.value().empty() && !results.value().back().error.has_value();
      if (!done) continue;  // one by one, then, and each says why not
      std::erase_if(pending_, [&, &ids = ids](std::size_t index) {
        return ids.contains(outcomes_[index].thread_id);
      });
    }
    return {};
  }

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

Result<std::vector<KillOutcome>> kill_threads(Connection& connection,
                                              const ServerIdentity& identity,
                                              const std::vector<std::uint64_t>& thread_ids,
                                              std::size_t most_bytes, Deadline deadline) {
  return Killing{connection, identity.connection_id, thread_ids, most_bytes, deadline}.run(
      identity.family);
}

}  // namespace mha
