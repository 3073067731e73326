// Preflight and plans of the online switch.
#include "core/online.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "core/steps_clients.h"
#include "core/steps_exempt.h"
#include "core/steps_mysql.h"
#include "core/steps_replication.h"
#include "core/steps_vip.h"
#include "core/undo_session.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kEndClients{5000};
constexpr Milliseconds kPrepare{500};
constexpr Milliseconds kSessionAnswer{1000};
// How long a new master that does not answer may keep the original one from its clients.
constexpr Milliseconds kLookForWrites{3000};

struct NodeFacts {
  VipPresence vip = VipPresence::kAbsent;
  // Users of connected clients whom read_only does not bind.
  std::vector<std::string> exempt_clients;
};

Outcome nothing_changed(Error error) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = std::move(error);
  return outcome;
}

Milliseconds operation_time(const HostSettings& settings) {
  return settings.operation_timeout + settings.lock_wait_timeout + settings.kill_after_timeout;
}

json journal_header(const OnlineRequest& request) {
  return json{
      {"orig_master", {{"host", request.orig_master.host}, {"port", request.orig_master.port}}},
      {"new_master", {{"host", request.new_master.host}, {"port", request.new_master.port}}}};
}

Result<NodeFacts> check_node(Node& node, Deadline deadline) {
  Result<MysqlServer*> server = node.mysql(deadline);
  if (!server.ok()) return server.error();
  Result<std::vector<std::string>> exempt = exempt_clients(node, deadline);
  if (!exempt.ok()) return exempt.error();
  Result<VipDriver*> driver = node.vip(deadline);
  if (!driver.ok()) return driver.error();
  if (Status checked = driver.value()->check(deadline); !checked.ok()) return checked.error();
  Result<VipPresence> presence = driver.value()->status(deadline);
  if (!presence.ok()) return presence.error();
  if (presence.value() == VipPresence::kPresent) driver.value()->prepare_remove(deadline);
  return NodeFacts{presence.value(), std::move(exempt).value()};
}

// The address is on the original master, and no machine but our two has it: a third one would keep
// it. On neither or on both of ours the switch itself brings it where it belongs, so that is only a
// warning.
Status check_vip_place(Node& orig, Node& next, VipPresence on_orig, VipPresence on_next,
                       Deadline deadline, Log& log) {
  if (!orig.moves_a_vip() || !next.moves_a_vip()) return {};
  const auto& written = next.settings().writer_vip;
  const std::string vip = written.has_value() ? written->address : "of this cluster";
  Result<VipDriver*> orig_driver = orig.vip(deadline);
  if (!orig_driver.ok()) return orig_driver.error();
  Result<VipDriver*> next_driver = next.vip(deadline);
  if (!next_driver.ok()) return next_driver.error();
  // Takes a second, and costs clients nothing.
  const Result<std::vector<std::string>> holders = next_driver.value()->other_holders(deadline);
  if (!holders.ok()) return holders.error();
  const std::vector<std::string> known = orig_driver.value()->own_identities();
  for (const std::string& holder : holders.value()) {
    if (std::find(known.begin(), known.end(), holder) != known.end()) continue;
    return Error{
        Code::kRefused,
        fmt::format("the machine {}, which is neither master, has the virtual IP {}; nothing was "
                    "changed; take it off there first",
                    holder, vip)};
  }
  if (on_orig == VipPresence::kPresent && on_next == VipPresence::kPresent) {
    log.warning("the virtual IP {} is on {} and on {} as well; it will be left on the new one only",
                vip, orig.title(), next.title());
  } else if (on_orig == VipPresence::kAbsent && on_next == VipPresence::kAbsent) {
    log.warning(
        "the virtual IP {} was not found on host {}, nor anywhere else; it will be put on {}", vip,
        orig.spec().host, next.title());
  }
  return {};
}

// Whether the session answers; where a driver asks a cloud as well, that one may need longer.
bool session_answers(Node& next, VipDriver& driver, Deadline soon) {
  if (driver.shell_use() == ShellUse::kNone) return true;
  if (driver.shell_use() == ShellUse::kNeeded) return driver.status(soon).ok();
  const Result<RemoteShell*> shell = next.shell(soon);
  return shell.ok() && shell.value()->run(":", soon).ok();
}

// A session that an earlier hook has kept may have died since: one round trip tells, and a new one
// is opened where it has.
Status ensure_working_session(Node& next, Deadline deadline, Clock& clock) {
  Result<VipDriver*> driver = next.vip(deadline);
  if (!driver.ok()) return driver.error();
  const Deadline soon = clock.deadline_after(kSessionAnswer).capped(deadline);
  if (session_answers(next, *driver.value(), soon)) {
    const bool asks_more = driver.value()->shell_use() != ShellUse::kNeeded;
    return asks_more ? driver.value()->status(deadline).status() : Status{};
  }
  next.forget_shell();
  driver = next.vip(deadline);
  if (!driver.ok()) return driver.error();
  return driver.value()->status(deadline).status();
}

