// Building the metal driver's scripts.
#include "vip/metal_script.h"

#include <fmt/core.h>

#include "base/shell_quote.h"

namespace mha {
namespace {

// A user's ssh command has no sbin in its PATH (facts: mha.md), and ip lives there on some
// distributions.
std::string prologue(const MetalPlace& place) {
  return fmt::format(
      "LC_ALL=C; export LC_ALL; PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"; "
      "s={}; ip=$(command -v ip) || ip=; arping=$(command -v arping) || arping=; "
      "say() {{ printf '%s=%s\\n' \"$1\" \"$(printf '%s' \"$2\" | tr '\\n' ' ')\"; }}\n",
      place.requires_sudo ? "'sudo -n'" : "");
}

constexpr const char* kPaths = "say ip \"$ip\"; say arping \"$arping\"\n";
constexpr const char* kAddresses = "echo --addresses--; \"$ip\" -o addr show";

// By the shell itself: a program more is a millisecond more of downtime.
std::string say_operstate(const MetalPlace& place) {
  return fmt::format(
      "o=; read -r o 2>/dev/null </sys/class/net/{}/operstate; echo \"operstate=$o\"\n",
      shell_quote(place.interface));
}

// The whole runs in sh, whatever the remote user's login shell is.
std::string in_sh(const std::string& script) { return "sh -c " + shell_quote(script); }

// Is the address here already? Both sides are in inet_ntop's form.
std::string is_here(const MetalPlace& place) {
  return fmt::format("\"$ip\" -o addr show | grep -qF -e {} -e {}",
                     shell_quote(fmt::format(" {}/", place.vip.address)),
                     shell_quote(fmt::format(" {} peer ", place.vip.address)));
}

bool probes(const MetalPlace& place) {
  return !place.vip.is_v6 && place.talk == NeighbourTalk::kProbeAndAnnounce;
}

bool announces(const MetalPlace& place) {
  return !place.vip.is_v6 && (place.talk == NeighbourTalk::kProbeAndAnnounce ||
                              place.talk == NeighbourTalk::kAnnounceOnly);
}

std::string flags_for_add(const MetalPlace& place) {
  return place.vip.is_v6 && place.talk == NeighbourTalk::kMute ? "nodad" : "";
}

// arping -D leaves at the first answer, else after a second. Root's process cannot be ended by a
// sudo user, so it is left to end by itself, and only its answer is waited for. It writes to a file
// that was opened before it began: opened by name at its end, the file would be there again.
std::string probe(const MetalPlace& place, int ticks) {
  if (!probes(place)) return "";
  return fmt::format(
      "if [ -n \"$arping\" ]; then t=$(mktemp); "
      "({{ $s \"$arping\" -D -c 1 -w 1 -I {0} {1}; echo over; }} </dev/null 2>/dev/null &) "
      ">\"$t\"; n=0; "
      "while [ $n -lt {2} ] && ! grep -q over \"$t\"; do sleep 0.01; n=$((n+1)); done; "
      "probe=$(grep -i 'reply from' \"$t\" | head -n 1); rm -f \"$t\"; fi\n",
      shell_quote(place.interface), shell_quote(place.vip.address), ticks);
}

// Unsolicited ARP: the first packet leaves at once, each arping then waits a second (facts:
// mha.md). As long as the address is here only: announcing one that has gone back meanwhile would
// cut the clients off.
std::string announce(const MetalPlace& place) {
  if (!announces(place)) return "";
  return fmt::format(
      "if [ -n \"$arping\" ]; then (for i in 1 2 3 4 5; do {0} || break; "
      "$s \"$arping\" -q -U -c 1 -I {1} {2}; done </dev/null >/dev/null 2>&1 &); fi\n",
      is_here(place), shell_quote(place.interface), shell_quote(place.vip.address));
}

}  // namespace

std::string metal_change_command(const MetalPlace& place, const std::string& verb) {
  return fmt::format("{}ip addr {} {} dev {}", place.requires_sudo ? "sudo " : "", verb,
                     shell_quote(place.vip.text()), shell_quote(place.interface));
}

std::string metal_check_script(const MetalPlace& place) {
  const std::string interface = shell_quote(place.interface);
  std::string script = prologue(place) + kPaths;
  script += "if [ -n \"$ip\" ]; then\n";
  script += fmt::format(
      "if e=$($s \"$ip\" -o link show dev {0} 2>&1); then say sudo ok; else say sudo \"$e\"; fi\n",
      interface);
  script += fmt::format("say link \"$(cat /sys/class/net/{}/address 2>/dev/null)\"\n", interface);
  script += "say links \"$(cat /sys/class/net/*/address 2>/dev/null)\"\n";
  script += say_operstate(place);
  if (place.vip.is_v6) {
    script += fmt::format(
        "f=/proc/sys/net/ipv6/conf; say ndisc_notify "
        "\"$(cat $f/{0}/ndisc_notify $f/all/ndisc_notify 2>/dev/null | sort -r | head -n 1)\"\n",
        interface);
  } else if (announces(place)) {
    script +=
        "if [ -n \"$arping\" ]; then if e=$($s \"$arping\" -V 2>&1); then say arping_sudo ok; "
        "else say arping_sudo \"$e\"; fi; fi\n";
  }
  script += "fi\n";
  script += kAddresses;
  return in_sh(script);
}

std::string metal_status_script(const MetalPlace& place) {
  return in_sh(prologue(place) + kPaths + kAddresses);
}

std::string metal_remove_script(const MetalPlace& place, const std::vector<std::string>& address,
                                const std::string& interface) {
  std::string words;
  for (const std::string& word : address) words += shell_quote(word) + " ";
  return in_sh(prologue(place) + kPaths +
               fmt::format("if e=$($s \"$ip\" addr del {}dev {} 2>&1); then say change ok; "
                           "else say change \"$e\"; fi\n",
                           words, shell_quote(interface)) +
               kAddresses);
}

std::string metal_assign_script(const MetalPlace& place, const std::string& flags,
                                OnAnswer on_answer) {
  std::string script = prologue(place) + kPaths + "probe=\n";
  script += fmt::format("if {}; then say change ok; else\n", is_here(place));
  script += probe(place, kProbeTicks);
  script += "say probe \"$probe\"\n";
  if (on_answer == OnAnswer::kStop) script += "if [ -z \"$probe\" ]; then\n";
  script += fmt::format(
      "if e=$($s \"$ip\" addr add {} dev {} {} 2>&1); then say change ok; else say change \"$e\"; "
      "fi\n",
      shell_quote(place.vip.text()), shell_quote(place.interface),
      flags.empty() ? flags_for_add(place) : flags);
  if (on_answer == OnAnswer::kStop) script += "fi\n";
  script += "fi\n";
  script += fmt::format("if {}; then\n{}:\nfi\n", is_here(place), announce(place));
  script += say_operstate(place);
  script += kAddresses;
  return in_sh(script);
}

// ip itself lists the addresses after the change, since a program less is a millisecond less of
// downtime. Only where all of it went well: an empty list would mean that the address is gone.
std::string metal_prepared_remove_script(const MetalPlace& place) {
  return in_sh(prologue(place) + kPaths +
               "if e=$($s \"$ip\" -o -batch - 2>&1) && [ -n \"$e\" ]; then "
               "echo change=ok; echo --addresses--; printf '%s\\n' \"$e\"; exit; fi\n"
               "say change \"$e\"\n" +
               kAddresses);
}

// The fifo lets sudo and ip start before the line is there; the shell sees the line first, and the
// network's answer.
std::string metal_prepared_assign_script(const MetalPlace& place, AskNetwork ask) {
  std::string script = prologue(place) + kPaths;
  script +=
      "d=$(mktemp -d) || exit 1; trap 'rm -rf \"$d\"' EXIT; mkfifo \"$d/in\" || exit 1; : "
      ">\"$d/probe\"\n";
  std::string wait_for_answer;
  if (probes(place) && ask == AskNetwork::kNow) {
    script += fmt::format(
        "if [ -n \"$arping\" ]; then ($s \"$arping\" -D -c 1 -w 1 -I {} {} </dev/null "
        ">\"$d/probe\" 2>/dev/null &); fi\n"
        "(sleep 0.0{}; echo over) </dev/null >\"$d/asked\" 2>/dev/null &\n",
        shell_quote(place.interface), shell_quote(place.vip.address), kProbeTicks);
    // The line may come so soon that another machine has had no time to answer.
    wait_for_answer =
        "while [ ! -s \"$d/asked\" ] && ! grep -qi 'reply from' \"$d/probe\"; do sleep 0.01; "
        "done\n";
  }
  script +=
      "$s \"$ip\" -o -batch - <\"$d/in\" >\"$d/out\" 2>&1 & p=$!\n"
      "exec 3>\"$d/in\"\n"
      "if read -r line; then\n" +
      wait_for_answer +
      "probe=; if [ -s \"$d/probe\" ]; then probe=$(grep -i 'reply from' \"$d/probe\"); fi\n"
      "if [ -z \"$probe\" ]; then printf '%s\\naddr show\\n' \"$line\" >&3; fi; exec 3>&-\n";
  // The first announcement starts together with the change: clients wait for it. Without sudo
  // first, which takes longer than all the rest: where arping has the capability it needs (Debian
  // installs it so) it says it at once, else nothing. Where the address is not there yet neither
  // says anything (arping -U binds to it), so the quick one tries twice, and those of announce()
  // follow.
  if (announces(place)) {
    script += fmt::format(
        "if [ -n \"$arping\" ] && [ -z \"$probe\" ]; then "
        "({{ {0} || {0}; }} </dev/null >/dev/null 2>&1 &)\n"
        "($s {0} </dev/null >/dev/null 2>&1 &); fi\n",
        fmt::format("\"$arping\" -q -U -c 1 -I {} {}", shell_quote(place.interface),
                    shell_quote(place.vip.address)));
  }
  // As in the removing one, ip has listed the addresses itself.
  script += "if wait $p && [ -s \"$d/out\" ]; then echo change=ok; echo probe=\n" +
            say_operstate(place) + "echo --addresses--; cat \"$d/out\"\n" + announce(place) +
            "exit; fi\n";
  script +=
      fmt::format("say change \"$(cat \"$d/out\")\"; say probe \"$probe\"\nif {}; then\n{}:\nfi\n",
                  is_here(place), announce(place));
  script += "fi\nexec 3>&-\n";
  script += say_operstate(place);
  script += kAddresses;
  return in_sh(script);
}

std::string metal_batch_line(const MetalPlace& place, const std::string& verb) {
  const std::string flags = verb == "add" ? flags_for_add(place) : "";
  return fmt::format("addr {} {} dev {}{}{}\n{}", verb, place.vip.text(), place.interface,
                     flags.empty() ? "" : " ", flags, verb == "del" ? "addr show\n" : "");
}

std::string metal_probe_script(const MetalPlace& place) {
  std::string script = prologue(place) + kPaths + "probe=\n";
  if (place.talk == NeighbourTalk::kMute) {
    // Whatever answered would be the cloud.
  } else if (place.vip.is_v6) {
    // No tool for v6 may be there: a packet makes the kernel ask, and its neighbour table tells who
    // answered.
    script += fmt::format(
        "ping -6 -c 1 -W 1 -I {0} {1} >/dev/null 2>&1; "
        "probe=$(\"$ip\" -6 neigh show {1} dev {0} 2>/dev/null | grep lladdr | grep -v FAILED)\n",
        shell_quote(place.interface), shell_quote(place.vip.address));
  } else {
    // The plain question is answered by every holder, -D (as from nowhere) works without an address
    // of our own.
    script += fmt::format(
        "if [ -n \"$arping\" ]; then probe=$( ($s \"$arping\" -D -c 1 -w 1 -I {0} {1} & "
        "$s \"$arping\" -b -c 2 -w 1 -I {0} {1}; wait) </dev/null 2>/dev/null "
        "| grep -i 'reply from'); fi\n",
        shell_quote(place.interface), shell_quote(place.vip.address));
  }
  script += "say probe \"$probe\"\n";
  script += kAddresses;
  return in_sh(script);
}

}  // namespace mha
