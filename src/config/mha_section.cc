// MHA's rules for one section (M:lib/MHA/Config.pm, parse_server), which the tests hold against
// MHA.
#include "config/mha_section.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/ascii.h"
#include "config/host_name.h"
#include "config/mha_params.h"
#include "config/option_values.h"

namespace mha {
namespace {

bool is_quote(char c) { return c == '\'' || c == '"'; }

// MHA drops a quote at the end, whichever it is, and one at the beginning if there was one at the
// end.
std::string_view without_quotes(std::string_view value) {
  if (value.empty() || !is_quote(value.back())) {
    return value;
  }
  value.remove_suffix(1);
  if (!value.empty() && is_quote(value.front())) {
    value.remove_prefix(1);
  }
  return value;
}

bool is_false(std::string_view perl_value) { return perl_value.empty() || perl_value == "0"; }

bool is_positive_int(std::string_view value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !value.empty() && std::all_of(value.begin(), value.end(), is_digit) &&
         value.find_first_not_of('0') != std::string_view::npos;
}

std::string current_user() {
  constexpr std::size_t kEnough = 16384;
  std::vector<char> buffer(kEnough);
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : "";
}

// A line that a password was broken over must not show up as a key in a message.
bool looks_like_a_name(std::string_view key) {
  constexpr std::size_t kLongest = 40;
  return key.size() <= kLongest && std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
                  (c >= '0' && c <= '9');
         });
}

// The changes that MHA makes to some values on the way.
std::string settled(const std::string& name, std::string value) {
  if (name == "ssh_options") {
    std::erase_if(value, is_quote);
  } else if (name == "master_binlog_dir") {
    std::erase_if(value, is_space);
  } else if (name == "ping_type") {
    value = upper_case(value);
  }
  return std::string(without_quotes(value));
}

std::optional<std::string> found_in(const std::map<std::string, std::string>& values,
                                    const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

// MHA asks the resolver where the SSH host is another than the host; we know only what is written.
std::optional<std::string> ssh_ip_of(const MhaValues& own) {
  const auto hostname = found_in(own.texts, "hostname");
  const auto ssh_host = found_in(own.texts, "ssh_host");
  if (hostname && (!ssh_host || *ssh_host == *hostname)) {
    return found_in(own.texts, "ip");
  }
  return ssh_host && parse_address(*ssh_host) ? ssh_host : std::nullopt;
}

}  // namespace

std::string MhaValues::text(const std::string& name) const {
  return found_in(texts, name).value_or("");
}

Secret MhaValues::password(const std::string& name) const {
  const auto found = passwords.find(name);
  return found == passwords.end() ? Secret{} : found->second;
}

MhaSection::MhaSection(std::string file, std::string name, int line)
    : file_(std::move(file)), name_(std::move(name)), line_(line) {}

Diagnostic MhaSection::remark(Severity severity, const std::string& key,
                              std::string message) const {
  const auto found = lines_.find(key);
  return {severity,         file_, found == lines_.end() ? line_ : found->second,
          printable(name_), key,   std::move(message)};
}

void MhaSection::add(const IniSection& part) {
  for (const IniRow& row : part.rows) {
    const std::string key(row.key);
    const auto before = lines_.find(key);
    const std::optional<int> line_before =
        before == lines_.end() ? std::nullopt : std::optional(before->second);
    const MhaParam* param = find_mha_param(key);
    if (param == nullptr) {
      const bool shown = looks_like_a_name(key);
      remarks_.push_back({Severity::kError, file_, row.line, printable(name_), shown ? key : "",
                          shown ? "MHA knows no such parameter" + mha_param_suggestion(key)
                                : "what stands before '=' is no parameter name"});
      continue;
    }
    lines_[key] = row.line;
    if (line_before) {
      remarks_.push_back(
          remark(Severity::kWarning, key,
                 fmt::format("is given in line {} already; this line counts", *line_before)));
    }
    if (param->kind == MhaValueKind::kPassword) {
      own_.passwords[key] = Secret(std::string(row.value));
    } else {
      own_.texts[key] = std::string(row.value);
      check(row);
    }
  }
}

