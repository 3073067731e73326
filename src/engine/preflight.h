// Every reason not to switch, all at once, each with its remedy.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/mha_state.h"
#include "engine/topology.h"
#include "ports/vip_driver.h"

namespace mha {

struct Problem {
  std::string host;    // title; empty: of no single host
  std::string what;    // one line
  std::string remedy;  // one line

  [[nodiscard]] std::string text() const;  // "db2: what; remedy"
};

enum class LongWriters {
  kRefuse,
  kKill,  // --kill_blockers
};
enum class OrigMaster {
  kBecomesReplica,
  kStaysAlone,
};

// What a failover of before, by us or by MHA, means for this one.
enum class LastFailover {
  kMatters,
  kIgnored,  // --ignore_last_failover
};

struct PreflightLimits {
  std::chrono::seconds behind{30};         // of a replica
  std::chrono::milliseconds clocks{5000};  // between two hosts
  std::chrono::minutes last_failover{480};
  LastFailover last_failover_counts = LastFailover::kMatters;
  LongWriters long_writers = LongWriters::kRefuse;
  OrigMaster orig_master = OrigMaster::kBecomesReplica;
};

// What preflight looks at. All was read before; these functions ask nobody.
struct PreflightFacts {
  const std::vector<HostView>& views;
  const Topology& topology;
  std::size_t candidate;
  // The master's executed GTIDs, read after the replicas': else what they got meanwhile would look
  // like their own.
  std::string master_gtids;
  // Who else answers for the virtual IP on the candidate's network.
  std::vector<std::string> vip_holders;
  FailoverMarks marks;
};

// In the order of the conf's hosts, those of the whole cluster first.
std::vector<Problem> switch_problems(const PreflightFacts& facts, const PreflightLimits& limits);

}  // namespace mha
