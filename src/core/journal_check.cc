// One table of the members' types, whoever writes them.
#include "core/journal_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mha {
namespace {

using nlohmann::json;

bool is_text(const json& value) { return value.is_string(); }
bool is_flag(const json& value) { return value.is_boolean(); }
bool is_object(const json& value) { return value.is_object(); }
bool is_texts(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), is_text);
}
bool is_objects(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), is_object);
}

template <std::uint64_t kMost>
bool is_number(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= kMost;
}
constexpr auto kLargest32 = std::numeric_limits<std::uint32_t>::max();
constexpr auto kLargest64 = std::numeric_limits<std::uint64_t>::max();

struct Member {
  std::string_view name;
  bool (*is_right)(const json&);
  std::string_view wanted;
};

constexpr std::string_view kText = "a text";
constexpr std::string_view kFlag = "true or false";
constexpr std::string_view kObject = "an object";
constexpr std::string_view kPort = "a port";
constexpr std::string_view kNumber = "a number in its range";

constexpr std::array kMembers{
    // Of every record.
    Member{"event", is_text, kText}, Member{"time", is_text, kText}, Member{"step", is_text, kText},
    Member{"kind", is_text, kText}, Member{"parameters", is_object, kObject},
    Member{"found", is_object, kObject}, Member{"error", is_text, kText},
    Member{"reason", is_text, kText}, Member{"text", is_text, kText},
    Member{"done", is_flag, kFlag}, Member{"by", is_text, kText},
    Member{"facts", is_object, kObject}, Member{"ending", is_number<21>, kNumber},
    // Of the header.
    Member{"operation", is_text, kText}, Member{"application", is_text, kText},
    Member{"engine", is_text, kText}, Member{"keep_as", is_text, kText},
    Member{"orig_master_is_new_slave", is_flag, kFlag}, Member{"semi_sync", is_flag, kFlag},
    Member{"events", is_flag, kFlag}, Member{"disabled_events", is_texts, "a list of texts"},
    Member{"like", is_object, kObject}, Member{"master_events", is_object, kObject},
    // Of hosts, servers and what they were found to be.
    Member{"host", is_text, kText}, Member{"port", is_number<65535>, kPort},
    Member{"read_only", is_text, kText}, Member{"super_read_only", is_flag, kFlag},
    Member{"vip", is_text, kText}, Member{"put_back", is_text, kText},
    Member{"receiver", is_flag, kFlag}, Member{"applier", is_flag, kFlag},
    Member{"source_enabled", is_flag, kFlag}, Member{"source_host", is_text, kText},
    Member{"source_port", is_number<65535>, kPort}, Member{"gtid_use", is_number<2>, kNumber},
    Member{"connect_retry", is_number<kLargest32>, kNumber}, Member{"tls", is_flag, kFlag},
    Member{"verify_server", is_flag, kFlag}, Member{"ca", is_text, kText},
    Member{"ca_path", is_text, kText}, Member{"certificate", is_text, kText},
    Member{"key", is_text, kText}, Member{"cipher", is_text, kText}, Member{"crl", is_text, kText},
    Member{"crl_path", is_text, kText}, Member{"get_public_key", is_flag, kFlag},
    Member{"public_key_path", is_text, kText}, Member{"server_id", is_number<kLargest32>, kNumber},
    Member{"enabled", is_objects, "a list of objects"}, Member{"schema", is_text, kText},
    Member{"name", is_text, kText},
    // Of a handover and of a failover's state.
    Member{"file", is_text, kText}, Member{"position", is_number<kLargest64>, kNumber},
    Member{"gtids", is_text, kText}, Member{"salvage", is_object, kObject},
    Member{"why", is_text, kText}, Member{"from", is_text, kText},
    Member{"script_called", is_flag, kFlag}, Member{"transactions", is_texts, "a list of texts"},
    Member{"after_salvage", is_object, kObject}, Member{"rungs", is_texts, "a list of texts"},
    Member{"address_off", is_flag, kFlag}, Member{"server_down", is_flag, kFlag},
    Member{"powered_off", is_flag, kFlag}, Member{"host_answers", is_flag, kFlag},
    Member{"fenced", is_flag, kFlag}};

// Ours are 4 deep; a limit, since this calls itself.
constexpr int kDeepest = 16;

Status check_members(const json& object, int depth);

Status check_nested(const json& value, int depth) {
  if (depth > kDeepest) return Error{Code::kInternal, "it has too many levels"};
  if (value.is_object()) return check_members(value, depth + 1);
  if (!value.is_array()) return {};
  for (const json& one : value) {
    if (const Status checked = check_nested(one, depth + 1); !checked.ok()) return checked;
  }
  return {};
}

const Member* find_member(const std::string& name) {
  const auto* const found = std::find_if(kMembers.begin(), kMembers.end(),
                                         [&](const Member& one) { return one.name == name; });
  return found == kMembers.end() ? nullptr : found;
}

Status check_members(const json& object, int depth) {
  for (const auto& [name, value] : object.items()) {
    const Member* known = find_member(name);
    if (known != nullptr && !known->is_right(value)) {
      return Error{Code::kInternal, fmt::format("'{}' is not {}", known->name, known->wanted)};
    }
    if (const Status checked = check_nested(value, depth); !checked.ok()) return checked;
  }
  return {};
}

}  // namespace

Status check_journal_record(const json& record) {
  if (!record.is_object()) return Error{Code::kInternal, "it is no record"};
  return check_members(record, 0);
}

}  // namespace mha
