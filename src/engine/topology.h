// Who replicates from whom, and who is the master.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/discovery.h"

namespace mha {

// Indexes are those of the views.
struct Topology {
  std::size_t master = 0;
  std::vector<std::optional<std::size_t>>
      source;  // of each host; nullopt: none, or not of the conf

  // Living hosts that replicate from `host`, in the conf's order.
  [[nodiscard]] std::vector<std::size_t> replicas_of(std::size_t host) const;
};

// The source of each living host, by the names and addresses of the conf's hosts and their ports.
std::vector<std::optional<std::size_t>> find_sources(const std::vector<HostView>& views);

// The master is the one host that others replicate from and that replicates from none of the conf;
// of two that replicate from each other, the one that takes writes. Errors (kRefused) for people:
// no master, two masters, a master that is not living (says so, and what it is; where it may be the
// idle one of two masters, that as well). Replicas of replicas are of any depth.
Result<Topology> find_topology(const std::vector<HostView>& views);

}  // namespace mha
