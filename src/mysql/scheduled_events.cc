// information_schema.EVENTS and ALTER EVENT.
#include "mysql/scheduled_events.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "mysql/named_row.h"

namespace mha {
namespace {

constexpr const char* kReading = "reading its events";
constexpr std::string_view kEvents =
    "SELECT EVENT_SCHEMA, EVENT_NAME, STATUS, ORIGINATOR, DEFINER, CHARACTER_SET_CLIENT, "
    "COLLATION_CONNECTION FROM information_schema.EVENTS ORDER BY EVENT_SCHEMA, EVENT_NAME";
// As a connection begins; see client_library.cc.
constexpr std::string_view kOwnCharacterSet = "SET NAMES utf8mb4";

// SLAVESIDE_DISABLED, and REPLICA_SIDE_DISABLED of newer MySQL.
EventStatus status_from(const std::string& text) {
  if (text == "ENABLED") return EventStatus::kEnabled;
  return text == "DISABLED" ? EventStatus::kDisabled : EventStatus::kDisabledOnReplica;
}

bool is_ascii(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Doubling works in every sql_mode.
std::string quoted(const std::string& text, char quote) {
  std::string out{quote};
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

// "app@10.%" as `app`@`10.%`; a role, which has no host, as `role`.
std::string definer_sql(const std::string& definer) {
  const std::size_t at = definer.rfind('@');
  const std::string user = quoted(definer.substr(0, at), '`');
  const std::string host = at == std::string::npos ? "" : definer.substr(at + 1);
  return host.empty() ? user : user + "@" + quoted(host, '`');
}

}  // namespace

Result<std::vector<ScheduledEvent>> read_scheduled_events(const ReplicationSession& session,
                                                          Deadline deadline) {
  const Result<std::vector<SqlRow>> rows =
      session.connection.rows(std::string{kEvents}, kReading, deadline);
  if (!rows.ok()) return rows.error();
  std::vector<ScheduledEvent> events;
  for (const SqlRow& row : rows.value()) {
    if (row.size() != 7) return session.refused(kReading, "no such answer expected");
    const auto text = [&row](std::size_t column) { return row[column].value_or(""); };
    events.push_back({text(0), text(1), status_from(text(2)), number_in<std::uint32_t>(row[3]),
                      text(4), text(5), text(6)});
  }
  return events;
}

std::vector<std::string> enable_event_sql(const ScheduledEvent& event) {
  const std::string alter =
      fmt::format("ALTER DEFINER={} EVENT {}.{} ENABLE", definer_sql(event.definer),
                  quoted(event.schema, '`'), quoted(event.name, '`'));
  if (!is_ascii(alter) || event.character_set.empty() || event.collation.empty()) return {alter};
  return {fmt::format("SET SESSION character_set_client={}, collation_connection={}",
                      quoted(event.character_set, '\''), quoted(event.collation, '\'')),
          alter};
}

Status enable_event(const ReplicationSession& session, const ScheduledEvent& event,
                    Deadline deadline) {
  const std::string doing = fmt::format("enabling the event {}.{}", event.schema, event.name);
  const std::vector<std::string> statements = enable_event_sql(event);
  const Result<std::vector<StatementResult>> done =
      session.ask({statements.begin(), statements.end()}, doing, deadline);
  // Whatever came of it.
  const Status back = session.execute(kOwnCharacterSet, doing, deadline);
  if (!done.ok()) return done.status();
  if (!back.ok()) return back;
  const Result<std::vector<ScheduledEvent>> now = read_scheduled_events(session, deadline);
  if (!now.ok()) return now.status();
  for (const ScheduledEvent& one : now.value()) {
    if (one.schema != event.schema || one.name != event.name) continue;
    if (one.status == EventStatus::kEnabled) return {};
  }
  return session.refused(doing, "the server took it, and yet it is not enabled");
}

}  // namespace mha
