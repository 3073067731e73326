// Stopping receivers.
#include "engine/steps_dead.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// Observed, MariaDB 11.8: a receiver that is connecting to a silent host is stopped only once
// that attempt is over, after slave_net_timeout (60 s where it is not set); neither KILL nor a
// shorter slave_net_timeout ends it. MariaDB 10.11 and MySQL stop it at once or in seconds.
constexpr Milliseconds kConnectionAttempt{65'000};
constexpr unsigned kNewestThatStopsAtOnce = 101199;  // MariaDB 10.11; later ones: 11.8 was tried

class EnsureReceiverStopped : public ServerStep {
 public:
  EnsureReceiverStopped(Node& node, Environment& environment)
      : ServerStep(node, environment.log), clock_(environment.clock) {}

  std::string kind() const override { return "ensure_receiver_stopped"; }
  std::string description() const override {
    return fmt::format("stop the I/O thread of {}", node().title());
  }
  // Only for a connection attempt: a server that hangs still costs operation_timeout.
  Pace pace() const override { return Pace::kPatient; }
  Result<json> observe(Deadline deadline) override {
    const Deadline soon = promptly(deadline);
    Result<MysqlServer*> server = node().mysql(soon);
    if (!server.ok()) return server.error();
    const Result<std::optional<ReplicaThreads>> threads = server.value()->replica_threads(soon);
    if (!threads.ok()) return threads.error();
    return json{{"receiver", threads.value().value_or(ReplicaThreads{}).receiver}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    const Deadline soon = promptly(deadline);
    Result<MysqlServer*> server = node().mysql(soon);
    if (!server.ok()) return server.error();
    Replication& replication = server.value()->replication();
    const Result<std::optional<ReceiverSeen>> seen = replication.receiver_seen(soon);
    if (!seen.ok()) return seen.error();
    const bool connects =
        seen.value().has_value() && seen.value()->receiver == ReceiverState::kConnecting;
    const Status stopped =
        replication.stop_receiver(connects && waits_for_attempt(server.value()->identity())
                                      ? clock_.deadline_after(longest_attempt()).capped(deadline)
                                      : soon);
    if (stopped.ok()) return stopped;
    return stopped.error().with_context(
        fmt::format("stopping the I/O thread of {}", node().title()));
  }
  Status undo(const json& found, Deadline deadline) override {
    if (!found.value("receiver", false)) return {};
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    return server.value()->ensure_replica_threads({true, false}, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    return found.value("receiver", false) ? mysql_by_hand("START SLAVE IO_THREAD") : "";
  }

 private:
  [[nodiscard]] Deadline promptly(Deadline deadline) const {
    return clock_.deadline_after(node().settings().operation_timeout).capped(deadline);
  }
  static bool waits_for_attempt(const ServerIdentity& server) {
    return server.family == ServerFamily::kMariadb &&
           server.version_number > kNewestThatStopsAtOnce;
  }
  [[nodiscard]] Milliseconds longest_attempt() const {
    return std::max<Milliseconds>(kConnectionAttempt, node().settings().operation_timeout);
  }

  Clock& clock_;
};

}  // namespace

std::unique_ptr<Step> ensure_receiver_stopped(Node& node, Environment& environment) {
  return std::make_unique<EnsureReceiverStopped>(node, environment);
}

}  // namespace mha
