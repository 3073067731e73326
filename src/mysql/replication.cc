// One call of the port to each of the files that do the work.
#include "mysql/replication.h"

namespace mha {
namespace {

Error not_yet() { return {Code::kInternal, "replication on a real server: not written yet"}; }

class LibmysqlReplication : public Replication {
 public:
  Result<ServerState> state(Deadline /*deadline*/) override { return not_yet(); }
  Result<SourcePosition> own_position(Deadline /*deadline*/) override { return not_yet(); }
  Result<std::vector<std::string>> missing_privileges(Deadline /*deadline*/) override {
    return not_yet();
  }
  Result<std::vector<LongWriter>> long_writers(std::chrono::seconds /*at_least*/,
                                               Deadline /*deadline*/) override {
    return not_yet();
  }
  Status wait_until_applied(const SourcePosition& /*position*/, GtidUse /*gtid_use*/,
                            Deadline /*deadline*/) override {
    return not_yet();
  }
  Status wait_until_relay_log_applied(Deadline /*deadline*/) override { return not_yet(); }
  Status stop_replica(Deadline /*deadline*/) override { return not_yet(); }
  Status start_replica(Deadline /*deadline*/) override { return not_yet(); }
  Status stop_receiver(Deadline /*deadline*/) override { return not_yet(); }
  Status forget_source(Deadline /*deadline*/) override { return not_yet(); }
  Status replicate_from(const NewSource& /*source*/, Deadline /*deadline*/) override {
    return not_yet();
  }
  Status set_event_scheduler(Switch /*wanted*/, Deadline /*deadline*/) override {
    return not_yet();
  }
  Status set_semi_sync(SemiSyncRole /*role*/, Switch /*wanted*/, Deadline /*deadline*/) override {
    return not_yet();
  }
  Status execute_binlog_script(const std::string& /*script*/, Deadline /*deadline*/) override {
    return not_yet();
  }
};

}  // namespace

std::unique_ptr<Replication> make_replication(Connection& /*connection*/,
                                              const ServerIdentity& /*identity*/,
                                              const Clock& /*clock*/,
                                              std::size_t /*max_allowed_packet*/) {
  return std::make_unique<LibmysqlReplication>();
}

}  // namespace mha
