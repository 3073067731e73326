// Checks of the values that the suite's own configuration may have, and what they mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/host_settings.h"

namespace mha {

// Each takes a trimmed value. Errors are kConfig; the message says what the value is not and what
// to write instead, and names neither file nor key.

// yes or no, in any case.
Result<bool> parse_yes_no(std::string_view value);

// ADDRESS/PREFIX, v4 or v6; nullopt where empty.
Result<std::optional<Cidr>> parse_cidr(std::string_view value);

// Whether all bits behind the prefix are 0 (or, v4, 1): an address that no host can have.
bool is_network_or_broadcast(const Cidr& cidr);

// The name of a network interface: letters, digits and _-.@+, fifteen of them at most; or empty.
Result<std::string> parse_interface(std::string_view value);

// Whole seconds, up to a day.
Result<std::chrono::seconds> parse_seconds(std::string_view value);
Result<std::chrono::seconds> parse_positive_seconds(std::string_view value);

Result<std::uint16_t> parse_port(std::string_view value);

// "user@host", plain; or empty.
Result<std::string> parse_mail_address(std::string_view value);
// One or more of them, separated by commas; or empty.
Result<std::vector<std::string>> parse_mail_addresses(std::string_view value);

struct HostAndPort {
  std::string host;                   // without brackets
  std::optional<std::uint16_t> port;  // where written
};
// host, host:port, [v6]:port, [v6], v6.
Result<HostAndPort> parse_host_and_port(std::string_view value);

// An absolute path, which need not exist; or empty.
Result<std::string> parse_path(std::string_view value);
// One line of anything; or empty.
Result<std::string> parse_text(std::string_view value);

Result<VipType> parse_vip_type(std::string_view value);
Result<UnfencedFailover> parse_unfenced_failover(std::string_view value);
Result<SmtpSecurity> parse_smtp_security(std::string_view value);
Result<MysqlTlsMode> parse_mysql_ssl_mode(std::string_view value);

}  // namespace mha
