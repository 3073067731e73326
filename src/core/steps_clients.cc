// Waiting for clients to leave, then killing those that remain, until a listing shows none.
#include "core/steps_clients.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/client_threads.h"
#include "ports/replication.h"

namespace mha {
namespace {

using nlohmann::json;

// Often enough that the wait ends soon after the last client has left, seldom enough not to load
// the server.
constexpr Milliseconds kPollInterval{50};
// A killed thread is gone in a fraction of a millisecond, unless it rolls back.
constexpr Milliseconds kRekillSoon{1};
constexpr int kSoonRounds = 20;
constexpr Milliseconds kRekillInterval{5};
// Of thousands, naming each would make clients wait.
constexpr std::size_t kNamed = 500;
// From so many clients of one user on, all of that user are ended in one go.
constexpr std::size_t kManyOfUser = 100;
constexpr std::string_view kNotLoggedIn = "unauthenticated user";
// After so many rounds a killed thread that is still listed may be one that nothing wakes.
constexpr int kRoundsToDie = 10;

class EnsureNoClients : public Step {
 public:
  EnsureNoClients(Node& node, std::string occasion, ClientPatience patience, Clock& clock, Log& log,
                  const Interrupt& interrupt)
      : node_(node),
        occasion_(std::move(occasion)),
        patience_(patience),
        clock_(clock),
        log_(log),
        interrupt_(interrupt) {}

  std::string kind() const override { return "ensure_no_clients"; }
  json parameters() const override {
    return json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  std::string name() const override {
    return fmt::format("{} {}:{} {}", kind(), node_.spec().host, node_.spec().port, occasion_);
  }
  std::string description() const override {
    return patience_.leave.count() == 0
               ? fmt::format("end the clients' connections on {} {}", node_.title(), occasion_)
               : fmt::format("wait up to {} ms for clients to leave {} {}, then end the rest",
                             patience_.leave.count(), node_.title(), occasion_);
  }

  // Whom to spare is asked here, where clients do not wait yet.
  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> opened = node_.mysql(deadline);
    if (!opened.ok()) return opened.error();
    Result<std::vector<std::uint64_t>> mha =
        opened.value()->lock_holders(mha_lock_names(), deadline);
    if (!mha.ok()) return mha.error();
    return json{{"spared", std::move(mha).value()}};
  }

  Status apply(const json& found, Deadline deadline) override {
    Result<MysqlServer*> opened = node_.mysql(deadline);
    if (!opened.ok()) return opened.error();
    MysqlServer& server = *opened.value();
    spared_ = found.value("spared", std::vector<std::uint64_t>{});
    if (const auto reserved = node_.reserved_thread()) spared_.push_back(*reserved);

    Result<std::vector<ServerThread>> clients = wait_until_they_left(server, deadline);
    if (!clients.ok()) return clients.error();
    return end_the_rest(server, std::move(clients).value(), deadline);
  }

  // An ended connection cannot be given back; its client opens a new one.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  Result<std::vector<ServerThread>> list(MysqlServer& server, Deadline deadline) {
    Result<std::vector<ServerThread>> threads = server.threads(deadline);
    if (!threads.ok()) return threads.error();
    std::vector<ServerThread> clients = client_threads(threads.value(), spared_);
    std::unordered_set<std::uint64_t> ids;
    for (const ServerThread& client : clients) ids.insert(client.id);
    has_others_.clear();
    for (const ServerThread& thread : threads.value()) {
      if (!ids.contains(thread.id)) has_others_.insert(thread.user);
    }
    return clients;
  }

  Result<std::vector<ServerThread>> wait_until_they_left(MysqlServer& server, Deadline deadline) {
    Result<std::vector<ServerThread>> clients = list(server, deadline);
    // Who is being killed already does not leave by himself.
    const auto may_leave = [](const ServerThread& thread) { return thread.command != "Killed"; };
    const auto waits = [&] { return std::ranges::any_of(clients.value(), may_leave); };
    if (!clients.ok() || !waits() || patience_.leave.count() == 0) return clients;
    log_.info("Waiting {:g} seconds for application threads to disconnect",
              static_cast<double>(patience_.leave.count()) / 1000.0);
    const Deadline end = clock_.deadline_after(patience_.leave).capped(deadline);
    while (clients.ok() && waits() && !clock_.passed(end)) {
      if (interrupt_.requested()) return Error{Code::kRefused, "interrupted by the operator"};
      clock_.sleep_until(std::min(clock_.now() + kPollInterval, end.at()));
      clients = list(server, deadline);
    }
    return clients;
  }

  Status end_the_rest(MysqlServer& server, std::vector<ServerThread> clients, Deadline deadline) {
    // Of thousands of clients the first order alone takes seconds on a busy server: what is left
    // after it has that time.
    Deadline end = deadline;
    std::unordered_set<std::uint64_t> first;
    for (const ServerThread& client : clients) first.insert(client.id);
    std::string refusal;
    for (int round = 0; !clients.empty(); ++round) {
      if (interrupt_.requested()) return Error{Code::kRefused, "interrupted by the operator"};
      if (clock_.passed(end)) {
        return Error{
            Code::kTimeout,
            fmt::format("ending the clients of {}: {} still connected after {} ms: {}{}",
                        node_.title(), clients.size(), patience_.end.count(),
                        summarize_threads(clients),
                        refusal.empty() ? "" : fmt::format("; KILL was refused: {}", refusal))};
      }
      tell(clients, round);
      const Result<std::vector<KillOutcome>> outcomes = kill(server, clients, end);
      if (!outcomes.ok()) return outcomes.error();
      if (round == 0) end = clock_.deadline_after(patience_.end).capped(deadline);
      refusal.clear();
      for (const KillOutcome& outcome : outcomes.value()) {
        if (outcome.result == KillResult::kRefused) refusal = outcome.message;
      }
      if (patience_.thoroughness == Thoroughness::kTold && refusal.empty()) return {};
      Result<std::vector<ServerThread>> left = list(server, deadline);
      if (left.ok()) left = without_husks(server, std::move(left).value(), round, deadline);
      if (!left.ok()) return left.error();
      clients = std::move(left).value();
      if (patience_.thoroughness == Thoroughness::kTold) keep_those_of(first, clients);
      const Milliseconds pause = round < kSoonRounds ? kRekillSoon : kRekillInterval;
      if (!clients.empty()) clock_.sleep_until(std::min(clock_.now() + pause, end.at()));
    }
    return {};
  }

