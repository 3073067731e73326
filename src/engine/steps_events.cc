// Reading the old master's events, and enabling them on the new one.
#include "engine/steps_events.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

class EnsureEventsEnabled : public ServerStep {
 public:
  EnsureEventsEnabled(Node& node, MasterEvents of_old_master, Log& log)
      : ServerStep(node, log), old_(std::move(of_old_master)) {}

  std::string kind() const override { return "ensure_events_enabled"; }
  std::string description() const override {
    return fmt::format("enable {} event(s) on {}", old_.enabled.size(), node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Result<std::vector<ScheduledEvent>> here = server.value()->scheduled_events(deadline);
    if (!here.ok()) return here.error();
    std::vector<std::string> failures;
    std::vector<std::string> by_hand;
    for (const EventName& wanted : old_.enabled) {
      const auto found = std::ranges::find_if(here.value(), [&wanted](const ScheduledEvent& one) {
        return one.schema == wanted.schema && one.name == wanted.name;
      });
      if (found == here.value().end()) {
        log().warning("{} does not have the event {}.{} of the old master", node().title(),
                      wanted.schema, wanted.name);
        continue;
      }
      if (found->status == EventStatus::kEnabled) continue;
      if (!is_of_old_master(*found)) {
        log().warning("the event {}.{} stays disabled on {}: it was altered there", wanted.schema,
                      wanted.name, node().title());
        continue;
      }
      const Status done = server.value()->enable_event(*found, deadline);
      if (done.ok()) continue;
      failures.push_back(done.error().message);
      by_hand.push_back(
          mysql_by_hand(fmt::format("ALTER EVENT `{}`.`{}` ENABLE", wanted.schema, wanted.name)));
    }
    if (failures.empty()) return {};
    return Error{Code::kRefused,
                 fmt::format("enabling the events on {}: {}; by hand: {}", node().title(),
                             fmt::join(failures, "; "), fmt::join(by_hand, "; "))};
  }

 private:
  [[nodiscard]] bool is_of_old_master(const ScheduledEvent& event) const {
    return event.status == EventStatus::kDisabledOnReplica && event.originator == old_.server_id;
  }

  MasterEvents old_;
};

}  // namespace

Result<MasterEvents> enabled_events(Node& master, Deadline deadline) {
  Result<MysqlServer*> server = master.mysql(deadline);
  if (!server.ok()) return server.error();
  const Result<std::vector<ScheduledEvent>> all =
      server.value()->replication().scheduled_events(deadline);
  if (!all.ok()) return all.error();
  MasterEvents events{server.value()->identity().server_id, {}};
  for (const ScheduledEvent& event : all.value()) {
    if (event.status == EventStatus::kEnabled) events.enabled.push_back({event.schema, event.name});
  }
  return events;
}

json to_json(const MasterEvents& events) {
  json names = json::array();
  for (const EventName& event : events.enabled) {
    names.push_back({{"schema", event.schema}, {"name", event.name}});
  }
  return json{{"server_id", events.server_id}, {"enabled", std::move(names)}};
}

MasterEvents events_from_json(const json& value) {
  MasterEvents events;
  if (!value.is_object()) return events;
  events.server_id = value.value("server_id", std::uint32_t{0});
  for (const json& event : value.value("enabled", json::array())) {
    if (!event.is_object()) continue;
    events.enabled.push_back({event.value("schema", ""), event.value("name", "")});
  }
  return events;
}

std::unique_ptr<Step> ensure_events_enabled(Node& node, MasterEvents of_old_master, Log& log) {
  return std::make_unique<EnsureEventsEnabled>(node, std::move(of_old_master), log);
}

}  // namespace mha
