// What a database host prints: addresses, and the processes that may be its server.
#include "engine/remote_server.h"
#include "fuzz/fuzz.h"
#include "vip/address_list.h"

namespace mha::fuzz {

void try_input(std::string_view input) {
  for (const InterfaceAddress& one : parse_ip_addr(input)) {
    must(!one.address.empty(), "an address has a text");
    must(!one.words().empty(), "an address can be named");
    const Cidr wanted{one.address, one.prefix_length, one.address.find(':') != std::string::npos};
    static_cast<void>(find_address({one}, wanted, one.interface));
  }
  const ServerSeen seen = server_in(std::string{input}, 3306);
  must_be_one_line(seen.text);
  must(seen.presence != ServerPresence::kRuns || seen.process.pid > 1,
       "a server that runs has a process that may be ended");
}

}  // namespace mha::fuzz
