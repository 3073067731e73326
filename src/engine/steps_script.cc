// Calling, judging, and calling once more to undo.
#include "engine/steps_script.h"

#include <fmt/core.h>

#include <utility>

#include "engine/server_step.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr int kProceed = 10;
// Of sh: the command is not there, or cannot be executed. Nothing of it has run.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;
constexpr Milliseconds kReport{60'000};

const ClusterHost* find_host(const Cluster& cluster, const std::string& host, std::uint16_t port) {
  for (const ClusterHost& one : cluster.hosts) {
    if (one.node.host == host && one.node.port == port) return &one;
  }
  return nullptr;
}

bool is_foreign(const std::string& script, const char* ours) {
  return !script_name(script).empty() && !is_our_program(script, ours);
}

bool has_run(const Result<int>& status) {
  if (!status.ok()) return status.error().code != Code::kInternal;
  return status.value() != kCannotExecute && status.value() != kNotFound;
}

// Scripts end clients, and some know no better than to end us too.
Status reconnect_where_ended(Node& node, Deadline deadline) {
  Result<MysqlServer*> server = node.mysql(deadline);
  if (server.ok() && server.value()->read_only_state(deadline).ok()) return {};
  node.forget_mysql();
  return node.mysql(deadline).status();
}

class EnsureStopScriptRan : public ServerStep {
 public:
  EnsureStopScriptRan(Node& orig, OnlineScript::Stop stop, OrigMaster orig_master,
                      const NodeSpec& next, Environment& environment)
      : ServerStep(orig, environment.log),
        stop_(std::move(stop)),
        orig_master_(orig_master),
        next_host_(next.host),
        next_port_(next.port),
        environment_(environment) {}

  std::string kind() const override { return kStopScriptKind; }
  Pace pace() const override { return Pace::kPatient; }
  json parameters() const override {
    json parameters = ServerStep::parameters();
    parameters["new_master"] = json{{"host", next_host_}, {"port", next_port_}};
    parameters["orig_master_is_new_slave"] = orig_master_ == OrigMaster::kBecomesReplica;
    return parameters;
  }
  std::string description() const override {
    return fmt::format("run {} --command=stop for {}", stop_.command.name, node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    const Result<int> status = run_script(stop_.command, deadline, environment_);
    nothing_ran_ = !has_run(status);
    Status judged = judge_script(stop_.command.name + " --command=stop", status, log());
    if (!judged.ok()) return judged;
    return reconnect_where_ended(node(), deadline);
  }
  Status undo(const json& /*found*/, Deadline deadline) override {
    if (nothing_ran_) return {};
    log().warning("{}: no script of MHA's has an undo: its --command=start is run for {}",
                  stop_.command.name, node().title());
    const Result<int> status = run_script(stop_.back, deadline, environment_);
    if (status.ok() && status.value() == 0) return reconnect_where_ended(node(), deadline);
    return Error{status.ok() ? Code::kRefused : status.error().code,
                 fmt::format("what {} --command=stop did was not undone: its --command=start for "
                             "the original master {}",
                             stop_.command.name,
                             status.ok() ? fmt::format("ended with exit status {}", status.value())
                                         : "failed: " + status.error().message)};
  }
  std::string undo_by_hand(const json& /*found*/) const override { return stop_.back.shown; }

 private:
  OnlineScript::Stop stop_;
  OrigMaster orig_master_;
  std::string next_host_;
  std::uint16_t next_port_;
  Environment& environment_;
  // Known of our own call only: a journal's step is taken to have run.
  bool nothing_ran_ = false;
};

// A journal's, whose script the conf no longer names.
class LostStopScript : public ServerStep {
 public:
  using ServerStep::ServerStep;

  std::string kind() const override { return kStopScriptKind; }
  std::string description() const override {
    return fmt::format("run a script's --command=stop for {}", node().title());
  }
  Status apply(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  Status undo(const json& /*found*/, Deadline /*deadline*/) override {
    return Error{Code::kRefused,
                 fmt::format("the master_ip_online_change_script that was called with "
                             "--command=stop is no longer in the conf: what it did to {} stays",
                             node().title())};
  }
  std::string undo_by_hand(const json& /*found*/) const override {
    return fmt::format("run that script's --command=start with {} as the new master",
                       node().spec().host);
  }
};

// A call whose effect stays: a start after the point of no return, or the stop of a dead master.
class EnsureScriptRan : public ServerStep {
 public:
  EnsureScriptRan(Node& node, std::string kind, std::string what, ScriptCommand command,
                  Environment& environment)
      : ServerStep(node, environment.log),
        kind_(std::move(kind)),
        what_(std::move(what)),
        command_(std::move(command)),
        environment_(environment) {}

  std::string kind() const override { return kind_; }
  Pace pace() const override { return Pace::kPatient; }
  std::string description() const override {
    return fmt::format("run {} for {}", what_, node().title());
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    return judge_script(what_, run_script(command_, deadline, environment_), log());
  }

 private:
  std::string kind_;
  std::string what_;
  ScriptCommand command_;
  Environment& environment_;
};

}  // namespace

Result<int> run_script(const ScriptCommand& command, Deadline deadline, Environment& environment) {
  if (environment.scripts == nullptr) {
    return Error{Code::kInternal, "this program runs no scripts"};
  }
  environment.log.info("Executing {}", command.shown);
  return environment.scripts->run(command.command, deadline);
}

Status judge_script(const std::string& name, const Result<int>& status, Log& log) {
  if (!status.ok()) return status.error().with_context(name);
  if (status.value() == 0) return {};
  if (status.value() == kProceed) {
    log.warning("{} ended with exit status 10: proceeding, as it says", name);
    return {};
  }
  return Error{Code::kRefused, fmt::format("{} ended with exit status {}", name, status.value())};
}

std::optional<OnlineScript> online_script(const Cluster& cluster, const NodeSpec& orig,
                                          const NodeSpec& next, OrigMaster orig_master) {
  const ClusterHost* orig_host = find_host(cluster, orig.host, orig.port);
  const ClusterHost* next_host = find_host(cluster, next.host, next.port);
  if (orig_host == nullptr || next_host == nullptr) return std::nullopt;
  const std::string& stop = orig_host->scripts.master_ip_online_change;
  const std::string& start = next_host->scripts.master_ip_online_change;
  const bool has_stop = is_foreign(stop, kOnlineHook);
  const bool has_start = is_foreign(start, kOnlineHook);
  if (!has_stop && !has_start) return std::nullopt;
  const ScriptHost from = script_host(*orig_host, cluster.resolve);
  const ScriptHost to = script_host(*next_host, cluster.resolve);
  OnlineScript script;
  if (has_stop) {
    script.stop = {
        online_change_command(stop, OnlineChange::kStop, from, to, orig_master),
        online_change_command(stop, OnlineChange::kStart, to, from, OrigMaster::kBecomesReplica)};
  }
  if (has_start) {
    script.start = online_change_command(start, OnlineChange::kStart, from, to, orig_master);
  }
  return script;
}

std::unique_ptr<Step> ensure_stop_script_ran(Node& orig, OnlineScript::Stop stop,
                                             OrigMaster orig_master, const NodeSpec& next,
                                             Environment& environment) {
  return std::make_unique<EnsureStopScriptRan>(orig, std::move(stop), orig_master, next,
                                               environment);
}

std::unique_ptr<Step> ensure_start_script_ran(Node& next, ScriptCommand start,
                                              Environment& environment) {
  const std::string what = start.name + " --command=start";
  return std::make_unique<EnsureScriptRan>(next, "ensure_start_script_ran", what, std::move(start),
                                           environment);
}

std::unique_ptr<Step> rebuild_stop_script(const Cluster& cluster, const json& parameters,
                                          Node& orig, Environment& environment) {
  const auto not_known = [&] { return std::make_unique<LostStopScript>(orig, environment.log); };
  const json next = parameters.value("new_master", json::object());
  if (!next.is_object()) return not_known();
  const ClusterHost* next_host =
      find_host(cluster, next.value("host", ""), next.value("port", std::uint16_t{0}));
  if (next_host == nullptr) return not_known();
  const OrigMaster orig_master = parameters.value("orig_master_is_new_slave", true)
                                     ? OrigMaster::kBecomesReplica
                                     : OrigMaster::kStaysAlone;
  auto script = online_script(cluster, orig.spec(), next_host->node, orig_master);
  if (!script.has_value() || !script->stop.has_value()) return not_known();
  return ensure_stop_script_ran(orig, *std::move(script->stop), orig_master, next_host->node,
                                environment);
}

std::optional<FailoverScript> failover_script(const Cluster& cluster, const NodeSpec& dead,
                                              const NodeSpec& next, SshReach dead_ssh) {
  const ClusterHost* dead_host = find_host(cluster, dead.host, dead.port);
  const ClusterHost* next_host = find_host(cluster, next.host, next.port);
  if (dead_host == nullptr || next_host == nullptr) return std::nullopt;
  const std::string& stop = dead_host->scripts.master_ip_failover;
  const std::string& start = next_host->scripts.master_ip_failover;
  const bool has_stop = is_foreign(stop, kHardHook);
  const bool has_start = is_foreign(start, kHardHook);
  if (!has_stop && !has_start) return std::nullopt;
  const ScriptHost from = script_host(*dead_host, cluster.resolve);
  const ScriptHost to = script_host(*next_host, cluster.resolve);
  FailoverScript script;
  if (has_stop) script.stop = failover_stop_command(stop, from, dead_ssh);
  if (has_start) script.start = failover_start_command(start, from, to, dead_ssh);
  return script;
}

std::unique_ptr<Step> ensure_failover_stop_script_ran(Node& dead, ScriptCommand stop,
                                                      Environment& environment) {
  const std::string what = stop.name + " for the dead master";
  return std::make_unique<EnsureScriptRan>(dead, "ensure_failover_stop_script_ran", what,
                                           std::move(stop), environment);
}

std::unique_ptr<Step> ensure_failover_start_script_ran(Node& next, ScriptCommand start,
                                                       Environment& environment) {
  const std::string what = start.name + " --command=start";
  return std::make_unique<EnsureScriptRan>(next, "ensure_failover_start_script_ran", what,
                                           std::move(start), environment);
}

Result<int> run_report_script(const std::string& script, const ReportRequest& request,
                              const std::string& conf_file, Environment& environment) {
  ScriptCommand command = report_command(script, request, conf_file);
  // Not the whole mail once more.
  command.shown = script_name(script);
  return run_script(command, environment.clock.deadline_after(kReport), environment);
}

}  // namespace mha
