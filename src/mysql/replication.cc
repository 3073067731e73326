// The port's calls, each handed to the file that does the work.
#include "mysql/replication.h"

#include "mysql/binlog_replay.h"
#include "mysql/long_writers.h"
#include "mysql/privileges.h"
#include "mysql/replication_session.h"
#include "mysql/replication_settings.h"
#include "mysql/replication_source.h"
#include "mysql/replication_state.h"
#include "mysql/replication_waits.h"
#include "mysql/scheduled_events.h"

namespace mha {
namespace {

class LibmysqlReplication : public Replication {
 public:
  explicit LibmysqlReplication(const ReplicationSession& session) : session_(session) {}

  Result<ServerState> state(Deadline deadline) override {
    return read_server_state(session_, deadline);
  }
  Result<SourcePosition> own_position(Deadline deadline) override {
    return read_own_position(session_, deadline);
  }
  Result<std::optional<ReceiverSeen>> receiver_seen(Deadline deadline) override {
    return read_receiver_seen(session_, deadline);
  }
  Result<std::vector<std::string>> missing_privileges(Deadline deadline) override {
    return find_missing_privileges(session_, deadline);
  }
  Result<std::vector<LongWriter>> long_writers(std::chrono::seconds at_least,
                                               Deadline deadline) override {
    return find_long_writers(session_, at_least, deadline);
  }
  Status wait_until_applied(const SourcePosition& position, GtidUse gtid_use,
                            Deadline deadline) override {
    return mha::wait_until_applied(session_, position, gtid_use, deadline);
  }
  Status wait_until_replicated(const std::string& gtids, Deadline deadline) override {
    return mha::wait_until_replicated(session_, gtids, deadline);
  }
  Status wait_until_relay_log_applied(Deadline deadline) override {
    return mha::wait_until_relay_log_applied(session_, deadline);
  }
  Status stop_replica(Deadline deadline) override { return mha::stop_replica(session_, deadline); }
  Status start_replica(Deadline deadline) override {
    return mha::start_replica(session_, deadline);
  }
  Status stop_receiver(Deadline deadline) override {
    return mha::stop_receiver(session_, deadline);
  }
  Status forget_source(Deadline deadline) override {
    return mha::forget_source(session_, deadline);
  }
  Status replicate_from(const NewSource& source, Deadline deadline) override {
    return mha::replicate_from(session_, source, deadline);
  }
  Status set_event_scheduler(Switch wanted, Deadline deadline) override {
    return mha::set_event_scheduler(session_, wanted, deadline);
  }
  Status set_semi_sync(SemiSyncRole role, Switch wanted, Deadline deadline) override {
    return mha::set_semi_sync(session_, role, wanted, deadline);
  }
  Result<std::vector<ScheduledEvent>> scheduled_events(Deadline deadline) override {
    return read_scheduled_events(session_, deadline);
  }
  Status enable_event(const ScheduledEvent& event, Deadline deadline) override {
    return mha::enable_event(session_, event, deadline);
  }
  Result<std::uint64_t> execute_binlog_script(const BinlogReplay& replay,
                                              Deadline deadline) override {
    return mha::execute_binlog_script(session_, replay, deadline);
  }

 private:
  ReplicationSession session_;
};

}  // namespace

std::unique_ptr<Replication> make_replication(Connection& connection,
                                              const ServerIdentity& identity, const Clock& clock,
                                              std::size_t max_allowed_packet) {
  return std::make_unique<LibmysqlReplication>(
      ReplicationSession{connection, identity, clock, max_allowed_packet});
}

}  // namespace mha