  // By user where one has very many, of whom nobody is to stay: who comes meanwhile is ended as
  // well, and by the criteria of the next listing would be. Whom that has not ended is ended by id.
  Result<std::vector<KillOutcome>> kill(MysqlServer& server,
                                        const std::vector<ServerThread>& clients,
                                        Deadline deadline) {
    std::map<std::string, std::size_t> of_users;
    for (const ServerThread& client : clients) ++of_users[client.user];
    std::set<std::string> ended;
    for (const auto& [user, count] : of_users) {
      const bool is_ours = user == node_.spec().mysql.user;
      if (count < kManyOfUser || is_ours || user == kNotLoggedIn || has_others_.contains(user) ||
          server.identity().family != ServerFamily::kMariadb) {
        continue;
      }
      const Status killed = server.end_sessions_of(user, deadline);
      if (killed.ok()) ended.insert(user);
      // Where it is refused: one by one, and each says why not.
      if (!killed.ok() && killed.error().code != Code::kRefused &&
          killed.error().code != Code::kDenied) {
        return killed.error();
      }
    }
    std::vector<std::uint64_t> ids;
    for (const ServerThread& client : clients) {
      const bool has_many = ended.contains(client.user);
      const bool is_first = has_many && told_by_user_.insert(client.id).second;
      if (!has_many || (!is_first && client.command != "Killed")) ids.push_back(client.id);
    }
    return server.kill(ids, deadline);
  }

  // Names each thread once: a killed one is listed again while it rolls back.
  void tell(const std::vector<ServerThread>& clients, int round) {
    std::size_t unnamed = 0;
    for (const ServerThread& thread : clients) {
      if (!told_.emplace(thread.id, round).second) continue;
      if (told_.size() > kNamed) {
        ++unnamed;
        continue;
      }
      log_.info("Terminating thread Id => {}, User => {}, Host => {}", thread.id, thread.user,
                thread.host);
    }
    if (unnamed > 0) log_.info("Terminating {} more threads", unnamed);
  }

  // MySQL 5.6 closes the socket of a killed session. One that was about to wait for its client then
  // waits for nothing, and is listed until wait_timeout (8 hours) has passed. Without a statement,
  // a transaction or a lock it is a session of nobody: its client is gone, and it will do nothing
  // more.
  Result<std::vector<ServerThread>> without_husks(MysqlServer& server,
                                                  std::vector<ServerThread> left, int round,
                                                  Deadline deadline) {
    const auto is_known = [this](const ServerThread& thread) { return husks_.contains(thread.id); };
    const auto may_be_one = [&](const ServerThread& thread) {
      const auto killed = told_.find(thread.id);
      return thread.command == "Killed" && thread.info.empty() && !is_known(thread) &&
             killed != told_.end() && round - killed->second >= kRoundsToDie;
    };
    if (std::ranges::any_of(left, may_be_one)) {
      Result<std::vector<LongWriter>> writers =
          server.replication().long_writers(std::chrono::seconds{0}, deadline);
      if (!writers.ok()) return writers.error();
      for (const ServerThread& thread : left) {
        const bool writes = std::ranges::any_of(
            writers.value(),
            [&thread](const LongWriter& writer) { return writer.thread_id == thread.id; });
        if (writes || !may_be_one(thread)) continue;
        log_.info(
            "Thread Id => {} is ended: the server lists it as killed, without a statement or a "
            "transaction",
            thread.id);
        husks_.insert(thread.id);
      }
    }
    std::erase_if(left, is_known);
    return left;
  }

  static void keep_those_of(const std::unordered_set<std::uint64_t>& first,
                            std::vector<ServerThread>& clients) {
    std::erase_if(clients, [&first](const ServerThread& one) { return !first.contains(one.id); });
  }

  Node& node_;
  std::string occasion_;
  ClientPatience patience_;
  Clock& clock_;
  Log& log_;
  const Interrupt& interrupt_;
  std::vector<std::uint64_t> spared_;
  std::set<std::string> has_others_;  // users of sessions that are no clients, in the last listing
  std::unordered_map<std::uint64_t, int> told_;     // by thread: the round that killed it first
  std::unordered_set<std::uint64_t> told_by_user_;  // end_sessions_of() was to end them
  std::unordered_set<std::uint64_t> husks_;
};

}  // namespace

std::unique_ptr<Step> ensure_no_clients(Node& node, std::string occasion, ClientPatience patience,
                                        Clock& clock, Log& log, const Interrupt& interrupt) {
  return std::make_unique<EnsureNoClients>(node, std::move(occasion), patience, clock, log,
                                           interrupt);
}

}  // namespace mha
