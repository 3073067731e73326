// The shell scripts that the metal driver runs on a host: POSIX sh, every value quoted.
#pragma once

#include <string>
#include <vector>

#include "config/host_settings.h"

namespace mha {

// What arping is used for (v4; IPv6 announces and looks for duplicates by itself).
enum class NeighbourTalk {
  kProbeAndAnnounce,  // ask who else has the address before it is added, and tell neighbours then
  kAnnounceOnly,      // the network itself answers for the address, so that asking tells nothing
  kNone,              // arping is not used
  kMute,  // the network answers for addresses itself and drops announcements: no arping, and for v6
          // no duplicate address detection, which would be a second of waiting for nothing
};

// What the scripts are made from.
struct MetalPlace {
  Cidr vip;
  std::string interface;
  bool requires_sudo = true;
  NeighbourTalk talk = NeighbourTalk::kProbeAndAnnounce;
};

// How long assign waits for another machine's answer: on a LAN it comes within a millisecond or
// two, and clients are without a server meanwhile.
inline constexpr int kProbeTicks = 4;  // of 10 ms

// Each prints `ip -o addr show` last, after a line "--addresses--"; before it, lines "key=value":
//   ip, arping        paths found ("" where there is none)
//   sudo              "ok", or what sudo said
//   arping_sudo       the same for arping
//   link              the interface's link-layer address, "" where there is no such interface
//   links             those of all interfaces
//   operstate         the interface's state as the kernel has it (RFC 2863): "up", "unknown" where
//                     there is none to tell, "down" without a cable too; check and assign only
//   ndisc_notify      v6: "1" where the kernel announces new addresses by itself
//   probe             the line with which another machine answered for the address, "" where none
//   did change            what `ip addr add` or `del` said where it failed, "ok" where it did not
std::string metal_check_script(const MetalPlace& place);
std::string metal_status_script(const MetalPlace& place);
// `address`: the arguments that name it (InterfaceAddress::words).
std::string metal_remove_script(const MetalPlace& place, const std::vector<std::string>& address,
                                const std::string& interface);
// `flags` go to the end of `ip addr add` ("" or "nodad"; "nodad" for v6 where the network is mute).
// With `stop_at_answer` the address is not added where another machine answers for it.
enum class OnAnswer { kStop, kGoOn };
std::string metal_assign_script(const MetalPlace& place, const std::string& flags,
                                OnAnswer on_answer);

// The same two, for RemoteShell::prepare: they wait for one line for `ip -batch -`, which then
// already runs behind sudo, and do nothing without it. The assigning one has asked the network
// meanwhile, and announces.
std::string metal_prepared_remove_script(const MetalPlace& place);
enum class AskNetwork { kNow, kDone };  // kDone: the caller has, and knows the only holder
std::string metal_prepared_assign_script(const MetalPlace& place, AskNetwork ask);
// That line: "addr add 10.0.0.100/24 dev eth0"; for "del" another one has it list what is left.
std::string metal_batch_line(const MetalPlace& place, const std::string& verb);

// Asks the network who else has the address; takes up to a second.
std::string metal_probe_script(const MetalPlace& place);

// "sudo ip addr add 10.0.0.100/24 dev eth0", for people and for the log.
std::string metal_change_command(const MetalPlace& place, const std::string& verb);

}  // namespace mha
