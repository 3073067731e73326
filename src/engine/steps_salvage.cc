// Salvaging.
#include "engine/steps_salvage.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <optional>
#include <utility>

#include "core/atomic_file.h"
#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

// All binlog servers are called at the same time, and one that is silent has so long.
constexpr Milliseconds kBinlogServerAnswers{5'000};

// What one source has, and which it is.
struct Found {
  SavedEvents events;
  std::string from;  // "binlog server db9 (binlog1)"; empty: the dead master's own logs
};

// All of them at the same time; the answer of that one which has most.
class BinlogServers {
 public:
  BinlogServers(const std::vector<BinlogServer>& servers, EventFiles& files,
                Environment& environment)
      : servers_(servers), files_(files), environment_(environment) {}

  // An error where none can be read: with each one's word.
  Result<Found> ask(const EventsWanted& wanted, Deadline deadline) {
    std::vector<std::future<Result<SavedEvents>>> asked;
    for (const BinlogServer& server : servers_) {
      asked.push_back(std::async(std::launch::async, [&server, &wanted, deadline, this] {
        return fetch(server, wanted, deadline);
      }));
    }
    std::optional<Found> most;
    std::vector<std::string> failed;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      Result<SavedEvents> events = asked[i].get();
      if (!events.ok()) {
        failed.push_back(fmt::format("{}: {}", name_of(servers_[i]), events.error().message));
        environment_.log.warning("{}", failed.back());
        continue;
      }
      const std::size_t count = events.value().transactions.size();
      environment_.log.info("{} has {} transactions that no replica has", name_of(servers_[i]),
                            count);
      if (most.has_value() && most->events.transactions.size() >= count) continue;
      most = Found{std::move(events).value(), name_of(servers_[i])};
    }
    if (!most.has_value()) return Error{Code::kRefused, fmt::format("{}", fmt::join(failed, "; "))};
    if (most->events.file.empty()) return *std::move(most);
    // As from the dead master's own logs: a second run, which may ask another one, finds what of
    // them was applied.
    const Status renamed = files_.rename(most->events, wanted.keep_as);
    return renamed.ok() ? Result<Found>{*std::move(most)} : Result<Found>{renamed.error()};
  }

 private:
  static std::string name_of(const BinlogServer& server) {
    return fmt::format("binlog server {} ({})", server.ssh.host, server.id);
  }
  Result<SavedEvents> fetch(const BinlogServer& server, EventsWanted wanted, Deadline deadline) {
    wanted.keep_as += "." + server.id;
    wanted.client_bindir = server.client_bindir;
    wanted.remote_workdir = server.remote_workdir;
    const Deadline answer_by =
        environment_.clock.deadline_after(kBinlogServerAnswers).capped(deadline);
    Result<std::unique_ptr<RemoteShell>> shell =
        environment_.ports.shell.connect(server.ssh, answer_by);
    if (!shell.ok()) return shell.error();
    return files_.fetch_binlog(*shell.value(), server.dirs, wanted, deadline);
  }

  const std::vector<BinlogServer>& servers_;
  EventFiles& files_;
  Environment& environment_;
};

class EnsureSalvaged : public ServerStep {
 public:
  EnsureSalvaged(SalvageRequest request, FailoverState& state, EventFiles& files, Journal& journal,
                 Environment& environment)
      : ServerStep(*request.next, environment.log),
        request_(std::move(request)),
        state_(state),
        files_(files),
        journal_(journal),
        environment_(environment) {}

