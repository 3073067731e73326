// A public address that the cloud translates to an address of a port: nothing on the hosts.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <future>
#include <memory>
#include <utility>

#include "config/host_name.h"
#include "vip/cloud_retry.h"
#include "vip/neutron_api.h"
#include "vip/openstack.h"
#include "vip/openstack_host.h"
#include "vip/openstack_preflight.h"
#include "vip/problems.h"

namespace mha {
namespace {

using How = Written<NeutronFloatingIp>::How;

class FloatingIpDriver : public VipDriver {
 public:
  explicit FloatingIpDriver(OpenstackParts parts)
      : api_(parts.session, parts.ports),
        clock_(parts.ports.clock),
        log_(parts.ports.log),
        host_(parts.site, api_) {
    if (parts.counterpart.has_value()) counterpart_.emplace(*parts.counterpart, api_);
  }

  const std::string& provider() const override {
    static const std::string name = "openstack";
    return name;
  }
  bool moves_an_address() const override { return true; }
  ShellUse shell_use() const override { return ShellUse::kNone; }

  Status check(Deadline deadline) override {
    ahead_.settle(host_);
    Problems problems;
    const Result<NeutronFloatingIp> floating = read(deadline);
    problems.add(floating.status());
    if (floating.ok()) {
      const Status permitted = api_.may_put_floating_ip(floating.value(), deadline);
      if (!permitted.ok()) problems.add(permitted.error().with_context(title()));
      check_address(floating.value(), problems);
    } else if (floating.error().code != Code::kRefused) {
      return problems.status();  // the cloud does not answer, or not us
    }
    for (OpenstackHost* host : hosts()) {
      const Result<NeutronPort> port = host->read(deadline);
      problems.add(port.status());
      if (port.ok()) problems.add(target_of(*host).status());
    }
    const bool both =
        host_.known().has_value() && counterpart_.has_value() && counterpart_->known().has_value();
    if (both && host_.known()->id == counterpart_->known()->id) {
      problems.add(Error{Code::kConfig,
                         fmt::format("{} and {} are given the same port: set openstack_port_id in "
                                     "each host's own section",
                                     host_.title(), counterpart_->title())});
    }
    return problems.status();
  }

  Result<VipPresence> status(Deadline deadline) override {
    ahead_.settle(host_);
    const Result<NeutronFloatingIp> floating = read_with_port(deadline);
    if (!floating.ok()) return floating.error();
    return floating.value().port_id == host_.known()->id ? VipPresence::kPresent
                                                         : VipPresence::kAbsent;
  }

  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    ahead_.settle(host_);
    const Result<NeutronFloatingIp> floating = read_with_port(deadline);
    if (!floating.ok()) return floating.error();
    const std::string& holder = floating.value().port_id;
    if (holder.empty() || holder == host_.known()->id) return std::vector<std::string>{};
    return std::vector<std::string>{holder};
  }

  std::vector<std::string> own_identities() const override {
    if (!host_.known().has_value()) return {};
    return {host_.known()->id};
  }

  // One call moves it from port to port. It holds for the revision by which the holder was judged,
  // so that of two managers the later one judges anew.
  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    ahead_.settle(host_);
    Result<NeutronFloatingIp> floating = known_.has_value() && host_.known().has_value()
                                             ? Result<NeutronFloatingIp>{*known_}
                                             : read_with_port(deadline);
    if (!floating.ok()) return floating.error();
    const Result<NeutronApi::Target> target = target_of(host_);
    if (!target.ok()) return target.error();
    for (int tries = 0; tries < kStaleTries; ++tries) {
      if (!floating.ok()) return floating.error();
      if (leads_to(floating.value(), target.value())) {
        // It was read before; it is read anew below.
        return seen_at(target.value(), VipAssignment{}, deadline);
      }
      Result<VipAssignment> may = judge(floating.value(), other_holder, deadline);
      if (!may.ok()) return may;
      log_.info("Calling Neutron: floating IP {} is given to port {} ({})",
                floating.value().address, target.value().port_id, target.value().fixed_address);
      const auto written = api_.put_floating_ip(floating.value(), &target.value(), deadline);
      if (!written.ok()) return written.error().with_context(host_.title());
      if (written.value().how == How::kDone) {
        known_ = written.value().now;
        return seen_at(target.value(), std::move(may).value(), deadline);
      }
      floating = read(deadline);
    }
    return changed_by_others();
  }

