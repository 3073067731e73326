// Witnesses asked in parallel, and what follows from their words.
#include "engine/death.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "base/shell_quote.h"
#include "engine/remote_server.h"
#include "engine/topology.h"

namespace mha {
namespace {

// A refusal is told at once; the next attempt a moment later is not for a lost packet, but for a
// server that is just being started.
constexpr Milliseconds kAgain{20};
constexpr Milliseconds kLongestPause{40};
// A silent host is called for so long once the patience is over.
constexpr Milliseconds kCalledOn{2'000};

// What all witnesses share.
struct Hearing {
  TimePoint begin;
  Deadline deadline;
  Environment& environment;
  std::atomic<bool> alive{false};  // it has answered us: nobody has to wait for anything else
  std::atomic<bool> host_answers{false};
  std::once_flag called{};
  std::unique_ptr<HostCall> host_call{};

  // The second time; from whichever thread sees first that nothing comes.
  void call_host(const SshTarget& host) {
    if (alive || host_answers) return;
    std::call_once(called, [&] {
      host_call =
          std::make_unique<HostCall>(host, Deadline{deadline.at() + kCalledOn}, environment);
    });
  }
  [[nodiscard]] Clock& clock() const { return environment.clock; }
  [[nodiscard]] Milliseconds span() const { return deadline.remaining(begin); }
  [[nodiscard]] bool over() const { return alive || clock().passed(deadline); }
};

struct OwnConnection {
  bool answered = false;
  bool asked = true;  // false: it was our own fault that it could not be
  std::string text;
};

OwnConnection of_attempt(const Result<std::unique_ptr<MysqlServer>>& connected) {
  if (connected.ok()) return {true, true, "it accepts our own connection"};
  const Error& error = connected.error();
  switch (error.code) {
    case Code::kUnreachable:
    case Code::kTimeout:
      return {false, true, "our own connection failed: " + error.message};
    case Code::kDenied:
    case Code::kRefused:
      return {true, true, "it answers our own connection, if only to refuse it: " + error.message};
    default:
      return {false, false, "our own connection could not be tried: " + error.message};
  }
}

// Two lanes: one waits all of the time, as a server under load may be slow to greet; the other
// begins anew at half time, as a packet that is lost costs TCP a second. A refusal is told at once.
OwnConnection connect_ourselves(const NodeSpec& spec, Hearing& hearing) {
  const auto attempt = [&](Deadline deadline) {
    const OwnConnection seen =
        of_attempt(hearing.environment.ports.mysql.connect(spec.mysql, deadline));
    if (seen.answered) hearing.alive = true;
    return seen;
  };
  std::future<OwnConnection> lane = std::async(std::launch::async, [&] {
    const Deadline half{hearing.begin + hearing.span() / 2};
    OwnConnection seen = attempt(half);
    const bool nothing_came = !seen.answered && seen.asked && hearing.clock().passed(half);
    if (nothing_came && !hearing.over()) {
      hearing.call_host(spec.ssh);
      seen = attempt(hearing.deadline);
    }
    return seen;
  });
  OwnConnection seen = attempt(hearing.deadline);
  if (!seen.answered && seen.asked && !hearing.over()) {
    hearing.clock().sleep_for(kAgain);
    if (!hearing.over()) seen = attempt(hearing.deadline);
  }
  OwnConnection other = lane.get();
  return other.answered && !seen.answered ? other : seen;
}

struct HostWord {
  bool answers = false;
  bool server_runs = false;
  std::string text;
};

// A session that has been open for long may have died with nobody noticing: one more try then.
HostWord ask_host(Node& node, Hearing& hearing) {
  std::string failed;
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<RemoteShell*> shell = node.shell(hearing.deadline);
    const Result<ServerSeen> seen =
        shell.ok() ? find_server(*shell.value(), node.spec().port, hearing.deadline)
                   : Result<ServerSeen>{shell.error()};
    if (shell.ok()) hearing.host_answers = true;
    if (seen.ok()) {
      return {true, seen.value().presence == ServerPresence::kRuns,
              "its host answers SSH: " + seen.value().text};
    }
    // Whoever wants a session next shall have a new one.
    node.forget_shell();
    failed = seen.error().message;
    if (seen.error().code == Code::kRefused) {
      return {true, false, "its host answers SSH, and tells nothing more: " + failed};
    }
    const bool again = shell.ok() && seen.error().code == Code::kUnreachable;
    if (!again || hearing.clock().passed(hearing.deadline)) break;
  }
  hearing.host_answers = false;
  hearing.call_host(node.spec().ssh);
  return {false, false, "its host gives us no SSH session: " + failed};
}

bool moved(const ReceiverSeen& before, const ReceiverSeen& after) {
  return before.received != after.received || before.received_gtids != after.received_gtids ||
         before.heartbeats != after.heartbeats;
}

std::string lost_text(const ReceiverSeen& seen) {
  if (seen.error.number == 0) return "its I/O thread has lost it, and tries to connect";
  return fmt::format("its I/O thread cannot connect: {} (error {})", seen.error.text,
                     seen.error.number);
}

// What this replica's receiver makes of its source, until it has lost it or the time is over. What
// was under way when the source died is still received afterwards: only what comes in the second
// half of the time counts.
class ReceiverWatch {
 public:
  ReceiverWatch(Node& node, const NodeSpec& orig, Hearing& hearing)
      : node_(node), orig_(orig), hearing_(hearing) {}

