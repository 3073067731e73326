// SET GLOBAL of variables that may have one of several names, read back.
#include "mysql/replication_settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mha {
namespace {

struct Variable {
  std::string name;
  std::string value;
};

// The first of these that the server has.
Result<std::optional<Variable>> find(const ReplicationSession& session,
                                     const std::vector<std::string_view>& names,
                                     const std::string& doing, Deadline deadline) {
  std::string list;
  for (const std::string_view name : names) {
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", name);
  }
  const Result<std::vector<SqlRow>> rows = session.connection.rows(
      fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", list), doing, deadline);
  if (!rows.ok()) return rows.error();
  for (const std::string_view name : names) {
    for (const SqlRow& row : rows.value()) {
      if (row.size() == 2 && row[0] == name) {
        return std::optional{Variable{std::string{name}, row[1].value_or("")}};
      }
    }
  }
  return std::optional<Variable>{};
}

Status set(const ReplicationSession& session, const std::vector<std::string_view>& names,
           Switch wanted, const std::string& what, Deadline deadline) {
  const std::string value = wanted == Switch::kOn ? "ON" : "OFF";
  const std::string doing = fmt::format("setting {} to {}", what, value);
  const auto is_so = [&](const Variable& variable) {
    return (variable.value == "ON") == (wanted == Switch::kOn);
  };
  const Result<std::optional<Variable>> before = find(session, names, doing, deadline);
  if (!before.ok()) return before.error();
  if (!before.value().has_value()) {
    if (wanted == Switch::kOff) return {};
    return session.refused(doing, "the server does not have it");
  }
  if (is_so(*before.value())) return {};
  const std::string& name = before.value()->name;
  const Status done =
      session.execute(fmt::format("SET GLOBAL {}={}", name, value), doing, deadline);
  if (!done.ok()) return done;
  const Result<std::optional<Variable>> after = find(session, {name}, doing, deadline);
  if (!after.ok()) return after.error();
  if (after.value().has_value() && is_so(*after.value())) return {};
  return session.refused(doing, fmt::format("the server took it, and yet {} is not so", name));
}

}  // namespace

Status set_event_scheduler(const ReplicationSession& session, Switch wanted, Deadline deadline) {
  return set(session, {"event_scheduler"}, wanted, "event_scheduler", deadline);
}

Status set_semi_sync(const ReplicationSession& session, SemiSyncRole role, Switch wanted,
                     Deadline deadline) {
  const bool source = role == SemiSyncRole::kSource;
  return set(
      session,
      source ? session.replication().semi_sync_source : session.replication().semi_sync_replica,
      wanted, source ? "semi-sync of a source" : "semi-sync of a replica", deadline);
}

}  // namespace mha
