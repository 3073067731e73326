// What the engine's steps on one server have in common.
#pragma once

#include <fmt/core.h>

#include <string>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"
#include "ports/replication.h"

namespace mha {

// Named "kind host:port"; its parameters are host and port.
class ServerStep : public Step {
 public:
  ServerStep(Node& node, Log& log) : node_(node), log_(log) {}

  [[nodiscard]] nlohmann::json parameters() const override {
    return nlohmann::json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  [[nodiscard]] std::string name() const override {
    return fmt::format("{} {}:{}", kind(), node_.spec().host, node_.spec().port);
  }
  // For steps that find nothing of their own, and those that come after the point of no return.
  Result<nlohmann::json> observe(Deadline /*deadline*/) override {
    return nlohmann::json::object();
  }
  Status undo(const nlohmann::json& /*found*/, Deadline /*deadline*/) override { return {}; }
  [[nodiscard]] std::string undo_by_hand(const nlohmann::json& /*found*/) const override {
    return "";
  }

 protected:
  Node& node() { return node_; }
  [[nodiscard]] const Node& node() const { return node_; }
  Log& log() { return log_; }

  // The replication of the node's session, opened here where there is none.
  Result<Replication*> replication(Deadline deadline) {
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    return &server.value()->replication();
  }
  [[nodiscard]] std::string mysql_by_hand(const std::string& statement) const {
    return fmt::format("mysql -h {} -P {} -e '{}'", node_.spec().mysql.host, node_.spec().port,
                       statement);
  }

 private:
  Node& node_;
  Log& log_;
};

}  // namespace mha