  Status remove(Deadline deadline) override {
    ahead_.settle(host_);
    // Where it was seen at this host, that may be undone at once; else it is looked for first.
    const bool seen_here =
        known_.has_value() && host_.known().has_value() && known_->port_id == host_.known()->id;
    Result<NeutronFloatingIp> floating =
        seen_here ? Result<NeutronFloatingIp>{*known_} : read_with_port(deadline);
    for (int tries = 0; tries < kStaleTries; ++tries) {
      if (!floating.ok()) return floating.error();
      if (floating.value().port_id != host_.known()->id) return {};
      log_.info("Calling Neutron: floating IP {} is taken off port {}", floating.value().address,
                host_.known()->id);
      const auto written = api_.put_floating_ip(floating.value(), nullptr, deadline);
      if (!written.ok()) return written.error().with_context(host_.title());
      floating = read(deadline);
    }
    return changed_by_others();
  }

  void prepare_remove(Deadline deadline) override { ahead_.start(host_, deadline); }
  void prepare_assign(Deadline deadline) override { ahead_.start(host_, deadline); }

  std::string assign_by_hand() const override {
    const Result<NeutronApi::Target> target = target_of(host_);
    return fmt::format(
        "{} floating ip set --port {}{} {}", host_.client_by_hand(), host_.port_by_hand(),
        target.ok() ? " --fixed-ip-address " + target.value().fixed_address : "", name_by_hand());
  }
  std::string remove_by_hand() const override {
    return fmt::format("{} floating ip unset --port {}", host_.client_by_hand(), name_by_hand());
  }

 private:
  [[nodiscard]] const HostSettings& settings() const { return host_.site().settings; }
  [[nodiscard]] std::string title() const { return "floating IP " + name_by_hand(); }
  // Its address or its id: the client takes both.
  [[nodiscard]] std::string name_by_hand() const {
    if (settings().writer_vip.has_value()) return settings().writer_vip->address;
    return settings().openstack.floating_ip_id;
  }
  std::vector<OpenstackHost*> hosts() {
    std::vector<OpenstackHost*> all{&host_};
    if (counterpart_.has_value()) all.push_back(&*counterpart_);
    return all;
  }

  Result<NeutronFloatingIp> read(Deadline deadline) {
    const std::string& configured = settings().openstack.floating_ip_id;
    const std::string id = known_.has_value() ? known_->id : configured;
    Result<NeutronFloatingIp> floating =
        id.empty() ? look_for(deadline) : api_.floating_ip(id, deadline);
    if (floating.ok()) known_ = floating.value();
    return floating.ok() ? floating : floating.error().with_context(title());
  }
  // Where it is Ok, the host's port is known too; both are read at once.
  Result<NeutronFloatingIp> read_with_port(Deadline deadline) {
    if (host_.known().has_value()) return read(deadline);
    std::future<Result<NeutronPort>> reading = read_meanwhile(host_, deadline);
    Result<NeutronFloatingIp> floating = read(deadline);
    Result<NeutronPort> port = reading.get();
    if (!port.ok()) return floating.ok() ? port.error() : floating.error();
    host_.remember(std::move(port).value());
    return floating;
  }

  Result<NeutronFloatingIp> look_for(Deadline deadline) {
    auto found = api_.floating_ips_with_address(settings().writer_vip->address, deadline);
    if (!found.ok()) return found.error();
    if (found.value().size() == 1) return std::move(found.value().front());
    return Error{Code::kRefused,
                 fmt::format("{} floating IPs have this address among those that the credentials "
                             "see; set openstack_floating_ip_id in {}",
                             found.value().empty() ? "no" : "several", settings().file)};
  }

  void check_address(const NeutronFloatingIp& floating, Problems& problems) const {
    const auto& written = settings().writer_vip;
    if (!written.has_value() || written->address == floating.address) return;
    problems.add(Error{
        Code::kConfig,
        fmt::format("{}: writer_vip_cidr is {}, but openstack_floating_ip_id {} has the address "
                    "{}; write that one, or leave one of the two out",
                    settings().file, written->address, floating.id, floating.address)});
  }

