// How long may be spent on it, and what is said where it cannot be had.
#include "core/undo_session.h"

namespace mha {
namespace {

constexpr Milliseconds kLimit{2000};

}  // namespace

void reserve_for_undo(Node& node, Clock& clock, Log& log) {
  const Status reserved = node.reserve_mysql(clock.deadline_after(kLimit));
  if (reserved.ok()) return;
  log.warning(
      "no second session ahead for putting things back; where that is needed it is opened then: {}",
      reserved.error().message);
}

void fall_back_for_undo(Node& node, Clock& clock) { node.fall_back(clock.deadline_after(kLimit)); }

}  // namespace mha
