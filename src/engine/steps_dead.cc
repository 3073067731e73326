// Stopping receivers.
#include "engine/steps_dead.h"

#include <fmt/core.h>

#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

class EnsureReceiverStopped : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_receiver_stopped"; }
  std::string description() const override {
    return fmt::format("stop the I/O thread of {}", node().title());
  }
  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    const Result<std::optional<ReplicaThreads>> threads = server.value()->replica_threads(deadline);
    if (!threads.ok()) return threads.error();
    return json{{"receiver", threads.value().value_or(ReplicaThreads{}).receiver}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Status stopped = server.value()->stop_receiver(deadline);
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
};

}  // namespace

std::unique_ptr<Step> ensure_receiver_stopped(Node& node, Log& log) {
  return std::make_unique<EnsureReceiverStopped>(node, log);
}

}  // namespace mha
