// Looking at the hosts after a failover, and saying what was seen.
#include "core/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

namespace mha {
namespace {

using nlohmann::json;

struct SeenVip {
  Result<VipPresence> presence;
  bool by_provider = false;  // the host itself was not reached
};

// On the host; where that is not reached in half of the time, in the network's own interface, if
// the driver has one.
SeenVip look_for_vip(Node& node, Deadline deadline, Clock& clock) {
  const std::unique_ptr<VipDriver> bare = node.vip_without_shell();
  const bool has_both = bare->shell_use() == ShellUse::kWanted;
  const Deadline first = has_both ? clock.deadline_after(clock.remaining(deadline) / 2) : deadline;
  Result<VipDriver*> driver = node.vip(first);
  Result<VipPresence> presence =
      driver.ok() ? driver.value()->status(first) : Result<VipPresence>{driver.error()};
  if (presence.ok() || !has_both) return {std::move(presence), false};
  Result<VipPresence> told = bare->status(deadline);
  if (!told.ok()) return {std::move(presence), false};
  return {std::move(told), true};
}

HostFacts look_at(const NodeSpec& spec, Deadline deadline, Environment& environment) {
  Node node(spec, environment.ports);
  HostFacts facts;
  facts.host = spec.host;
  facts.port = spec.port;
  facts.moves_a_vip = node.moves_a_vip();
  // Both at once: a silent server must not use up the time for the address.
  std::future<void> vip = std::async(std::launch::async, [&] {
    if (!facts.moves_a_vip) return;
    const SeenVip seen = look_for_vip(node, deadline, environment.clock);
    facts.vip_by_provider = seen.by_provider;
    if (seen.presence.ok()) {
      facts.vip = seen.presence.value();
    } else {
      facts.vip_error = seen.presence.error().message;
    }
  });
  Result<MysqlServer*> server = node.mysql(deadline);
  Result<ReadOnlyState> state = server.ok() ? server.value()->read_only_state(deadline)
                                            : Result<ReadOnlyState>{server.error()};
  if (state.ok()) {
    facts.read_only = state.value();
  } else {
    facts.mysql_error = state.error().message;
  }
  vip.get();
  return facts;
}

std::string vip_text(const HostFacts& facts) {
  if (!facts.moves_a_vip) return "not moved by us";
  if (!facts.vip.has_value()) return "not known (" + facts.vip_error + ")";
  const std::string where = *facts.vip == VipPresence::kPresent ? "HERE" : "not here";
  return facts.vip_by_provider ? where + " (by the cloud's word; the host was not reached)" : where;
}

std::string writes_text(const HostFacts& facts) {
  if (!facts.read_only.has_value()) return "not known (" + facts.mysql_error + ")";
  return facts.read_only->blocks_writes() ? "no (read_only)" : "YES";
}

// The word of our own engine's fence on the whole, which the hook's does not have.
bool is_of_our_engine(const json& record) {
  return record.value("event", "") == "fence" && !record.value("text", "").empty();
}

const json* last_of_our_engine(const JournalFile& journal) {
  const auto last =
      std::find_if(journal.records.rbegin(), journal.records.rend(), is_of_our_engine);
  return last == journal.records.rend() ? nullptr : &*last;
}

bool is_alarming(const json& fence) {
  return !fence.value("server_down", false) || !fence.value("fenced", false) ||
         fence.value("late", false);
}

// What a reader at night must see first.
std::vector<std::string> alarms(const ReportRequest& request, const std::vector<HostFacts>& facts,
                                const std::vector<JournalFile>& journals) {
  std::vector<std::string> lines;
  for (const JournalFile& journal : journals) {
    for (const json& record : journal.records) {
      const std::string event = record.value("event", "");
      if (is_of_our_engine(record)) {
        // A host that answered late has a second one.
        if (&record != last_of_our_engine(journal) || !is_alarming(record)) continue;
        lines.push_back(fmt::format("{}: {}.{}", request.orig_master_host, record.value("text", ""),
                                    record.value("server_down", false) ? "" : " Power it off."));
      } else if (event == "fence" && !record.value("fenced", false)) {
        lines.push_back(
            fmt::format("NOT FENCED: the virtual IP was not removed from {}: {}. It may still hold "
                        "the address. Power it off, or remove the address by hand.",
                        request.orig_master_host, record.value("error", "")));
      }
      if (event == "fact" && !record.value("mysqld_pids", "").empty()) {
        lines.push_back(fmt::format("mysqld was still running on {} (pid {}).",
                                    request.orig_master_host, record.value("mysqld_pids", "")));
      }
    }
  }
  const auto has_vip = [](const HostFacts& host) { return host.vip == VipPresence::kPresent; };
  const auto writes = [](const HostFacts& host) {
    return host.read_only.has_value() && !host.read_only->blocks_writes();
  };
  const auto moves = [](const HostFacts& host) { return host.moves_a_vip; };
  const auto holders = std::count_if(facts.begin(), facts.end(), has_vip);
  const auto writers = std::count_if(facts.begin(), facts.end(), writes);
  if (holders == 0 && std::any_of(facts.begin(), facts.end(), moves)) {
    lines.emplace_back("No host that we could ask has the virtual IP.");
  }
  if (holders > 1) lines.push_back(fmt::format("{} hosts have the virtual IP.", holders));
  if (writers == 0) lines.emplace_back("No server that we could ask takes writes.");
  if (writers > 1) lines.push_back(fmt::format("{} servers take writes.", writers));
  return lines;
}

// One line a record that a person would want to see.
std::string timeline_line(const json& record) {
  const std::string event = record.value("event", "");
  const std::string step = record.value("step", "");
  const std::string error = record.value("error", "");
  std::string text;
  if (event == "operation") {
    text = fmt::format("{} began", record.value("operation", ""));
  } else if (event == "step_done") {
    text = step + " done";
  } else if (event == "step_failed" || event == "undo_failed") {
    text = fmt::format("{} {}: {}", step, event == "step_failed" ? "FAILED" : "could not be undone",
                       error);
  } else if (event == "undo_done") {
    text = step + " undone";
  } else if (event == "fence_rung") {
    text = fmt::format("fencing the dead master{}: {}",
                       record.value("done", false) ? "" : " FAILED", record.value("text", ""));
  } else if (event == "fence" && !record.value("text", "").empty()) {
    text = record.value("text", "");
  } else if (event == "fence") {
    const std::string by = record.value("by", "host");
    text = !record.value("fenced", false) ? "virtual IP NOT removed from the dead master"
           : by == "host"
               ? "virtual IP not on the dead master (read back)"
               : fmt::format(
                     "virtual IP no longer leads to the dead master (read back from '{}'): "
                     "the address is fenced, whatever the host itself does",
                     by);
  } else if (event == "point_of_no_return") {
    text = "the new master takes writes";
  } else if (event == "end") {
    text = fmt::format("ended with exit code {}", record.value("ending", 0));
  }
  return text.empty() ? "" : fmt::format("  {}  {}\n", record.value("time", ""), text);
}

}  // namespace

std::vector<HostFacts> gather_facts(const std::vector<NodeSpec>& hosts, Milliseconds patience,
                                    Environment& environment) {
  const Deadline deadline = environment.clock.deadline_after(patience);
  std::vector<std::future<HostFacts>> looks;
  looks.reserve(hosts.size());
  for (const NodeSpec& spec : hosts) {
    looks.push_back(std::async(std::launch::async, [&spec, deadline, &environment] {
      return look_at(spec, deadline, environment);
    }));
  }
  std::vector<HostFacts> facts;
  facts.reserve(looks.size());
  for (std::future<HostFacts>& look : looks) facts.push_back(look.get());
  return facts;
}

std::vector<JournalFile> failover_journals(const std::string& orig_host, std::uint16_t orig_port,
                                           const Environment& environment) {
  const std::string since = utc_stamp(environment.clock.wall_now() - std::chrono::hours{1});
  std::vector<JournalFile> journals;
  for (const char* operation : {"hard_stop", "hard_start", "failover"}) {
    const std::vector<std::string> paths =
        find_journals(environment.state_dir, operation, journal_subject(orig_host, orig_port));
    if (paths.empty()) continue;
    Result<JournalFile> journal = read_journal(paths.front());
    if (!journal.ok() || journal.value().records.front().value("time", "") < since) continue;
    journals.push_back(std::move(journal).value());
  }
  return journals;
}

std::string compose_report(const ReportRequest& request, const std::vector<HostFacts>& facts,
                           const std::vector<JournalFile>& journals) {
  std::string text;
  for (const std::string& alarm : alarms(request, facts, journals)) text += "!! " + alarm + "\n";
  if (!text.empty()) text += "\n";
  text += fmt::format("Original master: {}\nNew master:      {}\nReplicas:        {}\n\n",
                      request.orig_master_host,
                      request.new_master_host.empty() ? "none" : request.new_master_host,
                      request.new_slave_hosts.empty() ? "none" : request.new_slave_hosts);
  text += "What we saw on the hosts when this mail was written:\n";
  if (facts.empty()) text += "  nothing: the configuration could not be read\n";
  for (const HostFacts& host : facts) {
    text += fmt::format("  {}:{}  virtual IP: {}; takes writes: {}\n", host.host, host.port,
                        vip_text(host), writes_text(host));
  }
  if (!journals.empty()) {
    text += "\nWhat our programs did (UTC):\n";
    for (const JournalFile& journal : journals) {
      for (const json& record : journal.records) text += timeline_line(record);
    }
  }
  text += fmt::format("\n{}:\n{}", request.body_title, request.body);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace mha
