// One line an address: "2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global secondary
// eth0\  ...".
#include "vip/address_list.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstring>
#include <sstream>

namespace mha {
namespace {

using AddressBytes = std::array<unsigned char, 16>;

// v4 and v6 never compare equal: the family is asked first.
std::optional<AddressBytes> bytes_of(const std::string& address, int family) {
  AddressBytes bytes{};
  if (inet_pton(family, address.c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

bool same_address(const std::string& a, const std::string& b) {
  for (const int family : {AF_INET, AF_INET6}) {
    const auto left = bytes_of(a, family);
    const auto right = bytes_of(b, family);
    if (left.has_value() && right.has_value()) return *left == *right;
  }
  return false;
}

std::optional<InterfaceAddress> parse_line(const std::string& line) {
  std::istringstream words(line);
  std::string index;
  std::string family;
  std::string local;
  InterfaceAddress entry;
  if (!(words >> index >> entry.interface >> family >> local)) return std::nullopt;
  if (family != "inet" && family != "inet6") return std::nullopt;
  entry.interface = entry.interface.substr(0, entry.interface.find('@'));
  const std::size_t slash = local.find('/');
  entry.address = local.substr(0, slash);
  // It may become a word of a command.
  if (!bytes_of(entry.address, family == "inet" ? AF_INET : AF_INET6)) return std::nullopt;
  if (slash == std::string::npos) {
    entry.prefix_length = family == "inet" ? 32 : 128;  // "10.0.0.1 peer 10.0.0.2/32"
  } else {
    const char* begin = local.data() + slash + 1;
    if (std::from_chars(begin, local.data() + local.size(), entry.prefix_length).ec !=
        std::errc{}) {
      return std::nullopt;
    }
  }
  for (std::string word; words >> word && word != "\\";) {
    if (word == "peer") words >> entry.peer;
    if (word == "tentative") entry.tentative = true;
    if (word == "dadfailed") entry.dad_failed = true;
  }
  return entry;
}

}  // namespace

std::string InterfaceAddress::cidr() const { return fmt::format("{}/{}", address, prefix_length); }

std::vector<std::string> InterfaceAddress::words() const {
  if (peer.empty()) return {cidr()};
  return {address, "peer", peer};
}

std::vector<InterfaceAddress> parse_ip_addr(std::string_view text) {
  std::vector<InterfaceAddress> addresses;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    if (auto entry = parse_line(line)) addresses.push_back(std::move(*entry));
  }
  return addresses;
}

std::optional<InterfaceAddress> find_address(const std::vector<InterfaceAddress>& addresses,
                                             const Cidr& wanted,
                                             const std::string& preferred_interface) {
  std::optional<InterfaceAddress> found;
  for (const InterfaceAddress& entry : addresses) {
    if (!same_address(entry.address, wanted.address)) continue;
    if (entry.interface == preferred_interface) return entry;
    if (!found.has_value()) found = entry;
  }
  return found;
}

}  // namespace mha
