// One database host in an OpenStack cloud: its port, looked for once, and how people call it.
#pragma once

#include <functional>
#include <future>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "config/vip_site.h"
#include "vip/neutron_api.h"

namespace mha {

// How often a change is tried anew that somebody else's change came before (412).
inline constexpr int kStaleTries = 5;

// Not thread-safe.
class OpenstackHost {
 public:
  // `api` outlives it.
  OpenstackHost(VipSite site, NeutronApi& api) : site_(std::move(site)), api_(api) {}

  [[nodiscard]] const VipSite& site() const { return site_; }
  // "host 'db1'", with its port where that is known: "host 'db1' (port ID)".
  [[nodiscard]] std::string title() const;

  // The port as it is now: by openstack_port_id, else the one that has the host's address; by the
  // id that was found before. One call.
  Result<NeutronPort> read(Deadline deadline);
  // As it was read last, or as the answer to a change described it.
  [[nodiscard]] const std::optional<NeutronPort>& known() const { return known_; }
  void remember(NeutronPort port) { known_ = std::move(port); }
  // known(), else read().
  Result<NeutronPort> known_or_read(Deadline deadline);

  // Brings the port to where `wanted(port)` holds: by `change(port) ->
  // Result<Written<NeutronPort>>` on what is known, and on what is read anew where that was stale.
  // The answer's kTaken is given back, since only the caller knows what to do then.
  using Wanted = std::function<bool(const NeutronPort&)>;
  using Change = std::function<Result<Written<NeutronPort>>(const NeutronPort&)>;
  Result<Written<NeutronPort>> ensure(const Wanted& wanted, const Change& change,
                                      Deadline deadline);

  // For a command line: "openstack --os-cloud prod", and the port's id or the call that finds it.
  [[nodiscard]] std::string client_by_hand() const;
  [[nodiscard]] std::string port_by_hand() const;
  // The command, as typed on the manager, that runs `command` on this host.
  [[nodiscard]] std::string on_host_by_hand(const std::string& command) const;

 private:
  [[nodiscard]] std::string address() const;
  Result<NeutronPort> look_for(Deadline deadline);

  VipSite site_;
  NeutronApi& api_;
  std::optional<NeutronPort> known_;
};

// Reads the host's port in a thread of its own, by a copy, so that `host` has one user at a time.
std::future<Result<NeutronPort>> read_meanwhile(const OpenstackHost& host, Deadline deadline);

// A port that is read ahead of its need. Its end is waited for where it goes.
class PortReadAhead {
 public:
  // Nothing where the port is known, or being read.
  void start(const OpenstackHost& host, Deadline deadline);
  // Before `host` is used: it knows then what was read.
  void settle(OpenstackHost& host);

 private:
  std::future<Result<NeutronPort>> reading_;
};

}  // namespace mha