  // The address of the host's port that the public one leads to: the one by which MHA knows the
  // host, or its only one.
  [[nodiscard]] static Result<NeutronApi::Target> target_of(const OpenstackHost& host) {
    if (!host.known().has_value()) return Error{Code::kInternal, "the port was not read"};
    const NeutronPort& port = *host.known();
    std::vector<std::string> v4;
    for (const FixedIp& fixed : port.fixed_ips) {
      if (fixed.address.find(':') != std::string::npos) continue;
      if (host_key(fixed.address) == host_key(host.site().ip) ||
          host_key(fixed.address) == host_key(host.site().host)) {
        return NeutronApi::Target{port.id, fixed.address};
      }
      v4.push_back(fixed.address);
    }
    if (v4.size() == 1) return NeutronApi::Target{port.id, v4.front()};
    return Error{Code::kRefused,
                 fmt::format("{}: its port has {}, and MHA does not say which of them: use the "
                             "host's address there as its hostname or ip",
                             host.title(),
                             v4.empty() ? "no IPv4 address"
                                        : fmt::format("the addresses {}", fmt::join(v4, ", ")))};
  }

  static bool leads_to(const NeutronFloatingIp& floating, const NeutronApi::Target& target) {
    return floating.port_id == target.port_id && floating.fixed_address == target.fixed_address;
  }

  // With a warning where it is taken from a third machine.
  Result<VipAssignment> judge(const NeutronFloatingIp& floating, OtherHolder other_holder,
                              Deadline deadline) {
    VipAssignment assignment;
    const std::string& holder = floating.port_id;
    if (holder.empty() || holder == host_.known()->id) return assignment;
    if (counterpart_.has_value()) {
      const Result<NeutronPort> theirs = counterpart_->known_or_read(deadline);
      if (theirs.ok() && theirs.value().id == holder) return assignment;
      if (!theirs.ok() && other_holder == OtherHolder::kRefuse) return theirs.error();
    }
    if (other_holder == OtherHolder::kRefuse) {
      return Error{Code::kRefused,
                   fmt::format("floating IP {} leads to port {} ({}), which is of neither master: "
                               "it was not given to {}; take it off there first: {}",
                               floating.address, holder, floating.fixed_address, host_.title(),
                               remove_by_hand())};
    }
    assignment.warnings.push_back(
        fmt::format("floating IP {} led to port {} ({}), which is of neither master; it was taken "
                    "over all the same (unfenced_failover=proceed)",
                    floating.address, holder, floating.fixed_address));
    return assignment;
  }

  // ACTIVE is not waited for: the cloud's agents set it later, and some never do.
  Result<VipAssignment> seen_at(const NeutronApi::Target& target, VipAssignment assignment,
                                Deadline deadline) {
    std::string at = "no port";
    const Result<bool> seen = poll_until(clock_, deadline, [&]() -> Result<bool> {
      const Result<NeutronFloatingIp> floating = read(deadline);
      if (!floating.ok()) return floating.error();
      if (leads_to(floating.value(), target)) return true;
      at = floating.value().port_id.empty() ? "no port" : "port " + floating.value().port_id;
      return Error{Code::kRefused,
                   fmt::format("{} was given to port {}, and leads to {} now: does another manager "
                               "move it as well?",
                               title(), target.port_id, at)};
    });
    if (!seen.ok()) return seen.error();
    return assignment;
  }

  [[nodiscard]] Error changed_by_others() const {
    return {Code::kRefused,
            fmt::format("{}: it was changed by others {} times in a row while it was to be changed "
                        "here: does another manager move it as well?",
                        title(), kStaleTries)};
  }

  NeutronApi api_;
  Clock& clock_;
  Log& log_;
  OpenstackHost host_;
  std::optional<OpenstackHost> counterpart_;
  std::optional<NeutronFloatingIp> known_;  // as it was read last
  PortReadAhead ahead_;
};

}  // namespace

std::unique_ptr<VipDriver> make_floating_ip_driver(OpenstackParts parts) {
  return std::make_unique<FloatingIpDriver>(std::move(parts));
}

}  // namespace mha
