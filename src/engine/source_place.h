// Where in the source's binary log the events of a relay log come from.
#pragma once

#include <optional>
#include <string>

#include "engine/binlog_events.h"
#include "engine/binlog_position.h"

namespace mha {

// Of the events of a relay log in order. The source's file is known from its Rotate events, which
// the receiver writes for each connection and each new file; the place in it from where each event
// ends.
class SourcePlace {
 public:
  void take(const BinlogEvent& event);
  // Behind the last event that was taken; nullopt before the first Rotate event of the source.
  [[nodiscard]] const std::optional<BinlogPosition>& now() const { return now_; }

 private:
  std::optional<BinlogPosition> now_;
};

}  // namespace mha