enum class NewMasterWrites { kOff, kOn, kUnknown };

// kOff also where it cannot be seen and nothing of ours has tried to switch them on: then a new
// master that has died must not keep the clients from getting the original one back.
NewMasterWrites look_for_writes(Node& next, const NodeSpec& orig, WallTime not_before,
                                Milliseconds patience, Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(patience);
  Result<MysqlServer*> server = next.mysql(deadline);
  Result<ReadOnlyState> state = server.ok() ? server.value()->read_only_state(deadline)
                                            : Result<ReadOnlyState>{server.error()};
  if (state.ok()) {
    return state.value().blocks_writes() ? NewMasterWrites::kOff : NewMasterWrites::kOn;
  }
  environment.log.warning("whether {} takes writes could not be seen: {}", next.title(),
                          state.error().message);
  const std::optional<JournalFile> start =
      find_open_journal(environment, "online_start", orig.host, orig.port, not_before);
  return start.has_value() && has_open_steps(*start, next.spec().host, next.spec().port)
             ? NewMasterWrites::kUnknown
             : NewMasterWrites::kOff;
}

}  // namespace

Outcome online_stop(const OnlineRequest& request, Environment& environment) {
  Log& log = environment.log;
  Node orig(paired(request.orig_master, request.new_master), environment.ports);
  Node next(paired(request.new_master, request.orig_master), environment.ports);
  const HostSettings& settings = orig.settings();
  const Deadline preflight = environment.clock.deadline_after(settings.operation_timeout);

  if (orig.moves_a_vip()) {
    log.info("Checking the vip on {} and {}", orig.title(), next.title());
  }
  std::future<Result<NodeFacts>> next_check =
      std::async(std::launch::async, [&next, preflight] { return check_node(next, preflight); });
  const Result<NodeFacts> orig_facts = check_node(orig, preflight);
  const Result<NodeFacts> next_facts = next_check.get();
  if (!orig_facts.ok() || !next_facts.ok()) {
    if (!orig_facts.ok() && !next_facts.ok()) log.error("{}", next_facts.error().message);
    const Error& first = orig_facts.ok() ? next_facts.error() : orig_facts.error();
    return nothing_changed(first.with_context("checks before the switch (nothing was changed)"));
  }
  if (const Status placed = check_vip_place(orig, next, orig_facts.value().vip,
                                            next_facts.value().vip, preflight, log);
      !placed.ok()) {
    return nothing_changed(placed.error());
  }
  if (environment.interrupt.requested()) {
    return nothing_changed(
        Error{Code::kRefused, "interrupted by the operator; nothing was changed"});
  }

  Result<std::unique_ptr<Journal>> journal = create_file_journal(
      environment.state_dir, "online_stop", journal_subject(orig.spec().host, orig.spec().port),
      journal_header(request), environment.clock);
  if (!journal.ok()) {
    return nothing_changed(journal.error().with_context("without a journal nothing is begun"));
  }

  reserve_for_undo(orig, environment.clock, log);
  Plan plan(environment.clock, log, environment.interrupt);
  const ClientPatience first{settings.kill_after_timeout, kEndClients,
                             orig.moves_a_vip() ? Thoroughness::kTold : Thoroughness::kGone};
  plan.add(remember_replication(next, log));
  plan.add(ensure_read_only(next, log));
  // Read-only before the kill: killing first commits rows that nobody acknowledged (facts:
  // servers.md).
  plan.add(ensure_read_only(orig, log));
  // Before the address goes: without it the server's RST cannot reach the client (facts: mha.md).
  plan.add(ensure_no_clients(orig, "with writes off", first, environment.clock, log,
                             environment.interrupt));
  if (orig.moves_a_vip()) {
    const bool on_both = orig_facts.value().vip == VipPresence::kPresent &&
                         next_facts.value().vip == VipPresence::kPresent;
    plan.add(ensure_vip_absent(orig, orig_facts.value().vip,
                               on_both ? OtherHolder::kTakeOver : OtherHolder::kRefuse, log));
    // Until all are gone: those that came back between the kill and the removal too.
    plan.add(ensure_no_clients(orig, "with the virtual IP off", {Milliseconds{0}, kEndClients},
                               environment.clock, log, environment.interrupt));
  }
  plan.add(
      ensure_no_exempt_writer(orig, orig_facts.value().exempt_clients, environment.clock, log));
  const PlanBudget budget{environment.clock.deadline_after(operation_time(settings)),
                          settings.operation_timeout};
  const Outcome outcome = plan.run(*journal.value(), budget, [&] {
    log.info("Rolling back the failover changes on {}", orig.title());
    fall_back_for_undo(orig, environment.clock);
    next.forget_sessions();
  });
  if (outcome.ending == Ending::kDone && next.moves_a_vip() &&
      next.settings().ssh_session_keep.count() > 0) {
    // What online_start needs starts while MHA works.
    const Deadline soon = environment.clock.deadline_after(kPrepare);
    if (Result<VipDriver*> driver = next.vip(soon); driver.ok())
      driver.value()->prepare_assign(soon);
  }
  return outcome;
}

