// Noting which threads run, and starting those that MHA has stopped since.
#include "core/steps_replication.h"

#include <fmt/core.h>

namespace mha {
namespace {

using nlohmann::json;

class RememberReplication : public Step {
 public:
  RememberReplication(Node& node, Log& log) : node_(node), log_(log) {}

  std::string kind() const override { return "remember_replication"; }
  json parameters() const override {
    return json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  std::string name() const override {
    return fmt::format("{} {}:{}", kind(), node_.spec().host, node_.spec().port);
  }
  std::string description() const override {
    return fmt::format("note which replication threads of {} run", node_.title());
  }

  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    const Result<std::optional<ReplicaThreads>> threads = server.value()->replica_threads(deadline);
    if (!threads.ok()) return threads.error();
    const ReplicaThreads found = threads.value().value_or(ReplicaThreads{});
    return json{{"receiver", found.receiver}, {"applier", found.applier}};
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override { return {}; }

  Status undo(const json& found, Deadline deadline) override {
    const ReplicaThreads wanted{found.value("receiver", false), found.value("applier", false)};
    if (wanted == ReplicaThreads{}) return {};
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    log_.info("Starting the replication threads that ran on {}", node_.title());
    return server.value()->ensure_replica_threads(wanted, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    if (!found.value("receiver", false) && !found.value("applier", false)) return "";
    return fmt::format("mysql -h {} -P {} -e 'START SLAVE'", node_.spec().mysql.host,
                       node_.spec().port);
  }

 private:
  Node& node_;
  Log& log_;
};

}  // namespace

std::unique_ptr<Step> remember_replication(Node& node, Log& log) {
  return std::make_unique<RememberReplication>(node, log);
}

}  // namespace mha
