// Comparing addresses, ranges and pairs.
#include "vip/neutron_types.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mha {
namespace {

// Nullopt where it is neither ADDRESS nor ADDRESS/LENGTH.
struct Range {
  std::array<unsigned char, 16> bytes{};
  unsigned length = 0;
  bool is_v6 = false;
};

std::optional<Range> range_of(const std::string& text) {
  Range range;
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  range.is_v6 = address.find(':') != std::string::npos;
  if (inet_pton(range.is_v6 ? AF_INET6 : AF_INET, address.c_str(), range.bytes.data()) != 1) {
    return std::nullopt;
  }
  range.length = range.is_v6 ? 128 : 32;
  if (slash == std::string::npos) return range;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, range.length);
  if (error != std::errc{} || rest != end || range.length > (range.is_v6 ? 128U : 32U)) {
    return std::nullopt;
  }
  return range;
}

bool is_whole_address(const Range& range) { return range.length == (range.is_v6 ? 128U : 32U); }

bool holds(const Range& range, const Range& address) {
  if (range.is_v6 != address.is_v6) return false;
  for (unsigned bit = 0; bit < range.length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((range.bytes[bit / 8] ^ address.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

bool range_holds(const std::string& cidr, const Cidr& address) {
  const std::optional<Range> range = range_of(cidr);
  const std::optional<Range> wanted = range_of(address.address);
  return range.has_value() && wanted.has_value() && holds(*range, *wanted);
}

bool NeutronPort::has_fixed_ip(const std::string& address) const {
  return std::any_of(fixed_ips.begin(), fixed_ips.end(),
                     [&](const FixedIp& fixed) { return fixed.address == address; });
}

PairMatch NeutronPort::pair_for(const Cidr& vip) const {
  PairMatch match = PairMatch::kNone;
  for (const AddressPair& pair : pairs) {
    // One for another link-layer address (VRRP's) does not pass what this server sends.
    if (!pair.mac.empty() && pair.mac != mac) continue;
    const std::optional<Range> range = range_of(pair.address);
    if (!range.has_value() || !range_holds(pair.address, vip)) continue;
    if (!is_whole_address(*range)) return PairMatch::kWider;
    match = PairMatch::kExact;
  }
  return match;
}

bool NeutronPort::lets_through(const Cidr& vip) const {
  return !port_security || has_fixed_ip(vip.address) || pair_for(vip) != PairMatch::kNone;
}

std::vector<FixedIp> NeutronPort::fixed_ips_without(const std::string& address) const {
  std::vector<FixedIp> rest = fixed_ips;
  std::erase_if(rest, [&](const FixedIp& fixed) { return fixed.address == address; });
  return rest;
}

std::vector<AddressPair> NeutronPort::pairs_without(const Cidr& vip) const {
  std::vector<AddressPair> rest = pairs;
  std::erase_if(rest, [&](const AddressPair& pair) {
    const std::optional<Range> range = range_of(pair.address);
    return range.has_value() && is_whole_address(*range) && range_holds(pair.address, vip);
  });
  return rest;
}

}  // namespace mha