  ReplicaWitness watch() {
    const TimePoint half = hearing_.begin + hearing_.span() / 2;
    // A call that is late ends the session, which the failover needs.
    const Milliseconds margin = std::min(Milliseconds{50}, hearing_.span() / 5);
    std::optional<ReceiverSeen> first;
    std::optional<ReceiverSeen> at_half;
    const TimePoint late = hearing_.begin + hearing_.span() * 3 / 5;
    bool has_connected = false;
    Milliseconds pause{5};
    std::optional<ReceiverSeen> last;
    for (;;) {
      const Milliseconds left = hearing_.clock().remaining(hearing_.deadline) - margin;
      if (last.has_value() && left <= Milliseconds{0}) return of_running(*at_half, *last);
      if (left + margin <= Milliseconds{0}) return told(Witness::kNotAsked, "no time was left");
      const Result<std::optional<ReceiverSeen>> asked = ask();
      if (!asked.ok()) return told(Witness::kNotAsked, "does not answer: " + asked.error().message);
      if (!asked.value().has_value()) return told(Witness::kNotAsked, "it has no source any more");
      const ReceiverSeen& seen = *asked.value();
      if (seen.receiver == ReceiverState::kConnecting) return told(Witness::kLost, lost_text(seen));
      if (seen.receiver == ReceiverState::kStopped) return of_stopped(seen, last.has_value());
      if (!first.has_value()) first = seen;
      if (!at_half.has_value() || hearing_.clock().now() <= half) at_half = seen;
      last = seen;
      if (hearing_.alive) return of_running(*first, *last);
      if (hearing_.clock().now() >= late && !has_connected && !moved(*first, *last)) {
        has_connected = true;
        if (is_greeted(left)) {
          return told(Witness::kReaches, "its host gets a greeting from it, though we get none");
        }
      }
      hearing_.clock().sleep_for(std::clamp(left, Milliseconds{0}, pause));
      pause = std::min(pause * 2, kLongestPause);
    }
  }

 private:
  // Whether the master's server greets a connection that is made on the replica's host, within
  // `at_most`: one that hangs does not, though its kernel accepts. A host without bash or SSH tells
  // nothing.
  bool is_greeted(Milliseconds at_most) {
    const bool is_plain = orig_.mysql.host.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789.:-_") == std::string::npos;
    // The host's own time-out ends first, so that the session lives on.
    const Milliseconds there = at_most * 2 / 3;
    if (there < Milliseconds{50} || !is_plain) return false;
    const Result<RemoteShell*> shell = node_.shell(hearing_.deadline);
    if (!shell.ok()) return false;
    const std::string connect =
        fmt::format("exec 3<>/dev/tcp/{}/{} && IFS= read -r -n 1 -u 3 && echo greeted",
                    orig_.mysql.host, orig_.port);
    const Result<CommandOutput> said = shell.value()->run(
        fmt::format("timeout {:.3f} bash -c {} 2>/dev/null; true",
                    static_cast<double>(there.count()) / 1000.0, shell_quote(connect)),
        hearing_.deadline);
    if (said.ok()) return said.value().out.starts_with("greeted");
    node_.forget_shell();
    return false;
  }

  // The session of the discovery may have been ended since.
  Result<std::optional<ReceiverSeen>> ask() {
    for (bool again = true;; again = false) {
      const Result<MysqlServer*> server = node_.mysql(hearing_.deadline);
      Result<std::optional<ReceiverSeen>> seen =
          server.ok() ? server.value()->replication().receiver_seen(hearing_.deadline)
                      : Result<std::optional<ReceiverSeen>>{server.error()};
      if (seen.ok()) return seen;
      const Code code = seen.error().code;
      if (code == Code::kUnreachable || code == Code::kTimeout) node_.forget_sessions();
      if (!again || !server.ok() || code != Code::kUnreachable) return seen;
    }
  }

