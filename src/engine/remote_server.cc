// Reading /proc, and a kill.
#include "engine/remote_server.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/shell_quote.h"
#include "config/diagnostic.h"

namespace mha {
namespace {

// A line for each fact, in the order of the processes. Nothing of a process's memory is read but
// its arguments, and only a database server's: a process that hangs in the kernel can make that
// wait.
constexpr const char* kList = R"(
ports_in() {
  printf '%s\n' "$1" | sed -n \
    -e 's/^--port=\([0-9]*\)$/\1/p' -e 's/^-P\([0-9][0-9]*\)$/\1/p' \
    -e '/^\(--port\|-P\)$/ { n; s/^\([0-9]*\)$/\1/p; }'
}
sockets=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  awk '$4 == "0A" { n = split($2, a, ":"); print a[n], $8, $10 }')
printf '%s\n' "$sockets" | sed -n 's/^\(..*\)$/listens=\1/p'
here=$(readlink /proc/self/ns/net)
for d in /proc/[0-9]*; do
  IFS= read -r name 2>/dev/null <"$d/comm" || continue
  case $name in
  mysqld|mariadbd|mysqld-debug|mysqld_safe|mariadbd-safe) ;;
  *) continue ;;
  esac
  net=$(readlink "$d/ns/net" 2>/dev/null)  # a container's ports are not this host's
  test -z "$net" || test "$net" = "$here" || continue
  pid=${d#/proc/}
  case $name in *safe)
    case $(sed 's/.*) //' "$d/stat" 2>/dev/null) in ''|Z*|X*) continue ;; esac
    arguments=$(tr '\n\0' ' \n' 2>/dev/null <"$d/cmdline")
    named=$(ports_in "$arguments" | tail -n 1)
    echo "safe=$pid $named"
    continue ;;
  esac
  n=0
  while :; do
    stat=$(sed 's/.*) //' "$d/stat" 2>/dev/null) || continue 2
    set -- $stat
    case $1 in Z|X) set -- "$1" "$2" "$d"/task/*; test $# -gt 3 || continue 2 ;; esac
    fds= owns=
    if ls "$d/fd" >/dev/null 2>&1; then
      fds=seen
      owns=$(ls -l "$d/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\]$/\1/p' | tr '\n' ' ')
    fi
    # Read last. One that begins or ends has no arguments for a moment, and perhaps no sockets.
    arguments=$(tr '\n\0' ' \n' 2>/dev/null <"$d/cmdline")
    test -z "$arguments" && test $n -lt 50 && test -r "$d/cmdline" || break
    sleep 0.01
    n=$((n+1))
  done
  IFS= read -r now 2>/dev/null <"$d/comm" && test "$now" = "$name" || continue  # it ran another
  echo "process=$pid"; echo "name=$name"; echo "state=$1"; echo "parent=$2"
  sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/uid=\1/p' "$d/status"
  sed -n 's#^[^/]*/system\.slice/\(.*/\)*\([A-Za-z0-9@_.:\\-]*\.service\)$#unit=\2#p' "$d/cgroup" |
    head -n 1
  if test -n "$fds"; then echo fds=seen; echo "owns=$owns"; fi
  ports_in "$arguments" | sed 's/^/port=/'
done
if command -v systemctl >/dev/null 2>&1; then
  # One that waits for its next start is among them. A systemd that hangs must not hold up the kill.
  begun=$(timeout 2 systemctl list-units --all --full --plain --no-legend --type=service \
    --state=activating 2>/dev/null)
  test $? -ne 124 || echo starts=?
  printf '%s\n' "$begun" | sed -n 's/^[^A-Za-z0-9]*\([A-Za-z0-9@_.:\\-]*\.service\) .*/\1/p' |
  while IFS= read -r unit; do
    how=$(timeout 2 systemctl show -p ExecStart "$unit" 2>/dev/null)
    case $unit in
    mysql.service|mysqld.service|mariadb.service|mysql@*|mysqld@*|mariadb@*) ;;
    *) printf '%s\n' "$how" |
      grep -Eq '[/ "](mysqld|mariadbd)([_-]safe|-debug|_multi)?([ ";]|$)' || continue ;;
    esac
    how=$(printf '%s\n' "$how" | sed -n 's/.*[ "]--port[= ]\([0-9][0-9]*\).*/\1/p' | tail -n 1)
    printf 'starts=%s %s\n' "$unit" "$how"
  done
