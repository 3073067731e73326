// Ports, floating IPs and subnets as Neutron describes them (Networking API v2.0), and what they
// say about one address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/host_settings.h"

namespace mha {

struct FixedIp {
  std::string subnet_id;  // empty: Neutron finds it
  std::string address;    // inet_ntop's form
};

struct AddressPair {
  std::string address;  // inet_ntop's form; a range where it has a prefix length
  std::string mac;      // lower case; empty: the port's own
};

// Whether a port passes packets of an address that is none of its own.
enum class PairMatch {
  kNone,
  kWider,  // a range does, which holds other addresses too
  kExact,
};

struct NeutronPort {
  std::string id;
  std::string network_id;
  std::string device_id;           // empty: bound to no server
  std::string device_owner;        // "compute:nova", "network:dhcp"...
  std::string mac;                 // lower case
  std::vector<FixedIp> fixed_ips;  // in no order that means anything
  std::vector<AddressPair> pairs;
  bool port_security = true;  // without it any address passes, and pairs cannot be set
  std::int64_t revision = 0;  // counted up by every change; for If-Match

  [[nodiscard]] bool has_fixed_ip(const std::string& address) const;
  [[nodiscard]] PairMatch pair_for(const Cidr& vip) const;
  // Whether packets of the address pass, by whatever of these.
  [[nodiscard]] bool lets_through(const Cidr& vip) const;
  [[nodiscard]] std::vector<FixedIp> fixed_ips_without(const std::string& address) const;
  [[nodiscard]] std::vector<AddressPair> pairs_without(const Cidr& vip) const;
};

struct NeutronFloatingIp {
  std::string id;
  std::string address;        // the public one
  std::string port_id;        // empty: it leads nowhere
  std::string fixed_address;  // of that port
  std::string status;
  std::int64_t revision = 0;
};

struct NeutronSubnet {
  std::string id;
  std::string cidr;
};

// Whether `cidr` ("10.0.1.0/24", or an address alone) holds the address.
bool range_holds(const std::string& cidr, const Cidr& address);

}  // namespace mha
