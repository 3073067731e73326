// The checks, each with a message that says what to write.
#include "config/option_values.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/host_name.h"

namespace mha {
namespace {

constexpr unsigned kLongestWait = 24 * 60 * 60;  // seconds

template <typename... Args>
Error wrong(fmt::format_string<Args...> format, Args&&... args) {
  return Error{Code::kConfig, fmt::format(format, std::forward<Args>(args)...)};
}

// Digits and nothing else.
std::optional<unsigned> parse_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

template <typename T>
Result<T> one_of(std::string_view value,
                 std::initializer_list<std::pair<std::string_view, T>> known) {
  const std::string wanted = lower_case(value);
  std::vector<std::string_view> names;
  for (const auto& [name, meaning] : known) {
    if (name == wanted) {
      return meaning;
    }
    names.push_back(name);
  }
  return wrong("'{}' is none of: {}", printable(value), fmt::join(names, ", "));
}

Result<std::chrono::seconds> seconds_from(std::string_view value, unsigned least) {
  const auto number = parse_number(value);
  if (!number || *number < least || *number > kLongestWait) {
    return wrong("'{}' is not a number of whole seconds from {} to {}", printable(value), least,
                 kLongestWait);
  }
  return std::chrono::seconds{*number};
}

std::array<unsigned char, 16> bytes_of(const Cidr& cidr) {
  std::array<unsigned char, 16> bytes{};
  inet_pton(cidr.is_v6 ? AF_INET6 : AF_INET, cidr.address.c_str(), bytes.data());
  return bytes;
}

// Addresses that no host can be reached at.
bool is_reserved(const Cidr& cidr) {
  const auto bytes = bytes_of(cidr);
  const bool unspecified = std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; });
  const bool multicast = cidr.is_v6 ? bytes[0] == 0xff : bytes[0] >= 224;  // v4: and class E
  return unspecified || multicast || (!cidr.is_v6 && bytes[0] == 0);
}

bool is_local_part_character(char c) {
  constexpr std::string_view kSpecial = "!#$%&'*+-/=?^_`{|}~.";  // RFC 5322's atext, and the dot
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kSpecial.find(c) != std::string_view::npos;
}

bool is_mail_domain(std::string_view domain) {
  if (!domain.starts_with('[')) {
    // is_host also takes a bare address, which mail wants in brackets.
    return is_host(domain) && !parse_address(domain) && !domain.ends_with('.');
  }
  if (!domain.ends_with(']')) {
    return false;
  }
  constexpr std::string_view kV6 = "IPv6:";
  std::string_view literal = domain.substr(1, domain.size() - 2);
  const bool v6 = literal.starts_with(kV6);
  literal.remove_prefix(v6 ? kV6.size() : 0);
  const auto address = parse_address(literal);
  return address && (address->family == AddressFamily::kV6) == v6;
}

}  // namespace

Result<bool> parse_yes_no(std::string_view value) {
  const std::string answer = lower_case(value);
  if (answer != "yes" && answer != "no") {
    return wrong("'{}' is neither yes nor no", printable(value));
  }
  return answer == "yes";
}

Result<std::optional<Cidr>> parse_cidr(std::string_view value) {
  if (value.empty()) {
    return std::optional<Cidr>{};
  }
  const auto slash = value.find('/');
  const auto address = parse_address(value.substr(0, slash));
  if (!address) {
    return wrong("'{}' is not an address with prefix length, like 192.0.2.10/24 or 2001:db8::10/64",
                 printable(value));
  }
  const bool is_v6 = address->family == AddressFamily::kV6;
  if (slash == std::string_view::npos) {
    return wrong("'{}' lacks the prefix length: write {}/{} or what your network has",
                 printable(value), address->text, is_v6 ? 64 : 24);
  }
  const unsigned longest = is_v6 ? 128 : 32;
  const auto prefix_length = parse_number(value.substr(slash + 1));
  if (!prefix_length || *prefix_length < 1 || *prefix_length > longest) {
    return wrong("'{}' has no prefix length from 1 to {}", printable(value), longest);
  }
  Cidr cidr{address->text, *prefix_length, is_v6};
  if (is_reserved(cidr)) {
    return wrong("'{}' is not an address that a host can have", printable(value));
  }
  return std::optional(std::move(cidr));
}

bool is_network_or_broadcast(const Cidr& cidr) {
  const auto bytes = bytes_of(cidr);
  const unsigned bits = cidr.is_v6 ? 128 : 32;
  // The last two lengths have no network address: RFC 3021 and RFC 6164.
  if (cidr.prefix_length + 1 >= bits) {
    return false;
  }
  unsigned ones = 0;
  for (unsigned bit = cidr.prefix_length; bit < bits; ++bit) {
    ones += (bytes[bit / 8] >> (7 - bit % 8)) & 1U;
  }
  return ones == 0 || (!cidr.is_v6 && ones == bits - cidr.prefix_length);
}

Result<std::string> parse_interface(std::string_view value) {
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ - 1
  constexpr std::string_view kSpecial = "_-.@+";
  // Linux allows nearly everything (net/core/dev.c, dev_valid_name), and nobody has it: what a
  // shell or ip's own batches would read as something else is refused. So is a leading dash, which
  // commands would take for an option.
  const auto is_good = [kSpecial](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSpecial.find(c) != std::string_view::npos;
  };
  if (value.size() > kLongest || !std::all_of(value.begin(), value.end(), is_good) ||
      value == "." || value == ".." || value.starts_with('-')) {
    return wrong("'{}' is not the name of a network interface (up to {} letters, digits and {})",
                 printable(value), kLongest, kSpecial);
  }
  return std::string(value);
}

