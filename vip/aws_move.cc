// What the ways of moving share.
#include "vip/aws_move.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <utility>

namespace mha {

void check_permission(Ec2Api& ec2, const Ec2Change& change, Problems& problems, Deadline deadline) {
  const Status permitted = ec2.dry_run(change, deadline);
  if (!permitted.ok() && permitted.error().code != Code::kRefused) problems.add(permitted);
}

bool is_in_range(const std::string& address, const std::string& range) {
  const std::size_t slash = range.find('/');
  if (slash == std::string::npos) return false;
  unsigned bits = 0;
  const auto parsed = std::from_chars(range.data() + slash + 1, range.data() + range.size(), bits);
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::array<unsigned char, 16> one{};
  std::array<unsigned char, 16> base{};
  if (parsed.ec != std::errc{} || bits > (family == AF_INET ? 32 : 128) ||
      inet_pton(family, address.c_str(), one.data()) != 1 ||
      inet_pton(family, range.substr(0, slash).c_str(), base.data()) != 1) {
    return false;
  }
  for (unsigned bit = 0; bit < bits; ++bit) {
    if (((one[bit / 8] ^ base[bit / 8]) >> (7 - bit % 8) & 1U) != 0) return false;
  }
  return true;
}

}  // namespace mha
