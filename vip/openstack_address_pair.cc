// The address on the hosts, and the pairs that let it through the ports.
#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "vip/cloud_retry.h"
#include "vip/metal.h"
#include "vip/neutron_api.h"
#include "vip/openstack.h"
#include "vip/openstack_host.h"
#include "vip/openstack_preflight.h"
#include "vip/problems.h"

namespace mha {
namespace {

// How long assign() waits for the cloud's word on a pair that was there before: clients are served
// meanwhile.
constexpr Milliseconds kReadBack{3000};

class AddressPairDriver : public VipDriver {
 public:
  explicit AddressPairDriver(OpenstackParts parts)
      : api_(parts.session, parts.ports),
        clock_(parts.ports.clock),
        log_(parts.ports.log),
        vip_(*parts.site.settings.writer_vip),
        has_shell_(parts.shell != nullptr),
        metal_(make_metal_driver(
            MetalPlace{vip_, parts.site.settings.cluster_interface,
                       parts.site.settings.requires_sudo,
                       parts.site.settings.requires_arping ? NeighbourTalk::kProbeAndAnnounce
                                                           : NeighbourTalk::kNone},
            parts.site.host, parts.shell, clock_, log_)),
        host_(parts.site, api_) {
    if (parts.counterpart.has_value()) counterpart_.emplace(*parts.counterpart, api_);
  }

  const std::string& provider() const override {
    static const std::string name = "openstack";
    return name;
  }
  bool moves_an_address() const override { return true; }
  ShellUse shell_use() const override { return ShellUse::kWanted; }

  Status check(Deadline deadline) override {
    ahead_.settle(host_);
    std::future<Status> on_host;
    if (has_shell_) {
      on_host = std::async(std::launch::async, [&] { return metal_->check(deadline); });
    } else {
      log_.debug("{}: no shell: checked by the cloud's interface alone", host_.title());
    }
    Problems problems;
    const Result<NeutronPort> own = host_.read(deadline);
    problems.add(own.status());
    if (own.ok()) examine(host_, own.value(), problems);
    // Where the cloud does not answer at all, it would only be said twice.
    if (counterpart_.has_value() && (own.ok() || own.error().code == Code::kRefused)) {
      const Result<NeutronPort> theirs = counterpart_->read(deadline);
      problems.add(theirs.status());
      if (theirs.ok()) examine(*counterpart_, theirs.value(), problems);
      problems.add(check_ports_apart(host_, *counterpart_));
      problems.add(check_same_network(host_, *counterpart_));
    }
    if (own.ok()) {
      problems.add(check_permission(deadline));
      look_for_strangers(own.value(), problems, deadline);
    }
    if (on_host.valid()) problems.add(on_host.get());
    return problems.status();
  }

  Result<VipPresence> status(Deadline deadline) override {
    ahead_.settle(host_);
    if (has_shell_) {
      Result<VipPresence> on_host = metal_->status(deadline);
      // What the host does not have it does not answer for, whatever its port would let through.
      if (!on_host.ok() || on_host.value() == VipPresence::kAbsent) return on_host;
    }
    const Result<NeutronPort> port = host_.read(deadline);
    if (!port.ok()) return port.error();
    const bool passes = port.value().lets_through(vip_);
    if (!has_shell_) {
      log_.debug("{}: no shell: by the cloud's interface alone, its port {} {}", host_.title(),
                 passes ? "lets through" : "does not let through", vip_.address);
    } else if (!passes) {
      log_.warning(
          "{} has {} on its interface, but its port does not let it through: the pair is missing "
          "({})",
          host_.title(), vip_.address, allow_by_hand(host_));
    }
    return passes ? VipPresence::kPresent : VipPresence::kAbsent;
  }

  // The cloud knows who may have the address, and only the network who has it.
  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    return metal_->other_holders(deadline);
  }

  std::vector<std::string> own_identities() const override {
    std::vector<std::string> names = metal_->own_identities();
    if (host_.known().has_value()) {
      names.push_back(host_.known()->id);
      if (std::find(names.begin(), names.end(), host_.known()->mac) == names.end()) {
        names.push_back(host_.known()->mac);
      }
    }
    return names;
  }