Result<std::chrono::seconds> parse_seconds(std::string_view value) {
  return seconds_from(value, 0);
}

Result<std::chrono::seconds> parse_positive_seconds(std::string_view value) {
  return seconds_from(value, 1);
}

Result<std::uint16_t> parse_port(std::string_view value) {
  const auto number = parse_number(value);
  if (!number || *number < 1 || *number > 65535) {
    return wrong("'{}' is not a port: a number from 1 to 65535", printable(value));
  }
  return static_cast<std::uint16_t>(*number);
}

Result<std::string> parse_mail_address(std::string_view value) {
  if (value.empty()) {
    return std::string{};
  }
  constexpr std::size_t kLongestLocalPart = 64;  // RFC 5321 4.5.3.1.1
  const auto at = value.rfind('@');
  const std::string_view local = value.substr(0, at);
  if (at == std::string_view::npos || local.empty() || local.size() > kLongestLocalPart ||
      !std::all_of(local.begin(), local.end(), is_local_part_character) ||
      !is_mail_domain(value.substr(at + 1))) {
    return wrong("'{}' is not a mail address like dba@example.com", printable(value));
  }
  return std::string(value);
}

Result<std::vector<std::string>> parse_mail_addresses(std::string_view value) {
  std::vector<std::string> addresses;
  std::string_view rest = trimmed(value);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view item = trimmed(rest.substr(0, comma));
    if (item.empty()) {
      return wrong("'{}' has a comma with no address beside it", printable(value));
    }
    auto address = parse_mail_address(item);
    if (!address.ok()) {
      return address.error();
    }
    addresses.push_back(std::move(address).value());
    if (comma == std::string_view::npos) {
      break;
    }
    rest = trimmed(rest.substr(comma + 1));
    if (rest.empty()) {
      return wrong("'{}' has a comma with no address beside it", printable(value));
    }
  }
  return addresses;
}

Result<HostAndPort> parse_host_and_port(std::string_view value) {
  // Not quoted where it may be a URL with a password in it.
  const std::string shown =
      value.find('@') == std::string_view::npos ? printable(value) : "...@...";
  const Error refused = wrong(
      "'{}' is not a mail server: write host, host:port, [v6 address]:port or an address", shown);
  std::string_view host = value;
  std::string_view port;
  bool has_port = false;
  if (value.starts_with('[')) {
    const auto end = value.find(']');
    if (end == std::string_view::npos) {
      return refused;
    }
    host = value.substr(1, end - 1);
    const std::string_view rest = value.substr(end + 1);
    const auto address = parse_address(host);
    if (!address || address->family != AddressFamily::kV6 ||
        (!rest.empty() && !rest.starts_with(':'))) {
      return refused;
    }
    has_port = !rest.empty();
    port = rest.substr(has_port ? 1 : 0);
  } else if (!parse_address(value)) {
    const auto colon = value.find(':');
    has_port = colon != std::string_view::npos;
    host = value.substr(0, colon);
    port = has_port ? value.substr(colon + 1) : std::string_view{};
  }
  if (!is_host(host) || value.find_first_of("@/") != std::string_view::npos) {
    return refused;
  }
  HostAndPort result{std::string(host), std::nullopt};
  if (has_port) {
    const auto number = parse_port(port);
    if (!number.ok()) {
      return number.error();
    }
    result.port = number.value();
  }
  return result;
}

Result<std::string> parse_path(std::string_view value) {
  if (!value.empty() && !value.starts_with('/')) {
    return wrong("'{}' is not an absolute path: MHA runs hooks in a folder of its own choice",
                 printable(value));
  }
  return parse_text(value);
}

Result<std::string> parse_text(std::string_view value) {
  if (value.find('\n') != std::string_view::npos) {
    return wrong("has more than one line");
  }
  return std::string(value);
}

Result<VipType> parse_vip_type(std::string_view value) {
  return one_of<VipType>(value, {{"none", VipType::kNone},
                                 {"metal", VipType::kMetal},
                                 {"aws", VipType::kAws},
                                 {"openstack", VipType::kOpenstack}});
}

Result<UnfencedFailover> parse_unfenced_failover(std::string_view value) {
  return one_of<UnfencedFailover>(
      value, {{"proceed", UnfencedFailover::kProceed}, {"refuse", UnfencedFailover::kRefuse}});
}

Result<SmtpSecurity> parse_smtp_security(std::string_view value) {
  return one_of<SmtpSecurity>(value, {{"none", SmtpSecurity::kNone},
                                      {"starttls", SmtpSecurity::kStartTls},
                                      {"tls", SmtpSecurity::kTls}});
}

Result<MysqlTlsMode> parse_mysql_ssl_mode(std::string_view value) {
  return one_of<MysqlTlsMode>(value, {{"disabled", MysqlTlsMode::kDisabled},
                                      {"preferred", MysqlTlsMode::kPreferred},
                                      {"required", MysqlTlsMode::kRequired},
                                      {"verify_ca", MysqlTlsMode::kVerifyCa},
                                      {"verify_identity", MysqlTlsMode::kVerifyIdentity}});
}

}  // namespace mha
