// The ladder, and what has come of it.
#include "engine/fence.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include "base/shell_quote.h"
#include "core/take_address.h"
#include "engine/remote_server.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr int kMysqldDown = 10;  // what shutdown_script says of a host that is still up

void note(Journal& journal, json record, Log& log) {
  Status noted = journal.append(std::move(record));
  if (noted.ok()) noted = journal.sync();
  if (!noted.ok()) log.warning("{}", noted.error().message);
}

// A rung's word to the journal, the log and the verdict.
class Ladder {
 public:
  Ladder(FenceVerdict& verdict, Journal& journal, Log& log)
      : verdict_(verdict), journal_(journal), log_(log) {}

  void done(const std::string& rung, const std::string& text) { say(rung, true, text); }
  void failed(const std::string& rung, const std::string& text) { say(rung, false, text); }

 private:
  void say(const std::string& rung, bool well, const std::string& text) {
    verdict_.rungs.push_back(text);
    if (well) {
      log_.info("{}", text);
    } else {
      log_.warning("{}", text);
    }
    note(journal_, json{{"event", "fence_rung"}, {"rung", rung}, {"done", well}, {"text", text}},
         log_);
  }

  FenceVerdict& verdict_;
  Journal& journal_;
  Log& log_;
};

struct KillWord {
  bool host_answers = false;
  Result<ServerEnd> end;
};

// Over a session of its own: a command that hangs must not keep the address from going, nor the
// other way round.
KillWord kill_over_ssh(const NodeSpec& spec, Deadline deadline, Environment& environment) {
  const Result<std::unique_ptr<RemoteShell>> shell =
      environment.ports.shell.connect(spec.ssh, deadline);
  if (!shell.ok()) return {false, shell.error()};
  const UseSudo sudo = spec.settings.requires_sudo ? UseSudo::kYes : UseSudo::kNo;
  Result<ServerEnd> end = kill_server(*shell.value(), spec.port, sudo, deadline, environment.clock);
  const bool silent = !end.ok() && end.error().code != Code::kRefused;
  return {!silent, std::move(end)};
}

// As MHA calls it (M:MasterFailover.pm, force_shutdown_internal), each value quoted.
Secret shutdown_command(const NodeSpec& spec, const FenceRequest& request, bool ssh_answers) {
  std::string command = request.shutdown_script;
  if (ssh_answers) {
    command += " --command=stopssh";
    if (!spec.ssh.user.empty()) command += " --ssh_user=" + shell_quote(spec.ssh.user);
  } else {
    command += " --command=stop";
  }
  command += fmt::format(" --host={} --ip={} --port={}", shell_quote(spec.host),
                         shell_quote(spec.ip.empty() ? spec.host : spec.ip), spec.port);
  if (!request.pid_file.empty()) command += " --pid_file=" + shell_quote(request.pid_file);
  return Secret{std::move(command)};
}

Result<int> call_shutdown(const NodeSpec& spec, const FenceRequest& request, bool ssh_answers,
                          Environment& environment) {
  if (environment.scripts == nullptr) {
    return Error{Code::kInternal, "nothing here runs scripts"};
  }
  environment.log.info("Executing shutdown_script for host '{}' (--command={})", spec.host,
                       ssh_answers ? "stopssh" : "stop");
  return environment.scripts->run(shutdown_command(spec, request, ssh_answers),
                                  environment.clock.deadline_after(request.script_patience));
}

void climb_shutdown_script(const Node& orig, const FenceRequest& request, FenceVerdict& verdict,
                           Ladder& ladder, Environment& environment) {
  const std::string rung = "shutdown_script";
  verdict.script_called = true;
  const Result<int> status = call_shutdown(orig.spec(), request, verdict.host_answers, environment);
  if (!status.ok()) {
    ladder.failed(rung, fmt::format("shutdown_script: {}", status.error().message));
  } else if (status.value() == 0) {
    verdict.powered_off = true;
    verdict.host_answers = false;
    ladder.done(rung,
                fmt::format("shutdown_script says that {} is powered off (exit 0)", orig.title()));
  } else if (status.value() == kMysqldDown) {
    verdict.server_down = true;
    ladder.done(rung, fmt::format("shutdown_script says that mysqld is down on {} (exit 10)",
                                  orig.title()));
  } else {
    ladder.failed(rung, fmt::format("shutdown_script failed (exit {})", status.value()));
  }
}

// The address's rung.
void tell_removal(const Node& orig, const Removal& removal, FenceVerdict& verdict, Ladder& ladder) {
  verdict.address_off = removal.status.ok();
  const std::string rung = fenced_by_text(orig, removal);
  if (verdict.address_off) {
    ladder.done(rung, removed_text(orig, removal));
  } else {
    ladder.failed(rung, fmt::format("the virtual IP was not removed from {}, which may still hold "
                                    "it: {}; by hand: {}",
                                    orig.title(), removal.status.error().message,
                                    orig.vip_without_shell()->remove_by_hand()));
  }
}

