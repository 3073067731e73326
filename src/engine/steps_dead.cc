// Stopping receivers, salvaging.
#include "engine/steps_dead.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "core/atomic_file.h"
#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// A dead master's host that answers and then says nothing costs no more than this of the downtime.
constexpr Milliseconds kFetchAtMost{120'000};

class EnsureReceiverStopped : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return "ensure_receiver_stopped"; }
  std::string description() const override {
    return fmt::format("stop the I/O thread of {}", node().title());
  }
  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    const Result<std::optional<ReplicaThreads>> threads = server.value()->replica_threads(deadline);
    if (!threads.ok()) return threads.error();
    return json{{"receiver", threads.value().value_or(ReplicaThreads{}).receiver}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    const Status stopped = server.value()->stop_receiver(deadline);
    if (stopped.ok()) return stopped;
    return stopped.error().with_context(
        fmt::format("stopping the I/O thread of {}", node().title()));
  }
  Status undo(const json& found, Deadline deadline) override {
    if (!found.value("receiver", false)) return {};
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    return server.value()->ensure_replica_threads({true, false}, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    return found.value("receiver", false) ? mysql_by_hand("START SLAVE IO_THREAD") : "";
  }
};

class EnsureSalvaged : public ServerStep {
 public:
  EnsureSalvaged(SalvageRequest request, FailoverState& state, EventFiles& files,
                 Environment& environment)
      : ServerStep(*request.next, environment.log),
        request_(std::move(request)),
        state_(state),
        files_(files),
        clock_(environment.clock) {}

  std::string kind() const override { return "ensure_salvaged"; }
  std::string description() const override {
    return fmt::format("apply on {} what only the binary log of {} has", node().title(),
                       request_.orig->title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Salvage& salvage = state_.salvage;
    salvage = Salvage{};
    salvage.why = why_not_tried();
    if (!salvage.why.empty()) {
      if (request_.mode == SalvageMode::kRequire) return refused(salvage.why);
      if (request_.mode == SalvageMode::kAuto) {
        log().warning("nothing is salvaged from {}: {}", request_.orig->title(), salvage.why);
      }
      return note_own_end(deadline);
    }
    const Status saved = save(deadline);
    if (!saved.ok()) {
      salvage.ending = Salvage::Ending::kFailed;
      salvage.why = saved.error().message;
      if (request_.mode == SalvageMode::kRequire) return refused(salvage.why);
      log().warning("not salvaged from {}: {}", request_.orig->title(), salvage.why);
    }
    return note_own_end(deadline);
  }

 private:
  [[nodiscard]] std::string why_not_tried() const {
    if (request_.mode == SalvageMode::kOff) return "--salvage=off";
    if (state_.fence.powered_off) return "its host is powered off";
    if (!state_.fence.host_answers) return "its host does not answer SSH";
    // While it runs, its log grows behind what is read of it.
    if (!state_.fence.server_down) return "its server may still run";
    if (request_.binlog_dirs.empty()) return "the conf has no master_binlog_dir for it";
    return "";
  }
  [[nodiscard]] Error refused(const std::string& why) const {
    return {Code::kRefused,
            fmt::format("not salvaged from {}: {}; --salvage=require ends the failover here",
                        request_.orig->title(), why)};
  }

  Status save(Deadline deadline) {
    const Deadline at_most = clock_.deadline_after(kFetchAtMost).capped(deadline);
    Result<RemoteShell*> shell = request_.orig->shell(at_most);
    if (!shell.ok()) return shell.error();
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    EventsWanted wanted;
    wanted.family = server.value()->identity().family;
    wanted.after = state_.handover.orig_end.binlog;
    const bool is_mariadb = wanted.family == ServerFamily::kMariadb;
    (is_mariadb ? wanted.current_pos : wanted.executed_gtids) = state_.handover.orig_end.gtids;
    wanted.keep_as = request_.keep_as;
    wanted.client_bindir = request_.places.client_bindir;
    wanted.remote_workdir = request_.places.remote_workdir;
    Result<SavedEvents> events =
        files_.fetch_binlog(*shell.value(), request_.binlog_dirs, wanted, at_most);
    if (!events.ok()) return events.error();
    Salvage& salvage = state_.salvage;
    salvage.events = std::move(events).value();
    if (salvage.events.transactions.empty()) {
      salvage.ending = Salvage::Ending::kNothing;
      log().info("{} has nothing that {} has not", request_.orig->title(), node().title());
      return {};
    }
    if (const Status begun = remember_begin(*server.value()); !begun.ok()) return begun;
    const Status applied =
        files_.apply(*server.value(), salvage.events, request_.log_bin, deadline);
    if (!applied.ok()) {
      return applied.error().with_context(
          fmt::format("{} transactions of {}, kept in {}, are not all on {}",
                      salvage.events.transactions.size(), request_.orig->title(),
                      salvage.events.file, node().title()));
    }
    salvage.ending = Salvage::Ending::kSaved;
    log().info("{} transactions that only {} had are on {} now; they are kept in {}",
               salvage.events.transactions.size(), request_.orig->title(), node().title(),
               salvage.events.file);
    return {};
  }

  // Who follows by position begins before what is salvaged. A run that was ended behind that has
  // left its word in FILE.SERVER.begin: by now the server's own log is further on.
  Status remember_begin(const MysqlServer& server) {
    std::string name = server.name();
    std::replace(name.begin(), name.end(), ':', '_');
    const std::string path = fmt::format("{}.{}.begin", state_.salvage.events.file, name);
    const BinlogCoordinates& end = state_.handover.orig_end.binlog;
    BinlogCoordinates& begin = state_.handover.next_begin.binlog;
    const std::string subject = fmt::format("{} {}", end.file, end.position);
    if (std::ifstream before{path}; before) {
      std::string of;
      BinlogCoordinates noted;
      if (std::getline(before, of) && of == subject && before >> noted.file >> noted.position) {
        begin = noted;
        return {};
      }
    }
    return write_atomically(path, fmt::format("{}\n{} {}\n", subject, begin.file, begin.position),
                            0600);
  }

  Status note_own_end(Deadline deadline) {
    Result<Replication*> server = replication(deadline);
    if (!server.ok()) return server.error();
    Result<SourcePosition> end = server.value()->own_position(deadline);
    if (!end.ok()) return end.error();
    state_.after_salvage = std::move(end).value().binlog;
    return {};
  }

  SalvageRequest request_;
  FailoverState& state_;
  EventFiles& files_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<Step> ensure_receiver_stopped(Node& node, Log& log) {
  return std::make_unique<EnsureReceiverStopped>(node, log);
}
std::unique_ptr<Step> ensure_salvaged(SalvageRequest request, FailoverState& state,
                                      EventFiles& files, Environment& environment) {
  return std::make_unique<EnsureSalvaged>(std::move(request), state, files, environment);
}

}  // namespace mha
