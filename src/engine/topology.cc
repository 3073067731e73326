// Finding sources by address, and the master among them.
#include "engine/topology.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mha {
namespace {

bool share_one(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::any_of(some.begin(), some.end(), [&others](const std::string& one) {
    return std::find(others.begin(), others.end(), one) != others.end();
  });
}

std::string list(const std::vector<HostView>& views, const std::vector<std::size_t>& hosts) {
  std::vector<std::string> titles;
  titles.reserve(hosts.size());
  for (const std::size_t host : hosts) titles.push_back(views[host].host.title());
  return fmt::format("{}", fmt::join(titles, ", "));
}

// Hosts that others follow and that follow none of the conf themselves.
std::vector<std::size_t> roots_of(const std::vector<std::optional<std::size_t>>& source) {
  std::vector<std::size_t> roots;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool is_followed =
        std::any_of(source.begin(), source.end(), [i](const auto& of_one) { return of_one == i; });
    if (is_followed && !source[i].has_value()) roots.push_back(i);
  }
  return roots;
}

// Hosts that replicate, perhaps over others, from themselves.
std::vector<std::size_t> ring_of(const std::vector<std::optional<std::size_t>>& source) {
  std::vector<std::size_t> ring;
  for (std::size_t i = 0; i < source.size(); ++i) {
    std::optional<std::size_t> at = source[i];
    for (std::size_t steps = 0; at.has_value() && *at != i && steps < source.size(); ++steps) {
      at = source[*at];
    }
    if (at == i) ring.push_back(i);
  }
  return ring;
}

Result<std::size_t> master_of_ring(const std::vector<HostView>& views,
                                   const std::vector<std::size_t>& ring) {
  std::vector<std::size_t> writable;
  for (const std::size_t host : ring) {
    if (!views[host].state.read_only.blocks_writes()) writable.push_back(host);
  }
  if (writable.size() == 1) return writable.front();
  if (writable.empty()) {
    return Error{Code::kRefused, fmt::format("no master: {} replicate from each other, and all of "
                                             "them are read-only; set read_only=0 on the one that "
                                             "is to take writes",
                                             list(views, ring))};
  }
  return Error{Code::kRefused,
               fmt::format("two masters: {} replicate from each other, and {} all take writes; set "
                           "read_only=1 on those that are not to",
                           list(views, ring), list(views, writable))};
}

// A dead host may be the idle one of two masters: then who replicates from it takes the writes, and
// nobody may take its death for the master's.
Error root_is_not_living(const std::vector<HostView>& views, const Topology& topology) {
  const HostView& root = views[topology.master];
  std::vector<std::size_t> writable;
  for (const std::size_t replica : topology.replicas_of(topology.master)) {
    const bool leads = !topology.replicas_of(replica).empty();
    if (leads && !views[replica].state.read_only.blocks_writes()) writable.push_back(replica);
  }
  const std::string seen =
      fmt::format("{} is {}: {}", root.host.title(), to_string(root.reach), root.why);
  if (writable.empty()) {
    return Error{Code::kRefused, fmt::format("the master {}; where it is dead, mysql_failover is "
                                             "the program",
                                             seen)};
  }
  return Error{Code::kRefused,
               fmt::format("which host is the master is not certain: {}; and {}, which replicates "
                           "from it, takes writes and has replicas; if that one is the master, end "
                           "its own replication (STOP SLAVE; RESET SLAVE ALL), or bring {} back",
                           seen, list(views, writable), root.host.title())};
}

std::string no_master(const std::vector<HostView>& views) {
  std::vector<std::string> seen;
  for (const HostView& view : views) {
    if (!view.living()) {
      seen.push_back(
          fmt::format("{} is {}: {}", view.host.title(), to_string(view.reach), view.why));
    } else if (view.state.replica.has_value()) {
      seen.push_back(fmt::format("{} replicates from {}:{}, which the conf does not have",
                                 view.host.title(), view.state.replica->source_host,
                                 view.state.replica->source_port));
    } else {
      seen.push_back(fmt::format("{} replicates from nobody", view.host.title()));
    }
  }
  return fmt::format("no master: no host of the conf replicates from another one ({})",
                     fmt::join(seen, "; "));
}

}  // namespace

std::vector<std::size_t> Topology::replicas_of(std::size_t host) const {
  std::vector<std::size_t> replicas;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == host) replicas.push_back(i);
  }
  return replicas;
}

std::vector<std::optional<std::size_t>> find_sources(const std::vector<HostView>& views) {
  std::vector<std::optional<std::size_t>> source(views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i].replicates()) continue;
    for (std::size_t j = 0; j < views.size(); ++j) {
      const bool same_port = views[j].host.node.port == views[i].state.replica->source_port;
      if (i != j && same_port && share_one(views[i].source_addresses, views[j].own_addresses)) {
        source[i] = j;
        break;
      }
    }
  }
  return source;
}

Result<Topology> find_topology(const std::vector<HostView>& views) {
  Topology topology;
  topology.source = find_sources(views);
  const std::vector<std::size_t> roots = roots_of(topology.source);
  const std::vector<std::size_t> ring = ring_of(topology.source);
  if (roots.size() + (ring.empty() ? 0 : 1) > 1) {
    std::vector<std::size_t> all = roots;
    all.insert(all.end(), ring.begin(), ring.end());
    return Error{Code::kRefused, fmt::format("two masters: {} each have replicas in the conf; "
                                             "point all of them to one of these, or write a conf "
                                             "for each",
                                             list(views, all))};
  }
  if (!ring.empty()) {
    const Result<std::size_t> master = master_of_ring(views, ring);
    if (!master.ok()) return master.error();
    topology.master = master.value();
    return topology;
  }
  if (roots.empty()) return Error{Code::kRefused, no_master(views)};
  topology.master = roots.front();
  if (!views[topology.master].living()) return root_is_not_living(views, topology);
  return topology;
}

}  // namespace mha