  std::string kind() const override { return "ensure_salvaged"; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    return fmt::format("apply on {} what only the binary log of {} has", node().title(),
                       request_.orig->title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    Salvage& salvage = state_.salvage;
    salvage = Salvage{};
    const std::string why_not = why_not_from_master();
    const bool has_others = request_.mode != SalvageMode::kOff && !request_.binlog_servers.empty();
    if (!why_not.empty() && !has_others) {
      salvage.why = why_not;
      if (request_.mode == SalvageMode::kRequire) return refused(salvage.why);
      if (request_.mode == SalvageMode::kAuto) {
        log().warning("nothing is salvaged from {}: {}", request_.orig->title(), salvage.why);
      }
      return note_own_end(deadline);
    }
    const Status saved = save(why_not, deadline);
    if (!saved.ok()) {
      salvage.ending = Salvage::Ending::kFailed;
      salvage.why = saved.error().message;
      if (request_.mode == SalvageMode::kRequire) return refused(salvage.why);
      log().warning("not salvaged from {}: {}", request_.orig->title(), salvage.why);
    }
    return note_own_end(deadline);
  }

 private:
  [[nodiscard]] std::string why_not_from_master() const {
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

  Status save(const std::string& why_not_from_master, Deadline deadline) {
    const Deadline at_most = environment_.clock.deadline_after(kFetchAtMost).capped(deadline);
    Result<MysqlServer*> server = node().mysql(deadline);
    if (!server.ok()) return server.error();
    const EventsWanted wanted = wanted_for(server.value()->identity().family);
    Result<Found> found = why_not_from_master.empty()
                              ? fetch_from_master(wanted, at_most)
                              : Result<Found>{Error{Code::kRefused, why_not_from_master}};
    if (!found.ok() && !request_.binlog_servers.empty()) {
      found = fetch_from_others(found.error(), wanted, at_most);
    }
    if (!found.ok()) return found.error();
    Salvage& salvage = state_.salvage;
    salvage.events = std::move(found.value().events);
    salvage.from = std::move(found.value().from);
    const std::string source = salvage.from.empty() ? request_.orig->title() : salvage.from;
    salvage.why = why_not_all(source);
    if (!salvage.why.empty() && request_.mode == SalvageMode::kRequire) {
      return Error{Code::kRefused, salvage.why};
    }
    if (salvage.events.transactions.empty()) {
      log().info("{} has nothing that {} has not", source, node().title());
    } else if (const Status applied = bring_over(*server.value(), source, deadline);
               !applied.ok()) {
      return applied;
    }
    if (!salvage.why.empty()) {
      salvage.ending = Salvage::Ending::kInPart;
      log().warning("salvaged in part: {}", salvage.why);
    } else {
      salvage.ending =
          salvage.events.transactions.empty() ? Salvage::Ending::kNothing : Salvage::Ending::kSaved;
    }
    return {};
  }

  Status bring_over(MysqlServer& server, const std::string& source, Deadline deadline) {
    const SavedEvents& events = state_.salvage.events;
    if (const Status begun = remember_begin(server); !begun.ok()) return begun;
    note_applied({events.end, false}, state_, journal_, log());
    const Status applied = files_.apply(server, events, request_.log_bin, deadline);
    if (applied.ok()) note_applied({events.end, true}, state_, journal_, log());
    if (!applied.ok()) {
      return applied.error().with_context(
          fmt::format("{} transactions of {}, kept in {}, are not all on {}",
                      events.transactions.size(), source, events.file, node().title()));
    }
    log().info("{} transactions that only {} had are on {} now; they are kept in {}",
               events.transactions.size(), source, node().title(), events.file);
    return {};
  }

  // Empty: the log was read to its end.
  [[nodiscard]] std::string why_not_all(const std::string& source) const {
    const SavedEvents& events = state_.salvage.events;
    if (!events.more_behind) return "";
    return fmt::format(
        "the binary log of {} is damaged at {}:{}, or broken off there though it goes on in "
        "further "
        "files: {} bytes behind that, which may have committed transactions, are on no server",
        source, events.end.file, events.end.position, events.left_out);
  }

  [[nodiscard]] EventsWanted wanted_for(ServerFamily family) const {
    EventsWanted wanted;
    wanted.family = family;
    wanted.after = state_.handover.orig_end.binlog;
    const bool is_mariadb = family == ServerFamily::kMariadb;
    (is_mariadb ? wanted.current_pos : wanted.executed_gtids) = state_.handover.orig_end.gtids;
    wanted.keep_as = request_.keep_as;
    wanted.client_bindir = request_.places.client_bindir;
    wanted.remote_workdir = request_.places.remote_workdir;
    return wanted;
  }
  Result<Found> fetch_from_master(const EventsWanted& wanted, Deadline deadline) {
    Result<RemoteShell*> shell = request_.orig->shell(deadline);
    if (!shell.ok()) return shell.error();
    Result<SavedEvents> events =
        files_.fetch_binlog(*shell.value(), request_.binlog_dirs, wanted, deadline);
    if (!events.ok()) return events.error();
    return Found{std::move(events).value(), ""};
  }
  Result<Found> fetch_from_others(const Error& why, const EventsWanted& wanted, Deadline deadline) {
    log().warning("nothing comes from the binary logs of {} ({}): the binlog servers are asked",
                  request_.orig->title(), why.message);
    Result<Found> found =
        BinlogServers(request_.binlog_servers, files_, environment_).ask(wanted, deadline);
    if (found.ok()) return found;
    return Error{found.error().code, fmt::format("{}; {}", why.message, found.error().message)};
  }

  // Who follows by position begins before what is salvaged. A run that was ended behind that has
  // left its word in FILE.SERVER.begin: by now the server's own log is further on.
  Status remember_begin(const MysqlServer& server) {
    std::string name = server.name();
    std::replace(name.begin(), name.end(), ':', '_');
    const std::string path = fmt::format("{}.{}.begin", request_.keep_as, name);
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
  Journal& journal_;
  Environment& environment_;
};

class VerifySalvage : public Step {
 public:
  VerifySalvage(const Node& orig, const FailoverState& state) : orig_(orig), state_(state) {}

  std::string kind() const override { return "verify_salvage"; }
  json parameters() const override {
    return json{{"host", orig_.spec().host}, {"port", orig_.spec().port}};
  }
  std::string name() const override { return kind(); }
  std::string description() const override {
    return fmt::format("see whether the binary log of {} could be read to its end", orig_.title());
  }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override {
    const Salvage& salvage = state_.salvage;
    if (salvage.ending != Salvage::Ending::kInPart) return {};
    return Error{
        Code::kRefused,
        fmt::format("salvaged in part only: {}; keep its binary logs, look with mysqlbinlog "
                    "for what can be read behind that place, and compare before it comes "
                    "back as a replica",
                    salvage.why)};
  }
  // It only looks.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  const Node& orig_;
  const FailoverState& state_;
};

}  // namespace

std::unique_ptr<Step> verify_salvage(const Node& orig, const FailoverState& state) {
  return std::make_unique<VerifySalvage>(orig, state);
}

std::unique_ptr<Step> ensure_salvaged(SalvageRequest request, FailoverState& state,
                                      EventFiles& files, Journal& journal,
                                      Environment& environment) {
  return std::make_unique<EnsureSalvaged>(std::move(request), state, files, journal, environment);
}

}  // namespace mha