  // The work on the host does not wait for the cloud: the pair is there beforehand, and what a port
  // does not let through harms nobody. Only where it is known to be missing it comes first.
  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    ahead_.settle(host_);
    if (!has_shell_) return metal_->assign(other_holder, deadline);
    if (host_.known().has_value() && !host_.known()->lets_through(vip_)) {
      if (const Status allowed = allow(deadline); !allowed.ok()) return allowed.error();
    }
    const Deadline soon = clock_.deadline_after(kReadBack).capped(deadline);
    std::future<Result<NeutronPort>> reading = read_meanwhile(host_, soon);
    Result<VipAssignment> assigned = metal_->assign(other_holder, deadline);
    const Result<NeutronPort> port = reading.get();
    if (port.ok()) host_.remember(port.value());
    if (!assigned.ok() && assigned.error().code == Code::kRefused &&
        other_holder == OtherHolder::kRefuse) {
      assigned = take_from_counterpart(assigned.error(), deadline);
    }
    if (!assigned.ok()) return assigned;
    if (!port.ok()) {
      assigned.value().warnings.push_back(
          fmt::format("{} has {}, but whether its port lets it through could not be read: {}",
                      host_.title(), vip_.address, port.error().message));
      return assigned;
    }
    if (port.value().lets_through(vip_)) return assigned;
    if (const Status allowed = allow(deadline); !allowed.ok()) {
      return allowed.error().with_context(fmt::format(
          "{} has {}, and its port does not let it through", host_.title(), vip_.address));
    }
    // What was announced before was not let through.
    const Result<VipAssignment> again = metal_->assign(other_holder, deadline);
    if (!again.ok()) return again;
    return assigned;
  }

  Status remove(Deadline deadline) override {
    ahead_.settle(host_);
    return has_shell_ ? metal_->remove(deadline) : fence(host_, deadline);
  }

  void prepare_remove(Deadline deadline) override { metal_->prepare_remove(deadline); }
  void prepare_assign(Deadline deadline) override {
    if (has_shell_) ahead_.start(host_, deadline);
    metal_->prepare_assign(deadline);
  }

  std::string assign_by_hand() const override {
    return fmt::format("{}; {}", allow_by_hand(host_),
                       host_.on_host_by_hand(metal_->assign_by_hand()));
  }
  std::string remove_by_hand() const override {
    return fmt::format("{} || {} port unset --allowed-address ip-address={} {}",
                       host_.on_host_by_hand(metal_->remove_by_hand()), host_.client_by_hand(),
                       vip_.address, host_.port_by_hand());
  }

 private:
  [[nodiscard]] std::string allow_by_hand(const OpenstackHost& host) const {
    return fmt::format("{} port set --allowed-address ip-address={} {}", host.client_by_hand(),
                       vip_.address, host.port_by_hand());
  }

  void examine(const OpenstackHost& host, const NeutronPort& port, Problems& problems) {
    if (!port.port_security) {
      log_.warning(
          "{}: its port has port security switched off: the address passes, but the cloud could "
          "not take it away from a host that answers nobody",
          host.title());
      return;
    }
    if (port.has_fixed_ip(vip_.address)) {
      problems.add(Error{
          Code::kRefused,
          fmt::format("{}: its port has {} as an address of its own, which no fencing would take "
                      "away in openstack_mode=address_pair; {} port unset --fixed-ip ip-address={} "
                      "{}, or set openstack_mode=fixed_ip",
                      host.title(), vip_.address, host.client_by_hand(), vip_.address, port.id)});
    }
    switch (port.pair_for(vip_)) {
      case PairMatch::kNone:
        problems.add(
            Error{Code::kRefused, fmt::format("{}: its port does not let {} through; {}",
                                              host.title(), vip_.address, allow_by_hand(host))});
        break;
      case PairMatch::kWider:
        log_.warning(
            "{}: a range of its port's pairs holds {}: that works, but the cloud could not take "
            "the address alone away from a host that answers nobody; write the address itself",
            host.title(), vip_.address);
        break;
      case PairMatch::kExact:
        break;
    }
  }

  // The counterpart's only where this host's is granted: else it would be said twice.
  Status check_permission(Deadline deadline) {
    for (const OpenstackHost* host :
         {&host_, counterpart_.has_value() ? &*counterpart_ : nullptr}) {
      if (host == nullptr || !host->known().has_value() || !host->known()->port_security) continue;
      const Status may = of_host(*host, api_.may_put_pairs(*host->known(), deadline));
      if (!may.ok()) return may;
    }
    return {};
  }

  // A port that is bound to no server is how the address is kept from being given away.
  void look_for_strangers(const NeutronPort& own, Problems& problems, Deadline deadline) {
    const auto ports = api_.ports_with_address(vip_.address, own.network_id, deadline);
    problems.add(ports.status());
    if (!ports.ok()) return;
    for (const NeutronPort& port : ports.value()) {
      const bool ours =
          port.id == own.id || (counterpart_.has_value() && counterpart_->known().has_value() &&
                                port.id == counterpart_->known()->id);
      if (ours || port.device_id.empty()) continue;
      problems.add(Error{Code::kRefused,
                         fmt::format("port {} ({} {}) has {} as an address of its own; take it off "
                                     "there, or choose another address",
                                     port.id, port.device_owner, port.device_id, vip_.address)});
    }
    if (ports.value().empty()) {
      log_.info(
          "no port reserves {} in network {}: where it is in an allocation pool, the cloud may "
          "give it to another server",
          vip_.address, own.network_id);
    }
  }

