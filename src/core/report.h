// The mail after a failover: MHA's text, and what we have verified ourselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/journal.h"
#include "core/node.h"

namespace mha {

// What was seen of one host; an empty optional comes with the reason in the error beside it.
struct HostFacts {
  std::string host;
  std::uint16_t port = 3306;
  std::optional<ReadOnlyState> read_only;
  std::string mysql_error;
  bool moves_a_vip = false;
  std::optional<VipPresence> vip;
  bool vip_by_provider = false;  // the cloud's word: the host itself was not reached
  std::string vip_error;
};

// Looks at all hosts at once, each within `patience`: one that does not answer costs that, never
// more.
std::vector<HostFacts> gather_facts(const std::vector<NodeSpec>& hosts, Milliseconds patience,
                                    Environment& environment);

struct ReportRequest {
  std::string orig_master_host;
  std::string new_master_host;  // empty: MHA got no new master up
  std::string new_slave_hosts;  // comma-separated, as MHA passes it
  std::string subject;
  std::string body;  // MHA's own text, or our engine's
  std::string body_title = "MHA's report";
};

// The journals of this failover's hooks about the original master, oldest first: begun within the
// last hour.
std::vector<JournalFile> failover_journals(const std::string& orig_host, std::uint16_t orig_port,
                                           const Environment& environment);

// The mail's body: what was not fenced first, then where the virtual IP is and what takes writes,
// the hooks' timeline, and MHA's text.
std::string compose_report(const ReportRequest& request, const std::vector<HostFacts>& facts,
                           const std::vector<JournalFile>& journals);

}  // namespace mha
