// What a person wants to know when a switch or a failover has ended.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "core/journal.h"

namespace mha {

struct OperationSummary {
  std::string orig_master;  // titles ("db1", "db1:3307"); empty where it was not found
  std::string new_master;   // empty where none was chosen
  // From the first moment in which a client may have waited (a failover: since its command began)
  // to the address announced; nullopt where it did not come to that.
  std::optional<TimePoint::duration> downtime;
  // Of a failover; transactions by GTID, or "binlog.000003:456" where they have none.
  std::vector<std::string> salvaged;  // were on no replica, and are on the new master now
  std::vector<std::string> lost;      // were on the dead master, and are on no server
  std::string saved_file;  // on the manager, with the events that no replica had; empty: none
  std::string fence;       // FenceVerdict::text(); empty: nothing was to be fenced
  // What is left to do by hand, each with its command; beside those of the Outcome.
  std::vector<std::string> leftovers;
  std::string journal;  // path; empty: nothing was begun
};

// For the journal and for --format=json; the downtime as "downtime_ms". What is empty is left out,
// but not orig_master and new_master.
nlohmann::json to_json(const OperationSummary& summary);
// What a journal has of it; what is not there, or of another type, stays empty.
OperationSummary summary_from_json(const nlohmann::json& value);

// Puts it into the journal, as {"event": "summary", ...}, and on disk. One that cannot be written
// is a warning: the operation has ended.
void note_summary(Journal& journal, const OperationSummary& summary, Log& log);

// The masters of the journal's header, and its last summary where there is one.
OperationSummary summary_of(const JournalFile& journal);

}  // namespace mha
