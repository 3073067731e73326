// Looking at every host of the cluster at once: what it is, what it says of itself, what is open to
// it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/node.h"
#include "engine/cluster.h"
#include "ports/replication.h"

namespace mha {

// Four different things, and each needs another answer.
enum class Reach {
  kLiving,       // the server answers us
  kDead,         // its host answers SSH, and no server process runs there
  kUnreachable,  // neither the server nor its host answers
  kUnknown,      // something is there, but it does not tell: silent, or it refuses our account
};

std::string_view to_string(Reach reach);

// What was seen of one host. All below `why` only where it is living, but for missing_privileges:
// one that lacks some may not tell the rest.
struct HostView {
  ClusterHost host;
  Reach reach = Reach::kUnknown;
  std::string why;  // why not living; one line

  ServerIdentity identity;
  ServerState state;
  std::vector<std::string> source_addresses;  // where it has a source: that one's names, as keys
  std::vector<std::string> own_addresses;     // its own names and addresses, as keys
  std::vector<std::string> missing_privileges;
  std::vector<LongWriter> long_writers;
  std::vector<std::string> exempt_clients;   // connected users whom read_only does not bind
  bool held_by_mha = false;                  // somebody holds one of MHA's advisory locks
  std::chrono::milliseconds clock_ahead{0};  // of ours; the round trip taken off

  std::string vip_error;  // SSH, sudo, ip, interface, the cloud's; empty where all is well
  std::optional<VipPresence> vip;
  std::vector<std::string> vip_identities;  // VipDriver::own_identities()

  // Of missing_privileges: "the user 'mha' lacks SUPER", and "GRANT SUPER ON *.* TO 'mha'@...".
  [[nodiscard]] std::string lacking() const;
  [[nodiscard]] std::string grants() const;
  // Of vip_error.
  [[nodiscard]] bool has_a_cloud() const;
  [[nodiscard]] std::string vip_remedy() const;
  [[nodiscard]] bool living() const { return reach == Reach::kLiving; }
  [[nodiscard]] bool replicates() const { return living() && state.replica.has_value(); }
};

// Nodes with their sessions open, and what was seen through them; the same index is the same host.
struct Discovery {
  std::vector<HostView> views;
  std::vector<std::unique_ptr<Node>> nodes;

  // nullptr where there is none.
  [[nodiscard]] Node* node(const std::string& host, std::uint16_t port) const;
};

// All hosts at the same time, each for `patience` at most: the whole takes as long as the slowest
// host. Changes nothing. `long_writers` are asked for from this age on.
Discovery discover(const Cluster& cluster, Milliseconds patience, std::chrono::seconds long_writers,
                   Environment& environment);

// The same without a word to one host, which is taken for dead and would cost its deadline: its
// view is kUnknown, with its names and addresses. Open transactions are not asked for.
Discovery discover_survivors(const Cluster& cluster, std::size_t dead, Milliseconds patience,
                             Environment& environment);

}  // namespace mha