fi
echo listed=yes
)";

std::string in_sh(const std::string& script) {
  return "sh -c " + shell_quote("LC_ALL=C; export LC_ALL\n" + script);
}

unsigned long number_in(std::string_view text, int base = 10) {
  unsigned long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// What is known of one process beyond what callers want.
struct Candidate {
  ServerProcess process;
  unsigned long parent = 0;
  bool sockets_seen = false;
  std::set<unsigned long> owns;  // inodes
  std::optional<unsigned long> port;
};

struct Listener {
  unsigned long port = 0;
  unsigned long uid = 0;
  unsigned long inode = 0;
};

// A mysqld_safe, or a service that systemd is starting or about to start.
struct Starter {
  unsigned long pid = 0;  // of mysqld_safe; 0: systemd
  std::string unit;       // "?": systemd does not tell
  std::optional<unsigned long> port;

  [[nodiscard]] std::string text() const {
    if (pid != 0) return fmt::format("mysqld_safe (pid {})", pid);
    return unit == "?" ? "systemd, which does not answer," : fmt::format("systemd's {}", unit);
  }
};

struct Listing {
  std::vector<Listener> listeners;
  std::vector<Candidate> candidates;
  std::vector<Starter> starters;
  bool complete = false;
};

Listing parse(const std::string& text) {
  Listing listing;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = line.substr(0, equals);
    const std::string value = line.substr(equals + 1);
    std::istringstream words(value);
    if (key == "listens") {
      std::string port;
      Listener listener;
      words >> port >> listener.uid >> listener.inode;
      listener.port = number_in(port, 16);
      listing.listeners.push_back(listener);
    } else if (key == "safe" || key == "starts") {
      std::string who;
      std::string port;
      words >> who >> port;
      Starter& starter = listing.starters.emplace_back();
      if (key == "safe") starter.pid = number_in(who);
      if (key == "starts") starter.unit = printable(who);
      if (!port.empty()) starter.port = number_in(port);
    } else if (key == "listed") {
      listing.complete = true;
    } else if (key == "process") {
      listing.candidates.emplace_back().process.pid = number_in(value);
    }
    if (listing.candidates.empty()) continue;
    Candidate& last = listing.candidates.back();
    if (key == "name") last.process.name = printable(value);
    if (key == "state") last.process.state = value.empty() ? '?' : printable(value).front();
    if (key == "parent") last.parent = number_in(value);
    if (key == "uid") last.process.uid = number_in(value);
    if (key == "unit") last.process.unit = printable(value);
    if (key == "fds") last.sockets_seen = true;
    if (key == "port") last.port = number_in(value);
    if (key == "owns") {
      for (unsigned long inode = 0; words >> inode;) last.owns.insert(inode);
    }
  }
  for (Candidate& candidate : listing.candidates) {
    const bool is_safe = std::ranges::any_of(listing.starters, [&](const Starter& starter) {
      return starter.pid != 0 && starter.pid == candidate.parent;
    });
    if (is_safe) candidate.process.safe = candidate.parent;
  }
  return listing;
}

// Whether `starter` may bring up the server of this port, none of which is seen. Whose server runs
// has its work done; of one that has `ended`, who starts it again is known.
bool may_start(const Starter& starter, const Listing& listing, unsigned long port,
               const std::optional<ServerProcess>& ended) {
  if (starter.port.has_value() && *starter.port != port) return false;
  const bool is_safe = starter.pid != 0;
  if (ended.has_value() && is_safe && starter.pid != ended->safe) return false;
  const bool unit_is_known = ended.has_value() && !ended->unit.empty() && starter.unit != "?";
  if (unit_is_known && !is_safe && starter.unit != ended->unit) return false;
  return std::ranges::none_of(listing.candidates, [&](const Candidate& candidate) {
    return is_safe ? candidate.parent == starter.pid : candidate.process.unit == starter.unit;
  });
}

enum class IsIt { kYes, kNo, kMaybe };

