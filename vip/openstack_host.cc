// Finding a host's port, and changing it.
#include "vip/openstack_host.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "base/shell_quote.h"
#include "config/host_name.h"

namespace mha {

std::string OpenstackHost::title() const {
  return known_.has_value() ? fmt::format("host '{}' (port {})", site_.host, known_->id)
                            : fmt::format("host '{}'", site_.host);
}

// "" where only a name is known: a name is not looked up, since the manager may see another address
// than the cloud.
std::string OpenstackHost::address() const {
  const auto of_mha = parse_address(site_.ip);
  if (of_mha.has_value()) return of_mha->text;
  const auto of_name = parse_address(site_.host);
  return of_name.has_value() ? of_name->text : "";
}

Result<NeutronPort> OpenstackHost::read(Deadline deadline) {
  const std::string& configured = site_.settings.openstack.port_id;
  const std::string id = known_.has_value() ? known_->id : configured;
  Result<NeutronPort> port = id.empty() ? look_for(deadline) : api_.port(id, deadline);
  if (!port.ok()) return port.error().with_context(fmt::format("host '{}'", site_.host));
  known_ = port.value();
  return port;
}

Result<NeutronPort> OpenstackHost::known_or_read(Deadline deadline) {
  if (known_.has_value()) return *known_;
  return read(deadline);
}

Result<NeutronPort> OpenstackHost::look_for(Deadline deadline) {
  const std::string where = address();
  if (where.empty()) {
    return Error{Code::kConfig,
                 fmt::format("{}: openstack_port_id is not set, and MHA gives no address by which "
                             "the port could be found",
                             site_.settings.file)};
  }
  Result<std::vector<NeutronPort>> found =
      api_.ports_with_address(where, site_.settings.openstack.network_id, deadline);
  if (!found.ok()) return found.error();
  if (found.value().empty()) {
    return Error{Code::kRefused,
                 fmt::format("no port that the credentials see has its address {}; set "
                             "openstack_port_id in its section of {} (an application credential "
                             "sees none where it has the role member without reader)",
                             where, site_.settings.file)};
  }
  if (found.value().size() > 1) {
    std::vector<std::string> ids;
    for (const NeutronPort& port : found.value()) ids.push_back(port.id);
    return Error{Code::kRefused,
                 fmt::format("several ports have its address {}: {}; set openstack_network_id, or "
                             "openstack_port_id in its section of {}",
                             where, fmt::join(ids, ", "), site_.settings.file)};
  }
  return std::move(found.value().front());
}

Result<Written<NeutronPort>> OpenstackHost::ensure(const Wanted& wanted, const Change& change,
                                                   Deadline deadline) {
  using How = Written<NeutronPort>::How;
  Result<NeutronPort> port = known_or_read(deadline);
  for (int tries = 0; tries < kStaleTries; ++tries) {
    if (!port.ok()) return port.error();
    if (wanted(port.value())) return Written<NeutronPort>{How::kDone, std::move(port).value()};
    Result<Written<NeutronPort>> written = change(port.value());
    if (!written.ok()) return written.error().with_context(title());
    if (written.value().how == How::kTaken) return written;
    if (written.value().how == How::kDone) {
      remember(*written.value().now);
      return written;
    }
    port = read(deadline);
  }
  return Error{Code::kRefused,
               fmt::format("{}: it was changed by others {} times in a row while it was to be "
                           "changed here; nothing was done; try again",
                           title(), kStaleTries)};
}

std::future<Result<NeutronPort>> read_meanwhile(const OpenstackHost& host, Deadline deadline) {
  return std::async(std::launch::async,
                    [copy = host, deadline]() mutable { return copy.read(deadline); });
}

void PortReadAhead::start(const OpenstackHost& host, Deadline deadline) {
  if (!host.known().has_value() && !reading_.valid()) reading_ = read_meanwhile(host, deadline);
}

void PortReadAhead::settle(OpenstackHost& host) {
  if (!reading_.valid()) return;
  if (Result<NeutronPort> port = reading_.get(); port.ok()) {
    host.remember(std::move(port).value());
  }
}

std::string OpenstackHost::client_by_hand() const {
  const std::string& cloud = site_.settings.openstack.cloud;
  const std::string& region = site_.settings.openstack.region;
  std::string client = "openstack";
  if (!cloud.empty()) client += " --os-cloud " + shell_quote(cloud);
  if (!region.empty()) client += " --os-region-name " + shell_quote(region);
  return client;
}

std::string OpenstackHost::port_by_hand() const {
  if (known_.has_value()) return known_->id;
  if (!site_.settings.openstack.port_id.empty()) return site_.settings.openstack.port_id;
  const std::string where = address();
  if (where.empty()) return "PORT_OF_" + site_.host;
  return fmt::format("$({} port list --fixed-ip ip-address={} -f value -c ID)", client_by_hand(),
                     where);
}

std::string OpenstackHost::on_host_by_hand(const std::string& command) const {
  return fmt::format("ssh {} {}", shell_quote(site_.host), shell_quote(command));
}

}  // namespace mha
