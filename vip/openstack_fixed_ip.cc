// The address as one of a port's own, which Neutron gives to one port at a time, and of the host's.
#include <fmt/core.h>
#include <fmt/ranges.h>

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

using How = Written<NeutronPort>::How;

// What assign() keeps of its time for giving the address back to the port that it was taken from.
constexpr Milliseconds kGiveBack{5000};

class FixedIpDriver : public VipDriver {
 public:
  explicit FixedIpDriver(OpenstackParts parts)
      : api_(parts.session, parts.ports),
        clock_(parts.ports.clock),
        log_(parts.ports.log),
        vip_(*parts.site.settings.writer_vip),
        has_shell_(parts.shell != nullptr),
        metal_(make_metal_driver(
            // Who has it is asked of the cloud: its own responders may answer ARP for it.
            MetalPlace{vip_, parts.site.settings.cluster_interface,
                       parts.site.settings.requires_sudo,
                       parts.site.settings.requires_arping ? NeighbourTalk::kAnnounceOnly
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
    if (own.ok()) examine(host_, own.value(), problems, deadline);
    if (counterpart_.has_value() && (own.ok() || own.error().code == Code::kRefused)) {
      const Result<NeutronPort> theirs = counterpart_->read(deadline);
      problems.add(theirs.status());
      if (theirs.ok()) examine(*counterpart_, theirs.value(), problems, deadline);
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
    std::future<Result<NeutronPort>> reading = read_meanwhile(host_, deadline);
    const Result<VipPresence> on_host =
        has_shell_ ? metal_->status(deadline) : VipPresence::kAbsent;
    const Result<NeutronPort> port = reading.get();
    if (!port.ok()) return port.error();
    host_.remember(port.value());
    const bool on_port = port.value().has_fixed_ip(vip_.address);
    if (!has_shell_) {
      log_.debug("{}: no shell: by the cloud's interface alone, its port {} {}", host_.title(),
                 on_port ? "has" : "does not have", vip_.address);
      return on_port ? VipPresence::kPresent : VipPresence::kAbsent;
    }
    if (!on_host.ok()) return on_host;
    if (on_port != (on_host.value() == VipPresence::kPresent)) {
      log_.warning("{}: {} is {}: nobody reaches it there", host_.title(), vip_.address,
                   on_port ? "on its port, and not on the host itself"
                           : "on the host itself, and not on its port");
      return VipPresence::kAbsent;
    }
    return on_host;
  }

  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    ahead_.settle(host_);
    const Result<NeutronPort> own = host_.known_or_read(deadline);
    if (!own.ok()) return own.error();
    const auto ports = api_.ports_with_address(vip_.address, own.value().network_id, deadline);
    if (!ports.ok()) return ports.error();
    std::vector<std::string> ids;
    for (const NeutronPort& port : ports.value()) {
      if (port.id != own.value().id) ids.push_back(port.id);
    }
    return ids;
  }

  std::vector<std::string> own_identities() const override {
    if (!host_.known().has_value()) return {};
    return {host_.known()->id};
  }

  // The cloud first: it alone decides who has the address, and an announcement before that would
  // not be let through. Its answer is then read back while the host is at work.
  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    ahead_.settle(host_);
    if (!has_shell_) return metal_->assign(other_holder, deadline);
    const Milliseconds kept = std::min(kGiveBack, clock_.remaining(deadline) / 4);
    Claim claimed = claim(other_holder, Deadline{deadline.at() - kept});
    if (!claimed.status.ok()) {
      return claimed.loser.has_value()
                 ? give_back(*std::move(claimed.loser), claimed.status.error(), deadline)
                 : claimed.status.error();
    }
    std::future<Status> seen =
        std::async(std::launch::async, [this, deadline] { return read_back_holder(deadline); });
    // No other machine is asked; what the host's own detection of duplicates heard of the old
    // holder, whom the cloud has just silenced, must not count.
    const OtherHolder on_host = vip_.is_v6 ? OtherHolder::kTakeOver : OtherHolder::kRefuse;
    const Result<VipAssignment> configured = metal_->assign(on_host, deadline);
    const Status read_back = seen.get();
    if (!configured.ok()) {
      return configured.error().with_context(fmt::format(
          "{} is on the port of {}, and not on the host itself", vip_.address, host_.title()));
    }
    if (!read_back.ok()) return read_back.error();
    VipAssignment assignment{std::move(claimed.warnings)};
    for (const std::string& warning : configured.value().warnings) {
      assignment.warnings.push_back(warning);
    }
    return assignment;
  }

  Status remove(Deadline deadline) override {
    ahead_.settle(host_);
    if (!has_shell_) return take_off_port(deadline);
    std::future<Status> on_host =
        std::async(std::launch::async, [this, deadline] { return metal_->remove(deadline); });
    const Status off_port = take_off_port(deadline);
    const Status removed = on_host.get();
    if (off_port.ok() || removed.ok()) return off_port.ok() ? removed : off_port;
    return Error{
        removed.error().code,
        fmt::format("{}; and by the cloud: {}", removed.error().message, off_port.error().message)};
  }

  void prepare_remove(Deadline deadline) override {
    ahead_.start(host_, deadline);
    metal_->prepare_remove(deadline);
  }
  void prepare_assign(Deadline deadline) override {
    ahead_.start(host_, deadline);
    metal_->prepare_assign(deadline);
  }

  std::string assign_by_hand() const override {
    return fmt::format("{} port set --fixed-ip ip-address={} {} && {}", host_.client_by_hand(),
                       vip_.address, host_.port_by_hand(),
                       host_.on_host_by_hand(metal_->assign_by_hand()));
  }
  std::string remove_by_hand() const override {
    return fmt::format("{}; {}", release_by_hand(host_.port_by_hand()),
                       host_.on_host_by_hand(metal_->remove_by_hand()));
  }

 private:
  // And reads back that it is off.
  Status take_off_port(Deadline deadline) {
    // What was read before may be taken off at once; what was not there then may be there now.
    if (!host_.known().has_value() || !host_.known()->has_fixed_ip(vip_.address)) {
      if (const auto fresh = host_.read(deadline); !fresh.ok()) return fresh.error();
    }
    if (Status released = release(host_, deadline); !released.ok()) return released;
    const Result<bool> gone = poll_until(clock_, deadline, [&]() -> Result<bool> {
      const Result<NeutronPort> port = host_.read(deadline);
      if (!port.ok()) return port.error();
      return !port.value().has_fixed_ip(vip_.address);
    });
    if (!gone.ok()) return gone.error();
    if (gone.value()) return {};
    return Error{Code::kRefused,
                 fmt::format("{}: its port has {} again: somebody else puts it there",
                             host_.title(), vip_.address)};
  }

  [[nodiscard]] std::string release_by_hand(const std::string& port) const {
    return fmt::format("{} port unset --fixed-ip ip-address={} {}", host_.client_by_hand(),
                       vip_.address, port);
  }

  void examine(const OpenstackHost& host, const NeutronPort& port, Problems& problems,
               Deadline deadline) {
    if (is_only_address(port)) problems.add(only_address(host.title(), port));
    bool fits = port.has_fixed_ip(vip_.address);
    std::vector<std::string> asked;
    std::vector<std::string> cidrs;
    for (const FixedIp& fixed : port.fixed_ips) {
      if (fits || std::find(asked.begin(), asked.end(), fixed.subnet_id) != asked.end()) continue;
      asked.push_back(fixed.subnet_id);
      const Result<NeutronSubnet> subnet = api_.subnet(fixed.subnet_id, deadline);
      if (!subnet.ok()) {
        problems.add(subnet.error().with_context(host.title()));
        return;
      }
      cidrs.push_back(subnet.value().cidr);
      fits = range_holds(subnet.value().cidr, vip_);
    }
    if (!fits) {
      problems.add(Error{Code::kRefused,
                         fmt::format("{}: writer_vip_cidr: {} is in no subnet of its port ({}); "
                                     "choose an address of one that both hosts have",
                                     host.title(), vip_.address, fmt::join(cidrs, ", "))});
    }
  }

  // The counterpart's only where this host's is granted: else it would be said twice.
  Status check_permission(Deadline deadline) {
    for (const OpenstackHost* host :
         {&host_, counterpart_.has_value() ? &*counterpart_ : nullptr}) {
      if (host == nullptr || !host->known().has_value()) continue;
      const Status may = of_host(*host, api_.may_put_fixed_ips(*host->known(), deadline));
      if (!may.ok()) return may;
    }
    return {};
  }

  // Whoever does not know the other master yet, as where all candidates are looked at, does not
  // know who is a stranger.
  void look_for_strangers(const NeutronPort& own, Problems& problems, Deadline deadline) {
    if (!counterpart_.has_value()) return;
    const auto ports = api_.ports_with_address(vip_.address, own.network_id, deadline);
    problems.add(ports.status());
    if (!ports.ok()) return;
    for (const NeutronPort& port : ports.value()) {
      if (port.id != own.id && !is_port_of(port, counterpart_)) problems.add(held_by(port));
    }
  }

  // Its other addresses are what keeps a server reachable, and one must be left.
  [[nodiscard]] bool is_only_address(const NeutronPort& port) const {
    return port.has_fixed_ip(vip_.address) && port.fixed_ips_without(vip_.address).empty();
  }
  [[nodiscard]] Error only_address(const std::string& title, const NeutronPort& port) const {
    return Error{Code::kRefused,
                 fmt::format("{}: {} is the only address of port {}, so that it is not taken off: "
                             "give the port another one of its own (openstack port set --fixed-ip)",
                             title, vip_.address, port.id)};
  }
  [[nodiscard]] Error held_by(const NeutronPort& port) const {
    const std::string whose = port.device_id.empty()
                                  ? "which is bound to no server"
                                  : fmt::format("of {} {}", port.device_owner, port.device_id);
    return Error{Code::kRefused,
                 fmt::format("port {}, {}, has {}, and is of neither master; take it off there "
                             "first: {}",
                             port.id, whose, vip_.address,
                             is_only_address(port)
                                 ? fmt::format("{} port delete {}", host_.client_by_hand(), port.id)
                                 : release_by_hand(port.id))};
  }

  struct Claim {
    Status status;
    std::optional<OpenstackHost> loser;  // the port that has lost the address on the way
    std::vector<std::string> warnings;
  };

  // The host's port has the address afterwards. Neutron itself takes it from nobody, so that this
  // may be tried without asking who has it.
  Claim claim(OtherHolder other_holder, Deadline deadline) {
    Claim claim;
    // What was there when it was last read may have been taken away.
    if (host_.known().has_value() && host_.known()->has_fixed_ip(vip_.address)) {
      claim.status = host_.read(deadline).status();
      if (!claim.status.ok()) return claim;
    }
    for (int tries = 0; tries < kStaleTries; ++tries) {
      const auto written = add_to(host_, deadline);
      claim.status = written.status();
      if (!written.ok() || written.value().how == How::kDone) return claim;
      Result<Claim> freed = free_it(other_holder, deadline);
      claim.status = freed.status();
      if (!freed.ok()) return claim;
      if (freed.value().loser.has_value()) claim.loser.emplace(*freed.value().loser);
      for (std::string& warning : freed.value().warnings) {
        claim.warnings.push_back(std::move(warning));
      }
    }
    claim.status = Error{
        Code::kRefused,
        fmt::format("{} is taken each time that it is asked for: does another manager move it "
                    "as well, or has a port of another project got it?",
                    vip_.address)};
    return claim;
  }

  // kTaken where another port has it.
  Result<Written<NeutronPort>> add_to(OpenstackHost& host, Deadline deadline) {
    return host.ensure([this](const NeutronPort& port) { return port.has_fixed_ip(vip_.address); },
                       [&](const NeutronPort& port) {
                         log_.info("Calling Neutron: {} is added to the fixed_ips of port {}",
                                   vip_.address, port.id);
                         std::vector<FixedIp> all = port.fixed_ips;
                         all.push_back({"", vip_.address});
                         return api_.put_fixed_ips(port, all, deadline);
                       },
                       deadline);
  }

  // Another port has the address: it loses it, where it may.
  Result<Claim> free_it(OtherHolder other_holder, Deadline deadline) {
    const std::string network = host_.known()->network_id;
    const auto ports = api_.ports_with_address(vip_.address, network, deadline);
    if (!ports.ok()) return ports.error();
    if (ports.value().empty()) return Claim{};  // it went away, or cannot be seen: tried anew
    const NeutronPort& holder = ports.value().front();
    if (holder.id == host_.known()->id) {
      if (const auto fresh = host_.read(deadline); !fresh.ok()) return fresh.error();
      return Claim{};
    }
    if (counterpart_.has_value()) {
      const Result<NeutronPort> theirs = counterpart_->known_or_read(deadline);
      if (!theirs.ok() && other_holder == OtherHolder::kRefuse) return theirs.error();
    }
    const bool known = is_port_of(holder, counterpart_);
    if (!known && other_holder == OtherHolder::kRefuse) {
      Error refused = held_by(holder);
      refused.message += fmt::format("; it was not given to {}", host_.title());
      return refused;
    }
    Claim freed;
    freed.loser.emplace(known ? *counterpart_ : stranger(holder));
    freed.loser->remember(holder);
    if (Status released = release(*freed.loser, deadline); !released.ok()) return released.error();
    if (!known) {
      freed.warnings.push_back(
          fmt::format("port {} ({} {}), which is of neither master, had {}; it was taken over all "
                      "the same (unfenced_failover=proceed)",
                      holder.id, holder.device_owner, holder.device_id, vip_.address));
    }
    return freed;
  }

  OpenstackHost stranger(const NeutronPort& port) {
    VipSite site;
    site.host = port.device_id;
    return {std::move(site), api_};
  }

  Status release(OpenstackHost& from, Deadline deadline) {
    return from
        .ensure([this](const NeutronPort& port) { return !port.has_fixed_ip(vip_.address); },
                [&](const NeutronPort& port) -> Result<Written<NeutronPort>> {
                  if (is_only_address(port)) return only_address("the cloud", port);
                  log_.info("Calling Neutron: {} is taken off the fixed_ips of port {}",
                            vip_.address, port.id);
                  return api_.put_fixed_ips(port, port.fixed_ips_without(vip_.address), deadline);
                },
                deadline)
        .status();
  }

  // The address was taken off the old port, and the new one could not have it.
  Error give_back(OpenstackHost loser, const Error& cause, Deadline deadline) {
    const auto written = add_to(loser, deadline);
    const std::string port = loser.known()->id;
    if (!written.ok()) {
      return {cause.code,
              fmt::format("{}; {} was taken off port {} before, and could not be given back ({}): "
                          "no port may have it now; {} port set --fixed-ip ip-address={} {}",
                          cause.message, vip_.address, port, written.error().message,
                          host_.client_by_hand(), vip_.address, port)};
    }
    if (written.value().how == How::kTaken) {
      return {cause.code,
              fmt::format("{}; {} was taken off port {} before, and another port has it by now: "
                          "{} port list --fixed-ip ip-address={}",
                          cause.message, vip_.address, port, host_.client_by_hand(), vip_.address)};
    }
    return {cause.code, fmt::format("{}; {} was given back to port {}, which had it before",
                                    cause.message, vip_.address, port)};
  }

  // Called from a thread of its own, which changes nothing in this object.
  Status read_back_holder(Deadline deadline) {
    const std::string own = host_.known()->id;
    const std::string network = host_.known()->network_id;
    std::string holder = "no port";
    const Result<bool> seen = poll_until(clock_, deadline, [&]() -> Result<bool> {
      const auto ports = api_.ports_with_address(vip_.address, network, deadline);
      if (!ports.ok()) return ports.error();
      if (ports.value().empty()) return false;
      holder = ports.value().front().id;
      if (ports.value().size() == 1 && holder == own) return true;
      return Error{Code::kRefused,
                   fmt::format("{} was given to port {}, and port {} has it now: does another "
                               "manager move it as well?",
                               vip_.address, own, holder)};
    });
    if (!seen.ok()) return seen.error();
    if (seen.value()) return {};
    return Error{Code::kTimeout,
                 fmt::format("{} was given to port {}, and the cloud does not show it there",
                             vip_.address, own)};
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

std::unique_ptr<VipDriver> make_fixed_ip_driver(OpenstackParts parts) {
  return std::make_unique<FixedIpDriver>(std::move(parts));
}

}  // namespace mha