  Status allow(Deadline deadline) {
    const auto written = host_.ensure(
        [this](const NeutronPort& port) { return port.lets_through(vip_); },
        [&](const NeutronPort& port) {
          log_.info("Calling Neutron: {} is added to the allowed_address_pairs of port {}",
                    vip_.address, port.id);
          std::vector<AddressPair> pairs = port.pairs;
          pairs.push_back({vip_.address, ""});
          return api_.put_pairs(port, pairs, deadline);
        },
        deadline);
    if (!written.ok()) return written.error();
    return read_back(host_, PairMatch::kExact, deadline);
  }

  // The network passes nothing of the address from this port any more.
  Status fence(OpenstackHost& host, Deadline deadline) {
    if (const auto port = host.read(deadline); !port.ok()) return port.error();
    const auto written = host.ensure(
        [this](const NeutronPort& port) { return !port.lets_through(vip_); },
        [&](const NeutronPort& port) -> Result<Written<NeutronPort>> {
          if (const std::string why = unfenceable(port); !why.empty()) {
            return Error{Code::kRefused, fmt::format("{} cannot be taken away by the cloud: {}",
                                                     vip_.address, why)};
          }
          log_.info("Calling Neutron: {} is taken off the allowed_address_pairs of port {}",
                    vip_.address, port.id);
          return api_.put_pairs(port, port.pairs_without(vip_), deadline);
        },
        deadline);
    if (!written.ok()) return written.error();
    return read_back(host, PairMatch::kNone, deadline);
  }

  [[nodiscard]] std::string unfenceable(const NeutronPort& port) const {
    if (!port.port_security) return "the port has port security switched off";
    if (port.has_fixed_ip(vip_.address)) return "it is an address of the port's own";
    if (port.pair_for(vip_) == PairMatch::kWider) {
      return "a range of the port's pairs holds other addresses too";
    }
    return "";
  }

  Status read_back(OpenstackHost& host, PairMatch wanted, Deadline deadline) {
    const bool passes = wanted == PairMatch::kExact;
    const Result<bool> seen = poll_until(clock_, deadline, [&]() -> Result<bool> {
      const Result<NeutronPort> port = host.read(deadline);
      if (!port.ok()) return port.error();
      return port.value().lets_through(vip_) == passes;
    });
    if (!seen.ok()) return seen.error();
    if (seen.value()) return {};
    return Error{
        Code::kRefused,
        fmt::format("{}: the cloud took the change, but its port still {} {}", host.title(),
                    passes ? "does not let through" : "lets through", vip_.address)};
  }

  // Another machine answers for the address. Where it is the counterpart and nobody else, the cloud
  // silences it: alive or not, it has lost the address then.
  Result<VipAssignment> take_from_counterpart(const Error& refusal, Deadline deadline) {
    if (!counterpart_.has_value()) return refusal;
    const Result<NeutronPort> theirs = counterpart_->read(deadline);
    if (!theirs.ok()) return also(refusal, theirs.error());
    const auto answering = metal_->other_holders(deadline);
    if (!answering.ok()) return also(refusal, answering.error());
    for (const std::string& mac : answering.value()) {
      if (mac != theirs.value().mac) return refusal;
    }
    // Nobody answers any more: it went away by itself.
    if (answering.value().empty()) return metal_->assign(OtherHolder::kRefuse, deadline);
    if (const Status fenced = fence(*counterpart_, deadline); !fenced.ok()) {
      return also(refusal, fenced.error());
    }
    Result<VipAssignment> assigned = metal_->assign(OtherHolder::kTakeOver, deadline);
    if (!assigned.ok()) return assigned;
    assigned.value().warnings = {fmt::format(
        "{} still answered for {}; it was taken off the pairs of its port, so that the cloud lets "
        "nothing of it through",
        counterpart_->title(), vip_.address)};
    return assigned;
  }

  static Error also(const Error& first, const Error& second) {
    return {first.code, fmt::format("{}; and by the cloud: {}", first.message, second.message)};
  }

  NeutronApi api_;
  Clock& clock_;
  Log& log_;
  const Cidr vip_;
  const bool has_shell_;
  const std::unique_ptr<VipDriver> metal_;
  OpenstackHost host_;
  std::optional<OpenstackHost> counterpart_;
  PortReadAhead ahead_;
};

}  // namespace

std::unique_ptr<VipDriver> make_address_pair_driver(OpenstackParts parts) {
  return std::make_unique<AddressPairDriver>(std::move(parts));
}

}  // namespace mha