void note_whole(const FenceVerdict& verdict, const std::string& by, Journal& journal, Log& log) {
  const bool fenced = verdict.state() != FenceState::kNotFenced;
  note(journal,
       json{{"event", "fence"},
            {"fenced", fenced},
            {"server_down", verdict.server_down || verdict.powered_off},
            {"late", !verdict.late.empty()},
            {"by", by},
            {"error", fenced ? "" : fmt::format("{}", fmt::join(verdict.rungs, "; "))},
            {"text", verdict.text()}},
       log);
}

}  // namespace

FenceState FenceVerdict::state() const {
  if (powered_off) return FenceState::kFenced;
  if (server_down && (address_off || !moves_address)) return FenceState::kFenced;
  return moves_address && address_off ? FenceState::kAddressFenced : FenceState::kNotFenced;
}

std::string FenceVerdict::text() const {
  std::string_view word = "NOT FENCED";
  if (state() == FenceState::kFenced) word = "fenced";
  if (state() == FenceState::kAddressFenced) {
    word = "the virtual IP is fenced, the server itself is not: it may still run";
  }
  const std::string whole = late.empty() ? std::string{word} : fmt::format("{} ({})", word, late);
  if (rungs.empty()) return whole + ": nothing was tried";
  return fmt::format("{}: {}", whole, fmt::join(rungs, "; "));
}

FenceVerdict fence(Node& orig, const FenceRequest& request, Journal& journal,
                   Environment& environment) {
  FenceVerdict verdict;
  verdict.moves_address = orig.moves_a_vip();
  verdict.late = request.late;
  Ladder ladder(verdict, journal, environment.log);
  const Milliseconds over_ssh = request.host_answers ? request.patience : request.one_more_try;
  const Deadline kill_by = environment.clock.deadline_after(over_ssh);
  std::future<KillWord> killing = std::async(std::launch::async, [&, spec = orig.spec()] {
    return kill_over_ssh(spec, kill_by, environment);
  });

  Removal removal;
  if (verdict.moves_address) {
    const FencedBy first = request.host_answers ? FencedBy::kHost : FencedBy::kProvider;
    removal = take_address(orig, first, over_ssh, environment);
    tell_removal(orig, removal, verdict, ladder);
  }

  const KillWord killed = killing.get();
  verdict.host_answers = killed.host_answers;
  if (!killed.end.ok()) {
    ladder.failed("kill", fmt::format("whether its server runs is not known: {}",
                                      killed.end.error().message));
  } else {
    verdict.server_down = killed.end.value().down;
    const std::string text = fmt::format("{}: {}", orig.spec().host, killed.end.value().text);
    if (verdict.server_down) {
      ladder.done("kill", text);
    } else {
      ladder.failed("kill", text);
    }
  }

  if (!verdict.server_down && !request.shutdown_script.empty()) {
    climb_shutdown_script(orig, request, verdict, ladder, environment);
  }
  note_whole(verdict, verdict.moves_address ? fenced_by_text(orig, removal) : "host", journal,
             environment.log);
  return verdict;
}

FenceVerdict fence_without_host(Node& orig, Journal& journal, Environment& environment) {
  FenceVerdict verdict;
  verdict.moves_address = orig.moves_a_vip();
  if (!verdict.moves_address) return verdict;
  const std::optional<Removal> removal = take_address_by_provider(orig, environment);
  if (!removal.has_value()) return verdict;
  Ladder ladder(verdict, journal, environment.log);
  tell_removal(orig, *removal, verdict, ladder);
  return verdict;
}

void leave_unfenced(Node& orig, FenceVerdict& verdict, Milliseconds called, Journal& journal,
                    Environment& environment) {
  Ladder ladder(verdict, journal, environment.log);
  const std::string silent =
      fmt::format("its host gave us no SSH session in {} ms", called.count());
  if (verdict.moves_address && !verdict.address_off && verdict.rungs.empty()) {
    tell_removal(orig, {Error{Code::kTimeout, silent}, FencedBy::kHost}, verdict, ladder);
  }
  ladder.failed("kill", "whether its server runs is not known: " + silent);
  note_whole(verdict, verdict.address_off ? orig.vip_without_shell()->provider() : "host", journal,
             environment.log);
}

std::optional<Status> shut_down(Node& orig, const FenceRequest& request,
                                const FenceVerdict& verdict, Environment& environment) {
  if (request.shutdown_script.empty() || verdict.script_called) return std::nullopt;
  const Result<int> status = call_shutdown(orig.spec(), request, verdict.host_answers, environment);
  if (!status.ok()) return Status{status.error().with_context("shutdown_script")};
  if (status.value() == 0 || status.value() == kMysqldDown) return Status{};
  return Status{Error{Code::kRefused, fmt::format("shutdown_script failed (exit {}): {} may still "
                                                  "run",
                                                  status.value(), orig.title())}};
}

}  // namespace mha
