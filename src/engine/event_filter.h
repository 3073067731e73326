// Which transactions somebody has not, by their GTIDs.
#pragma once

#include <optional>

#include "base/status.h"
#include "engine/logged_transactions.h"
#include "engine/mariadb_gtid_set.h"
#include "engine/mysql_gtid_set.h"
#include "engine/saved_events.h"

namespace mha {

class EventFilter {
 public:
  // Of executed_gtids or current_pos. kInternal where they cannot be read.
  static Result<EventFilter> make(const EventsWanted& wanted);

  // What has no GTID is wanted. Of MariaDB's only what comes from the server of the position's last
  // one is known to be there: a last one of its own says nothing of what it has received.
  [[nodiscard]] bool wants(const LoggedTransaction& transaction) const;

 private:
  MysqlGtidSet executed_;
  MariadbGtidPosition position_;
};

}  // namespace mha