// Whether a process is the server of this port.
IsIt judge(const Candidate& candidate, const Listing& listing, unsigned long port) {
  bool listens_elsewhere = false;
  bool its_user_listens = false;
  for (const Listener& listener : listing.listeners) {
    if (candidate.owns.contains(listener.inode)) {
      if (listener.port == port) return IsIt::kYes;
      listens_elsewhere = true;
    }
    its_user_listens |= listener.port == port && listener.uid == candidate.process.uid;
  }
  // The last one counts, as the server reads them.
  if (candidate.port.has_value()) return *candidate.port == port ? IsIt::kYes : IsIt::kNo;
  if (candidate.sockets_seen) return listens_elsewhere ? IsIt::kNo : IsIt::kMaybe;
  const auto same_user = std::ranges::count_if(listing.candidates, [&](const Candidate& other) {
    return other.process.uid == candidate.process.uid && !other.port.has_value();
  });
  return its_user_listens && same_user == 1 ? IsIt::kYes : IsIt::kMaybe;
}

std::string state_text(char state) {
  if (state == 'T' || state == 't') return ", stopped";
  return state == 'D' ? ", waiting for a disk" : "";
}

std::string text_of(const ServerProcess& process) {
  return fmt::format("{} (pid {}{})", process.name, process.pid, state_text(process.state));
}

ServerSeen not_known(std::string text) { return {ServerPresence::kNotKnown, {}, std::move(text)}; }

// Says `refused` where it may not, and `not_stopped` where systemd's service could not be stopped.
std::string kill_script(const ServerProcess& process, UseSudo sudo) {
  const std::string as_owner =
      sudo == UseSudo::kYes ? fmt::format("sudo -n -u '#{}' ", process.uid) : "";
  const std::string as_root = sudo == UseSudo::kYes ? "sudo -n " : "";
  const auto kill = [](unsigned long pid, const std::string& as) {
    return fmt::format("kill -KILL {0} 2>/dev/null || r=$r$({1}kill -KILL {0} 2>&1)\n", pid, as);
  };
  std::string script =
      "say() { printf '%s=%s\\n' \"$1\" \"$(printf '%s' \"$2\" | tr '\\n' ' ')\"; }\nr=\n";
  if (process.safe != 0) script += kill(process.safe, as_root);
  script += kill(process.pid, as_owner);
  script += "if test -n \"$r\"; then say refused \"$r\"; else\n";
  if (!process.unit.empty()) {
    // After the kill: a stop wakes a process that is stopped, and waits for it.
    const std::string stop = "systemctl --no-ask-password stop " + shell_quote(process.unit);
    script += fmt::format(
        "{0} 2>/dev/null || e=$({1}{0} 2>&1) || systemctl show -p Restart {2} 2>/dev/null | "
        "grep -qx Restart=no || say not_stopped \"${{e:-it failed}}\"\n",
        stop, as_root, shell_quote(process.unit));
  }
  // Memory of the size of a server's takes its time to be given back.
  script += fmt::format(
      "n=0; for p in {} {}; do while test $n -lt 300 && test -e /proc/$p; do "
      "case $(sed 's/.*) //' /proc/$p/stat 2>/dev/null) in Z*|X*) "
      "set -- /proc/$p/task/*; test $# -gt 1 || break ;; esac; "
      "sleep 0.01; n=$((n+1)); done; done\nfi\n",
      process.safe == 0 ? "" : std::to_string(process.safe), process.pid);
  return script;
}

std::string value_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key + "=")) continue;
    std::string value = line.substr(key.size() + 1);
    while (!value.empty() && value.back() == ' ') value.pop_back();
    return value;
  }
  return "";
}

}  // namespace

