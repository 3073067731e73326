// Comparing what servers print.
#include "engine/position.h"

#include "engine/binlog_position.h"
#include "engine/mariadb_gtid_set.h"
#include "engine/mysql_gtid_set.h"

namespace mha {
namespace {

Result<std::string> errant_on_mysql(std::string_view replica, std::string_view source) {
  const Result<MysqlGtidSet> has = MysqlGtidSet::parse(replica);
  if (!has.ok()) return has.error();
  const Result<MysqlGtidSet> known = MysqlGtidSet::parse(source);
  if (!known.ok()) return known.error();
  return difference_of(has.value(), known.value()).one_line();
}

Result<std::string> errant_on_mariadb(std::string_view replica, std::string_view source) {
  const Result<MariadbGtidPosition> has = MariadbGtidPosition::parse(replica);
  if (!has.ok()) return has.error();
  const Result<MariadbGtidPosition> known = MariadbGtidPosition::parse(source);
  if (!known.ok()) return known.error();
  std::string errant;
  for (const auto& [domain, gtid] : has.value().domains()) {
    const std::optional<MariadbGtid> there = known.value().at(domain);
    const bool is_ahead = !there.has_value() || gtid.seqno > there->seqno ||
                          (gtid.seqno == there->seqno && gtid.server != there->server);
    if (!is_ahead) continue;
    if (!errant.empty()) errant += ",";
    errant += gtid.text();
  }
  return errant;
}

}  // namespace

Result<std::string> errant_transactions(ServerFamily family, std::string_view replica,
                                        std::string_view source) {
  return family == ServerFamily::kMysql ? errant_on_mysql(replica, source)
                                        : errant_on_mariadb(replica, source);
}

Result<bool> has_everything_of(ServerFamily family, std::string_view one, std::string_view other) {
  const Result<std::string> missing = errant_transactions(family, other, one);
  if (!missing.ok()) return missing.error();
  return missing.value().empty();
}

Result<bool> is_at_or_after(const BinlogCoordinates& one, const BinlogCoordinates& other) {
  const Result<BinlogPosition> first = BinlogPosition::make(one.file, one.position);
  if (!first.ok()) return first.error();
  const Result<BinlogPosition> second = BinlogPosition::make(other.file, other.position);
  if (!second.ok()) return second.error();
  return first.value() >= second.value();
}

}  // namespace mha
