// Taking the virtual IP away from a host that may be dead: by the host itself, or by the network's
// own interface.
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "core/environment.h"
#include "core/node.h"

namespace mha {

// Who takes the address away: the host itself over SSH, or the network's own interface (a cloud).
enum class FencedBy { kHost, kProvider };

struct Removal {
  Status status;
  FencedBy by = FencedBy::kHost;
};

// By `first`; where that fails, the other way, if the driver has both. Each has `patience`, a
// cloud's interface half of operation_timeout where that is more: what it fences is worth more than
// a host that answers nobody. Absent already is a success; read back. For a host that moves an
// address.
Removal take_address(Node& orig, FencedBy first, Milliseconds patience, Environment& environment);

// By the network's own interface alone, without a word to the host; nullopt where there is none.
std::optional<Removal> take_address_by_provider(Node& orig, Environment& environment);

// "the virtual IP is not on the original master 'db1' (read back)"; of a removal that succeeded.
std::string removed_text(const Node& orig, const Removal& removal);

// "host", or the driver's name: for journals.
std::string fenced_by_text(const Node& orig, const Removal& removal);

}  // namespace mha
