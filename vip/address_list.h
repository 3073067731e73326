// Reading what `ip -o addr show` prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/host_settings.h"

namespace mha {

struct InterfaceAddress {
  std::string interface;
  std::string address;
  unsigned prefix_length = 0;
  std::string peer;         // of a point-to-point address, with its prefix length; else empty
  bool tentative = false;   // v6: duplicate address detection still runs
  bool dad_failed = false;  // v6: another machine has it, and the kernel does not use it here

  [[nodiscard]] std::string cidr() const;
  // As the arguments by which `ip addr del` finds it: "10.0.0.100/24", or "10.0.0.1
  // peer 10.0.0.2/32".
  [[nodiscard]] std::vector<std::string> words() const;
};

// Lines that are no address lines are passed over.
std::vector<InterfaceAddress> parse_ip_addr(std::string_view text);

// The entry with this address, compared as addresses and not as text; one on `preferred_interface`
// before others.
std::optional<InterfaceAddress> find_address(const std::vector<InterfaceAddress>& addresses,
                                             const Cidr& wanted,
                                             const std::string& preferred_interface);

}  // namespace mha
