// From transactions that were found in copies of logs to the file of their statements.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "engine/binlog_translation.h"
#include "engine/log_copies.h"
#include "engine/saved_events.h"
#include "ports/remote_shell.h"
#include "ports/script.h"

namespace mha {

// What is to be kept, in the order of the log.
class KeptEvents {
 public:
  // Offsets of the copy. Side by side with the one before, they become one range.
  void add(const LogCopy& copy, std::uint64_t begin, std::uint64_t end, std::string name);
  // Behind the last transaction of this log comes half an event, or an unfinished transaction.
  void mark_torn(const LogCopy& copy);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  // Writes wanted.keep_as, and reads it back: as many transactions are in it as there should be.
  // What the errors say of `copies` holds: they stay. Where all is well they are removed.
  Result<SavedEvents> keep(RemoteShell& host, ScriptRunner* manager, const EventsWanted& wanted,
                           const LogCopies& copies, Deadline deadline) const;

 private:
  Status translate(RemoteShell& host, ScriptRunner* manager, const EventsWanted& wanted,
                   KeptFile& into, Deadline deadline) const;

  std::vector<std::string> names_;
  std::vector<LogRange> on_host_;  // the same ranges, there and here
  std::vector<LogRange> here_;
};

// Why a transaction with LOAD DATA as a statement cannot be kept, for an error.
std::string loads_a_file(const std::string& transaction, const LogCopies& copies);

}  // namespace mha
