// The scheduler's events move with the master: who runs them there, and does not on the others.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "core/node.h"
#include "core/step.h"

namespace mha {

struct EventName {
  std::string schema;
  std::string name;
  bool operator==(const EventName&) const = default;
};

// What ran, or would have run with the scheduler on, on a master. Replication disables each event
// on replicas, whether it was enabled or not, so that only the master can tell.
struct MasterEvents {
  std::uint32_t server_id = 0;
  std::vector<EventName> enabled;
};

// Those of the server now.
Result<MasterEvents> enabled_events(Node& master, Deadline deadline);

nlohmann::json to_json(const MasterEvents& events);
// Empty where the journal has none.
MasterEvents events_from_json(const nlohmann::json& value);

// Afterwards the events that were enabled on the old master, and that replication has disabled on
// this server on its behalf, are enabled here. What somebody has disabled or altered here himself
// is left as it is. The replicas of this server, the old master among them, disable theirs by
// replication. After the point of no return: the server takes writes.
std::unique_ptr<Step> ensure_events_enabled(Node& node, MasterEvents of_old_master, Log& log);

}  // namespace mha