Outcome online_start(const OnlineRequest& request, Environment& environment) {
  Log& log = environment.log;
  Node next(paired(request.new_master, request.orig_master), environment.ports);
  const HostSettings& settings = next.settings();
  const Deadline deadline = environment.clock.deadline_after(settings.operation_timeout);

  // MHA calls start within minutes of stop (it waits for the replica in between).
  const WallTime switch_began = environment.clock.wall_now() - std::chrono::hours{1};

  // Putting the clients back is better than leaving them nowhere, as long as nothing on the new
  // master is changed.
  const auto give_back = [&](Error error) {
    log.error("{}", error.message);
    next.forget_sessions();
    std::optional<Outcome> rolled_back = roll_back_online_stop(request, switch_began, environment);
    Outcome outcome = rolled_back.value_or(nothing_changed(error));
    outcome.headline = std::move(error);
    return outcome;
  };

  std::future<Status> vip_ready = std::async(std::launch::async, [&next, deadline, &environment] {
    return ensure_working_session(next, deadline, environment.clock);
  });
  const Result<MysqlServer*> server = next.mysql(deadline);
  const Status session = vip_ready.get();
  if (!server.ok()) return give_back(server.error());
  if (!session.ok()) return give_back(session.error());

  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(environment.state_dir, "online_start",
                          journal_subject(request.orig_master.host, request.orig_master.port),
                          journal_header(request), environment.clock);
  if (!journal.ok()) return give_back(journal.error());

  Plan plan(environment.clock, log, environment.interrupt);
  plan.add(ensure_writable(next, log));
  plan.mark_point_of_no_return();
  if (next.moves_a_vip()) plan.add(ensure_vip_present(next, OtherHolder::kRefuse, log));
  Outcome outcome = plan.run(*journal.value(), {deadline, settings.operation_timeout}, [&] {
    log.info("Rolling back the failover changes on {}", next.title());
    next.forget_sessions();
  });
  if (outcome.ending == Ending::kUndone) return give_back(*outcome.headline);
  if (outcome.ending == Ending::kNotUndone) {
    // The new master may take writes: rolling back looks at that first.
    const std::optional<Outcome> rolled_back =
        roll_back_online_stop(request, switch_began, environment);
    if (!rolled_back.has_value()) return outcome;
    if (rolled_back->ending == Ending::kUndone) outcome.leftovers.clear();
    outcome.ending = rolled_back->ending;
    outcome.leftovers.insert(outcome.leftovers.end(), rolled_back->leftovers.begin(),
                             rolled_back->leftovers.end());
    return outcome;
  }
  const auto stop_journal = find_open_journal(environment, "online_stop", request.orig_master.host,
                                              request.orig_master.port, switch_began);
  if (stop_journal.has_value()) close_journal(*stop_journal, "carried through", environment);
  return outcome;
}

std::optional<Outcome> roll_back_online_stop(const OnlineRequest& request, WallTime not_before,
                                             Environment& environment) {
  const std::optional<JournalFile> journal = find_open_journal(
      environment, "online_stop", request.orig_master.host, request.orig_master.port, not_before);
  if (!journal.has_value()) return std::nullopt;

  Node orig(paired(request.orig_master, request.new_master), environment.ports);
  Node next(paired(request.new_master, request.orig_master), environment.ports);
  const Milliseconds budget = orig.settings().operation_timeout;
  environment.log.info("Rolling back the failover changes on {}", orig.title());

  const auto node_by_name = [&](const std::string& host, std::uint16_t port) -> Node* {
    for (Node* node : {&orig, &next}) {
      if (node->spec().host == host && node->spec().port == port) return node;
    }
    return nullptr;
  };
  // Our stop made it read-only. If it is writable now, somebody promoted it: then it must stay the
  // only writer. (Where nothing is to be put back on the original master, none is made by that.)
  const NewMasterWrites writes = look_for_writes(next, request.orig_master, not_before,
                                                 std::min(budget, kLookForWrites), environment);
  if (writes != NewMasterWrites::kOff &&
      has_open_steps(*journal, orig.spec().host, orig.spec().port)) {
    Outcome refused;
    refused.ending = Ending::kNotUndone;
    refused.headline = Error{
        Code::kRefused,
        fmt::format("{} {}, so {} stays read-only and without the virtual IP", next.title(),
                    writes == NewMasterWrites::kOn ? "takes writes by now" : "may take writes",
                    orig.title())};
    refused.leftovers.push_back(fmt::format("{}; what follows is only for where {} takes none",
                                            refused.headline->message, next.title()));
    const std::vector<std::string> by_hand =
        open_steps_by_hand(*journal, node_by_name, environment);
    refused.leftovers.insert(refused.leftovers.end(), by_hand.begin(), by_hand.end());
    return refused;
  }
  return roll_back(*journal, node_by_name, environment, budget);
}

}  // namespace mha