ServerSeen server_in(const std::string& listing, std::uint16_t port,
                     const std::optional<ServerProcess>& ended) {
  const Listing all = parse(listing);
  // kill(2) takes 0 for a group of processes, and 1 is init.
  const bool makes_sense = std::ranges::all_of(
      all.candidates, [](const Candidate& candidate) { return candidate.process.pid > 1; });
  if (!makes_sense) return not_known("the host lists processes that cannot be database servers");
  std::vector<const Candidate*> ours;
  std::vector<std::string> maybe;
  for (const Candidate& candidate : all.candidates) {
    const IsIt is_it = judge(candidate, all, port);
    if (is_it == IsIt::kYes) ours.push_back(&candidate);
    if (is_it == IsIt::kMaybe) maybe.push_back(text_of(candidate.process));
  }
  if (ours.size() == 1) {
    return {ServerPresence::kRuns, ours.front()->process,
            text_of(ours.front()->process) + " runs there"};
  }
  if (ours.size() > 1) {
    return not_known(fmt::format("{} processes there are of port {}", ours.size(), port));
  }
  if (!maybe.empty()) {
    return not_known(
        fmt::format("whether {}, which runs there, is the server of port {} is not "
                    "known: it is not seen to listen, and names no port",
                    fmt::join(maybe, " or "), port));
  }
  const bool listened_to = std::ranges::any_of(
      all.listeners, [port](const Listener& listener) { return listener.port == port; });
  if (listened_to) {
    return not_known(fmt::format(
        "no mysqld or mariadbd that is seen there has port {}, and something listens on it", port));
  }
  std::vector<std::string> starters;
  for (const Starter& starter : all.starters) {
    if (may_start(starter, all, port, ended)) starters.push_back(starter.text());
  }
  if (!starters.empty()) {
    return not_known(fmt::format("no server of port {} runs there, and {} may start it again", port,
                                 fmt::join(starters, " or ")));
  }
  return {ServerPresence::kNone, {}, fmt::format("no server of port {} runs there", port)};
}

Result<ServerSeen> find_server(RemoteShell& shell, std::uint16_t port, Deadline deadline) {
  const Result<CommandOutput> listed = shell.run(in_sh(kList), deadline);
  if (!listed.ok()) return listed.error();
  if (listed.value().out.find("listed=yes") == std::string::npos) {
    return Error{Code::kRefused,
                 fmt::format("host '{}' does not tell which processes run there: {}", shell.host(),
                             listed.value().err.substr(0, listed.value().err.find('\n')))};
  }
  return server_in(listed.value().out, port);
}

Result<ServerEnd> kill_server(RemoteShell& shell, std::uint16_t port, UseSudo sudo,
                              Deadline deadline, const Clock& clock) {
  const Result<ServerSeen> seen = find_server(shell, port, deadline);
  if (!seen.ok()) return seen.error();
  if (seen.value().presence == ServerPresence::kNone) {
    return ServerEnd{true, seen.value().text + " (read back)"};
  }
  if (seen.value().presence == ServerPresence::kNotKnown) {
    return ServerEnd{false, seen.value().text + "; nothing was killed"};
  }
  const ServerProcess& process = seen.value().process;
  const std::string who = text_of(process);
  if (clock.passed(deadline)) return ServerEnd{false, who + " runs there: no time was left"};
  const Result<CommandOutput> done = shell.run(in_sh(kill_script(process, sudo) + kList), deadline);
  if (!done.ok()) return done.error().with_context("killing " + who);
  const std::string refused = value_of(done.value().out, "refused");
  const ServerSeen after = server_in(done.value().out, port, process);
  const bool listed = done.value().out.find("listed=yes") != std::string::npos;
  const std::string not_stopped = value_of(done.value().out, "not_stopped");
  if (listed && !not_stopped.empty() && after.presence != ServerPresence::kRuns) {
    return ServerEnd{false, fmt::format("{} was killed, and systemd starts {} again: it was not "
                                        "stopped: {}; the sample sudoers file has a rule for it",
                                        who, process.unit, not_stopped)};
  }
  if (!listed || after.presence != ServerPresence::kNone) {
    std::string text = fmt::format("SIGKILL for {}", who);
    if (!refused.empty()) {
      text +=
          fmt::format(" was refused: {} ({})", refused,
                      sudo == UseSudo::kYes ? "the sample sudoers file has a rule that allows it"
                                            : "log in as root, or set requires_sudo=yes");
    }
    text += "; then: " + (listed ? after.text : std::string{"the host told nothing"});
    return ServerEnd{false, std::move(text)};
  }
  return ServerEnd{true,
                   who + (refused.empty() ? " was killed (read back)" : " is gone (read back)")};
}

}  // namespace mha
