// Taking the address off a dead master, and giving it to the new one.
#include "core/hard.h"

#include <fmt/core.h>

#include <future>
#include <utility>

#include "core/steps_mysql.h"
#include "core/steps_vip.h"
#include "core/take_address.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kLook{3000};  // for what is only said, never for what is done

Outcome failed(Error error) {
  Outcome outcome;
  outcome.ending = Ending::kUndone;
  outcome.headline = std::move(error);
  return outcome;
}

// A failover must not wait for a disk: where no journal can be written, there is a warning instead.
std::unique_ptr<Journal> journal_or_none(const std::string& operation, const std::string& host,
                                         std::uint16_t port, json header,
                                         Environment& environment) {
  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(environment.state_dir, operation, journal_subject(host, port),
                          std::move(header), environment.clock);
  if (journal.ok()) return std::move(journal).value();
  environment.log.warning("{}; going on without a journal", journal.error().message);
  return make_null_journal();
}

void note(Journal& journal, json record, Log& log) {
  Status noted = journal.append(std::move(record));
  if (noted.ok()) noted = journal.sync();
  if (!noted.ok()) log.warning("{}", noted.error().message);
}

// Says whether the server process still runs: it may take writes from clients that do not come
// through the address.
void look_for_mysqld(Node& orig, Journal& journal, Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(kLook);
  Result<RemoteShell*> shell = orig.shell(deadline);
  if (!shell.ok()) return;
  const Result<CommandOutput> seen =
      shell.value()->run("pidof mysqld mariadbd 2>/dev/null || true", deadline);
  if (!seen.ok()) {
    environment.log.warning("whether mysqld still runs on {} could not be seen: {}", orig.title(),
                            seen.error().message);
    return;
  }
  std::string pids = seen.value().out;
  while (!pids.empty() && (pids.back() == '\n' || pids.back() == ' ')) pids.pop_back();
  note(journal, json{{"event", "fact"}, {"mysqld_pids", pids}}, environment.log);
  if (pids.empty()) {
    environment.log.info("mysqld does not run on {}", orig.title());
  } else {
    environment.log.warning(
        "mysqld still runs on {} (pid {}): it may take writes from clients that know the host "
        "itself",
        orig.title(), pids);
  }
}

json header_for(const NodeSpec& orig) {
  return json{{"orig_master", {{"host", orig.host}, {"port", orig.port}}}};
}

void note_fence(Journal& journal, const Node& orig, const Removal& removal, Log& log) {
  note(journal,
       json{{"event", "fence"},
            {"fenced", removal.status.ok()},
            {"by", fenced_by_text(orig, removal)},
            {"error", removal.status.ok() ? "" : removal.status.error().message}},
       log);
}

void note_end(Journal& journal, const Outcome& outcome, Log& log) {
  note(journal, json{{"event", "end"}, {"ending", static_cast<int>(outcome.ending)}}, log);
}

}  // namespace

Outcome hard_status(const NodeSpec& orig_master, Environment& environment) {
  Node orig(orig_master, environment.ports);
  if (!orig.moves_a_vip()) {
    environment.log.info("vip_type is none for {}: there is no vip to check", orig.title());
    return {};
  }
  const Deadline deadline = environment.clock.deadline_after(orig.settings().operation_timeout);
  Result<VipDriver*> driver = orig.vip(deadline);
  if (!driver.ok()) return failed(driver.error().with_context("checking the vip"));
  environment.log.info("Checking the vip using the '{}' provider on {}", driver.value()->provider(),
                       orig.title());
  if (Status checked = driver.value()->check(deadline); !checked.ok()) {
    return failed(checked.error().with_context("checking the vip"));
  }
  Result<VipPresence> presence = driver.value()->status(deadline);
  if (!presence.ok()) return failed(presence.error().with_context("checking the vip"));
  if (presence.value() == VipPresence::kAbsent) {
    return failed(
        Error{Code::kRefused,
              fmt::format("The VIP was not found on host {}; where it is the master, give "
                          "it the address: {}",
                          orig.spec().host, driver.value()->assign_by_hand())});
  }
  environment.log.info("The VIP was found on host {}", orig.spec().host);
  return {};
}

