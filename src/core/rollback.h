// Undoing from its journal what another process began and nobody finished.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/journal.h"
#include "core/plan.h"

namespace mha {

// What a journal says of its operation.
struct JournalSummary {
  bool ended = false;
  Ending ending = Ending::kUndone;  // where ended
  bool past_point_of_no_return = false;
  // A later process has answered for it: {"event": "closed"} after a switch that was carried
  // through or rolled back.
  bool closed = false;
};

JournalSummary summarize(const JournalFile& journal);

// The newest journal of `operation` about host:port that still waits for somebody: not closed, and
// either not ended or ended kDone or kNotUndone. One begun before `not_before` is history that
// somebody has long dealt with. Nullopt where there is none, and, with a warning, where the newest
// cannot be read: what an older one says is not true any more.
std::optional<JournalFile> find_open_journal(const Environment& environment,
                                             const std::string& operation, const std::string& host,
                                             std::uint16_t port, WallTime not_before);

// The node for a host and port of the journal; nullptr where the caller knows none.
using NodeByName = std::function<Node*(const std::string& host, std::uint16_t port)>;

// Builds a step of a kind that the core does not know; nullptr for one whose undo is nothing to do.
using StepBuilder = std::function<std::unique_ptr<Step>(
    const std::string& kind, const nlohmann::json& parameters, Node& node)>;

// Undoes every step that the journal shows begun and not undone, newest first, with fresh sessions,
// and closes the journal where all of it was put back. Idempotent: what is as it was found already
// stays. Refuses (kNotUndone, nothing touched) where the journal has passed its point of no return.
Outcome roll_back(const JournalFile& journal, const NodeByName& node_by_name,
                  Environment& environment, Milliseconds budget,
                  const StepBuilder& build_more = nullptr);

// Whether the journal shows a step on host:port that has begun, changed something, and has not been
// undone.
bool has_open_steps(const JournalFile& journal, const std::string& host, std::uint16_t port);

// For a journal that is not rolled back: a line for each step that stays as it is, with the command
// that would undo it by hand.
std::vector<std::string> open_steps_by_hand(const JournalFile& journal,
                                            const NodeByName& node_by_name,
                                            Environment& environment);

// Notes in the journal that it needs no further answer, and why.
void close_journal(const JournalFile& journal, const std::string& reason, Environment& environment);

}  // namespace mha
