// One transaction beside a GTID set or a position.
#include "engine/event_filter.h"

#include <utility>

namespace mha {

Result<EventFilter> EventFilter::make(const EventsWanted& wanted) {
  EventFilter filter;
  Result<MysqlGtidSet> executed = MysqlGtidSet::parse(wanted.executed_gtids);
  if (!executed.ok()) return executed.error();
  Result<MariadbGtidPosition> position = MariadbGtidPosition::parse(wanted.current_pos);
  if (!position.ok()) return position.error();
  filter.executed_ = std::move(executed).value();
  filter.position_ = std::move(position).value();
  return filter;
}

bool EventFilter::wants(const LoggedTransaction& transaction) const {
  if (transaction.mariadb.has_value()) {
    const std::optional<MariadbGtid> last = position_.at(transaction.mariadb->domain);
    return !last.has_value() || transaction.mariadb->server != last->server ||
           transaction.mariadb->seqno > last->seqno;
  }
  if (transaction.gtid.empty() || executed_.empty()) return true;
  const Result<MysqlGtidSet> own = MysqlGtidSet::parse(transaction.gtid);
  return !own.ok() || !executed_.contains(own.value());
}

}  // namespace mha
