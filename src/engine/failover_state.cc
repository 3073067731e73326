// To the journal and back.
#include "engine/failover_state.h"

#include <fmt/core.h>

#include <utility>

namespace mha {

namespace {

using nlohmann::json;

constexpr const char* kAppliedByUs = "applied_by_us";

// Empty where there is none.
json object_in(const json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_object() ? *found : json::object();
}

Salvage::Ending ending_in(const json& salvage) {
  const auto number = salvage.value("ending", 0U);
  return number <= static_cast<unsigned>(Salvage::Ending::kInPart)
             ? static_cast<Salvage::Ending>(number)
             : Salvage::Ending::kNotTried;
}

}  // namespace

void note_applied(AppliedByUs applied, FailoverState& state, Journal& journal, Log& log) {
  Status noted = journal.append(json{{"event", kAppliedByUs},
                                     {"file", applied.end.file},
                                     {"position", applied.end.position},
                                     {"whole", applied.whole}});
  if (noted.ok()) noted = journal.sync();
  if (!noted.ok()) log.warning("{}", noted.error().message);
  state.applied = std::move(applied);
}

std::optional<AppliedByUs> applied_by_us(const JournalFile& journal) {
  std::optional<AppliedByUs> last;
  for (const json& record : journal.records) {
    if (record.value("event", "") != kAppliedByUs) continue;
    last = AppliedByUs{{record.value("file", ""), record.value("position", std::uint64_t{0})},
                       record.value("whole", false)};
  }
  return last;
}

bool is_told_of_applied(ServerFamily family, GtidUse gtid_use) {
  return family == ServerFamily::kMysql && gtid_use != GtidUse::kNone;
}

std::string applied_in_part_text(const NodeSpec& next, const std::string& source) {
  return fmt::format(
      "a part of what was to be brought over is on {0}, and its replication does not know it: run "
      "the failover again with --new_master_host={0}, or rebuild {0} before it replicates from {1} "
      "again",
      next.host, source);
}

json to_json(const FailoverState& state) {
  json value = to_json(state.handover);
  value["salvage"] = {{"ending", static_cast<int>(state.salvage.ending)},
                      {"why", state.salvage.why},
                      {"from", state.salvage.from},
                      {"file", state.salvage.events.file},
                      {"transactions", state.salvage.events.transactions},
                      {"torn", state.salvage.events.torn},
                      {"left_out", state.salvage.events.left_out},
                      {"end_file", state.salvage.events.end.file},
                      {"end_position", state.salvage.events.end.position}};
  value["fence"] = {
      {"moves_address", state.fence.moves_address}, {"late", state.fence.late},
      {"address_off", state.fence.address_off},     {"server_down", state.fence.server_down},
      {"powered_off", state.fence.powered_off},     {"host_answers", state.fence.host_answers},
      {"script_called", state.fence.script_called}, {"rungs", state.fence.rungs}};
  value["after_salvage"] = {{"file", state.after_salvage.file},
                            {"position", state.after_salvage.position}};
  return value;
}

Result<FailoverState> failover_state_from_json(const json& value) {
  Result<Handover> handover = handover_from_json(value);
  if (!handover.ok()) return handover.error();
  FailoverState state;
  state.handover = std::move(handover).value();
  const json salvage = object_in(value, "salvage");
  state.salvage.ending = ending_in(salvage);
  state.salvage.why = salvage.value("why", "");
  state.salvage.from = salvage.value("from", "");
  state.salvage.events.file = salvage.value("file", "");
  state.salvage.events.transactions = salvage.value("transactions", std::vector<std::string>{});
  state.salvage.events.torn = salvage.value("torn", false);
  state.salvage.events.left_out = salvage.value("left_out", std::uint64_t{0});
  state.salvage.events.end = {salvage.value("end_file", ""),
                              salvage.value("end_position", std::uint64_t{0})};
  const json fence = object_in(value, "fence");
  state.fence.moves_address = fence.value("moves_address", true);
  state.fence.late = fence.value("late", "");
  state.fence.address_off = fence.value("address_off", false);
  state.fence.server_down = fence.value("server_down", false);
  state.fence.powered_off = fence.value("powered_off", false);
  state.fence.host_answers = fence.value("host_answers", false);
  state.fence.script_called = fence.value("script_called", false);
  state.fence.rungs = fence.value("rungs", std::vector<std::string>{});
  const json after = object_in(value, "after_salvage");
  state.after_salvage = {after.value("file", ""), after.value("position", std::uint64_t{0})};
  return state;
}

}  // namespace mha