  [[nodiscard]] ReplicaWitness of_running(const ReceiverSeen& before,
                                          const ReceiverSeen& after) const {
    if (!moved(before, after)) {
      return told(Witness::kSilent,
                  "believes itself connected to it, and nothing came while we looked");
    }
    return told(Witness::kReceiving, fmt::format("receives from it: it is at {}:{}",
                                                 after.received.file, after.received.position));
  }

  // One that a person has stopped is no witness; one that gives up while we look is.
  ReplicaWitness of_stopped(const ReceiverSeen& seen, bool ran_before) const {
    const std::string error =
        seen.error.number == 0 ? ""
                               : fmt::format(": {} (error {})", seen.error.text, seen.error.number);
    if (ran_before) return told(Witness::kLost, "its I/O thread has stopped" + error);
    return told(Witness::kNotAsked, "its I/O thread had been stopped before" + error);
  }

  [[nodiscard]] ReplicaWitness told(Witness sees, const std::string& text) const {
    ReplicaWitness witness;
    witness.sees = sees;
    witness.text = fmt::format("{}: {}", node_.spec().host, text);
    return witness;
  }

  Node& node_;
  const NodeSpec& orig_;
  Hearing& hearing_;
};

// Why it is not dead: the strongest word first, then who says otherwise.
std::string why_not(const OwnConnection& own, const std::vector<ReplicaWitness>& replicas,
                    const std::string& title) {
  const auto first = [&](Witness sees) {
    return std::ranges::find_if(replicas,
                                [sees](const ReplicaWitness& one) { return one.sees == sees; });
  };
  const auto lost = first(Witness::kLost);
  if (own.answered) {
    std::string text = fmt::format("{} lives: {}", title, own.text);
    if (lost != replicas.end()) {
      text += fmt::format("; that a replica has lost it is another trouble ({})", lost->text);
    }
    return text;
  }
  if (!own.asked) return fmt::format("whether {} is dead is not known: {}", title, own.text);
  const auto receiving = first(Witness::kReceiving);
  const auto witness = receiving != replicas.end() ? receiving : first(Witness::kReaches);
  std::string text = fmt::format("{} lives: {}; what is broken is the way from here to it ({})",
                                 title, witness->text, own.text);
  if (lost != replicas.end()) text += fmt::format(", and another replica's ({})", lost->text);
  return text;
}

}  // namespace

DeathReport confirm_death(Discovery& discovery, std::size_t dead, Milliseconds patience,
                          Environment& environment) {
  Node& orig = *discovery.nodes.at(dead);
  const TimePoint begin = environment.clock.now();
  Hearing hearing{begin, Deadline{begin + patience}, environment};

  std::future<OwnConnection> own_word =
      std::async(std::launch::async, [&] { return connect_ourselves(orig.spec(), hearing); });
  std::future<HostWord> host_word =
      std::async(std::launch::async, [&] { return ask_host(orig, hearing); });
  const std::vector<std::optional<std::size_t>> sources = find_sources(discovery.views);
  std::vector<std::pair<std::size_t, std::future<ReplicaWitness>>> watches;
  for (std::size_t i = 0; i < discovery.views.size(); ++i) {
    if (i == dead || !discovery.views[i].replicates() || sources.at(i) != dead) continue;
    watches.emplace_back(i, std::async(std::launch::async, [&, i] {
                           return ReceiverWatch(*discovery.nodes[i], orig.spec(), hearing).watch();
                         }));
  }

  DeathReport report;
  const OwnConnection own = own_word.get();
  const HostWord host = host_word.get();
  for (auto& [i, watch] : watches) {
    report.replicas.push_back(watch.get());
    report.replicas.back().host = i;
  }
  report.host_answers = host.answers;
  report.server_runs = host.server_runs;
  if (!host.answers) report.host_call = std::move(hearing.host_call);
  report.evidence = {own.text, host.text};
  bool receives = false;
  for (const ReplicaWitness& replica : report.replicas) {
    report.evidence.push_back(replica.text);
    receives |= replica.sees == Witness::kReceiving || replica.sees == Witness::kReaches;
  }
  for (std::size_t i = 0; i < discovery.views.size(); ++i) {
    const bool asked = std::ranges::any_of(
        report.replicas, [i](const ReplicaWitness& replica) { return replica.host == i; });
    if (i == dead || asked) continue;
    const HostView& view = discovery.views[i];
    report.replicas.push_back(
        {i, Witness::kNotAsked,
         fmt::format("{}: not asked: it {}", view.host.node.host,
                     view.living() ? "does not replicate from it"
                                   : "is " + std::string{to_string(view.reach)})});
    report.evidence.push_back(report.replicas.back().text);
  }
  report.dead = own.asked && !own.answered && !receives;
  if (!report.dead) report.why_not = why_not(own, report.replicas, orig.title());
  return report;
}

}  // namespace mha