Outcome hard_stopssh(const NodeSpec& orig_master, Environment& environment) {
  Node orig(orig_master, environment.ports);
  const std::unique_ptr<Journal> journal = journal_or_none(
      "hard_stop", orig.spec().host, orig.spec().port, header_for(orig_master), environment);
  Outcome outcome;
  Removal removal;
  if (orig.moves_a_vip()) {
    removal = take_address(orig, FencedBy::kHost, orig.settings().operation_timeout, environment);
    if (!removal.status.ok()) {
      outcome = failed(removal.status.error().with_context(
          fmt::format("the virtual IP was not removed from {}", orig.title())));
      outcome.headline->message +=
          fmt::format("; by hand: {}", orig.vip_without_shell()->remove_by_hand());
    } else {
      environment.log.info("{}", removed_text(orig, removal));
    }
  }
  look_for_mysqld(orig, *journal, environment);
  // Without an address there is nothing that was taken off, and nothing to say of it.
  if (orig.moves_a_vip()) note_fence(*journal, orig, removal, environment.log);
  note_end(*journal, outcome, environment.log);
  return outcome;
}

Outcome hard_stop(const NodeSpec& orig_master, Milliseconds patience, Environment& environment) {
  Node orig(orig_master, environment.ports);
  Log& log = environment.log;
  const std::unique_ptr<Journal> journal = journal_or_none(
      "hard_stop", orig.spec().host, orig.spec().port, header_for(orig_master), environment);
  Outcome outcome;
  Removal removal;
  if (orig.moves_a_vip()) {
    // MHA has found SSH not to answer: another try there would cost its whole deadline first.
    removal = take_address(orig, FencedBy::kProvider, patience, environment);
    if (removal.status.ok()) {
      log.info("{}", removed_text(orig, removal));
    } else {
      const Error error = removal.status.error().with_context(
          fmt::format("NOT FENCED: the virtual IP was not removed from {}, which may still hold it",
                      orig.title()));
      if (orig.settings().unfenced_failover == UnfencedFailover::kRefuse) {
        outcome = failed(error);
        outcome.headline->message += "; unfenced_failover=refuse ends the failover here";
      } else {
        log.warning("{}; unfenced_failover=proceed goes on", error.message);
      }
    }
  }
  if (orig.moves_a_vip()) note_fence(*journal, orig, removal, log);
  note_end(*journal, outcome, log);
  return outcome;
}

Outcome hard_start(const HardStartRequest& request, Environment& environment) {
  Log& log = environment.log;
  Node next(request.new_master, environment.ports);
  const HostSettings& settings = next.settings();
  const Deadline deadline = environment.clock.deadline_after(settings.operation_timeout);

  // Opened before anything changes, so that the steps below spend no time on it. Half of the time
  // at most, so that a silent sshd does not keep the new master from becoming writable.
  const Deadline ssh_deadline = environment.clock.deadline_after(settings.operation_timeout / 2);
  std::future<Result<VipDriver*>> vip_ready =
      std::async(std::launch::async, [&next, ssh_deadline] { return next.vip(ssh_deadline); });
  const Result<MysqlServer*> server = next.mysql(deadline);
  const Result<VipDriver*> driver = vip_ready.get();
  if (!server.ok()) return failed(server.error());
  if (!driver.ok()) {
    log.warning("{}; the new master is made writable all the same, and the address tried again",
                driver.error().message);
  }

  const std::optional<bool> fenced = was_fenced(request.orig_host, request.orig_port, environment);
  const bool may_take_over =
      !fenced.value_or(false) && settings.unfenced_failover == UnfencedFailover::kProceed;
  const std::unique_ptr<Journal> journal = journal_or_none(
      "hard_start", request.orig_host, request.orig_port,
      json{{"orig_master", {{"host", request.orig_host}, {"port", request.orig_port}}},
           {"new_master", {{"host", next.spec().host}, {"port", next.spec().port}}}},
      environment);

  Plan plan(environment.clock, log, environment.interrupt);
  plan.add(ensure_writable(next, log));
  plan.mark_point_of_no_return();
  if (next.moves_a_vip()) {
    plan.add(ensure_vip_present(next, may_take_over ? OtherHolder::kTakeOver : OtherHolder::kRefuse,
                                log));
  }
  return plan.run(*journal, {deadline, settings.operation_timeout}, [&] {
    log.info("Rolling back the failover changes on {}", next.title());
    next.forget_sessions();
  });
}

std::optional<bool> was_fenced(const std::string& host, std::uint16_t port,
                               const Environment& environment) {
  const std::string not_before = utc_stamp(environment.clock.wall_now() - std::chrono::hours{1});
  const std::vector<std::string> paths =
      find_journals(environment.state_dir, "hard_stop", journal_subject(host, port));
  if (paths.empty()) return std::nullopt;
  const Result<JournalFile> journal = read_journal(paths.front());
  if (!journal.ok() || journal.value().records.front().value("time", "") < not_before) {
    return std::nullopt;
  }
  for (const json& record : journal.value().records) {
    if (record.value("event", "") == "fence") return record.value("fenced", false);
  }
  return std::nullopt;
}

}  // namespace mha