void MhaSection::check(const IniRow& row) {
  const std::string key(row.key);
  const auto refuse = [&](const std::string& message) {
    remarks_.push_back(remark(Severity::kError, key, message));
  };
  switch (find_mha_param(key)->kind) {
    case MhaValueKind::kPort: {
      if (name_ == "server default" && is_false(row.value)) {
        break;  // hosts get the built-in default then
      }
      const auto port = parse_port(without_quotes(row.value));
      if (!port.ok()) {
        refuse(port.error().message);
      }
      break;
    }
    case MhaValueKind::kPositive:
      if (!is_positive_int(row.value)) {
        refuse(fmt::format("'{}' is not a whole number above 0", printable(row.value)));
      }
      break;
    case MhaValueKind::kPingType: {
      constexpr std::array<std::string_view, 3> kTypes = {"SELECT", "CONNECT", "INSERT"};
      const std::string type = upper_case(row.value);
      if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
        refuse(fmt::format("'{}' is none of: SELECT, CONNECT, INSERT", printable(row.value)));
      }
      break;
    }
    case MhaValueKind::kHost:
    case MhaValueKind::kSshHost:
    case MhaValueKind::kSshUser:
      check_name(row);
      break;
    case MhaValueKind::kText:
    case MhaValueKind::kPassword:
      break;
  }
}

void MhaSection::check_name(const IniRow& row) {
  const std::string_view name = without_quotes(row.value);
  if (is_false(name)) return;  // as if it were missing
  const MhaValueKind kind = find_mha_param(row.key)->kind;
  const bool is_user = kind == MhaValueKind::kSshUser;
  const bool good = is_user                          ? is_ssh_user(name)
                    : kind == MhaValueKind::kSshHost ? is_ssh_host(name)
                                                     : is_host(name);
  if (good) return;
  remarks_.push_back(
      remark(Severity::kError, std::string(row.key),
             fmt::format("'{}' is {}", printable(name),
                         is_user ? "no user's name" : "neither a host name nor an address")));
}

std::vector<Diagnostic> MhaSection::ignored_as_default() const {
  std::vector<Diagnostic> ignored;
  for (const auto& [name, value] : own_.texts) {
    const bool own_only = find_mha_param(name)->inheritance == MhaInheritance::kOwnSection;
    if (own_only && name != "ssh_options") {
      ignored.push_back(
          remark(Severity::kWarning, name, "MHA heeds it in a host's own section only"));
    }
  }
  return ignored;
}

MhaValues MhaSection::over(const MhaValues& inherited) const {
  MhaValues result;
  for (const MhaParam& param : mha_params()) {
    const std::string name(param.name);
    const bool inherits = param.inheritance == MhaInheritance::kInherited;
    if (param.kind == MhaValueKind::kPassword) {
      const bool is_own = own_.passwords.contains(name);
      const Secret password = (is_own ? own_ : inherited).password(name);
      result.passwords[name] = Secret(std::string(without_quotes(password.reveal())));
      continue;
    }
    auto value = found_in(own_.texts, name);
    if (!value) {
      value = inherits ? found_in(inherited.texts, name) : std::nullopt;
      const bool wants_default =
          !value || (param.defaulting == MhaDefaulting::kWhereFalse && is_false(*value));
      if (wants_default && !param.default_text.empty()) {
        value = std::string(param.default_text);
      }
      if (name == "ssh_user" && (!value || is_false(*value))) {
        value = current_user();
      }
      if (name == "ssh_host") {
        value = found_in(own_.texts, "hostname");
      }
    }
    if (name == "ssh_ip") {
      value = ssh_ip_of(own_);
    }
    if (value) {
      result.texts[name] = settled(name, *std::move(value));
    }
  }
  return result;
}

}  // namespace mha
