// The rows of vip_type=openstack.
#include "config/openstack_options.h"

#include <fmt/core.h>

#include <utility>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/option_values.h"

namespace mha {
namespace {

constexpr const char* kFloatingMode = "openstack_mode = floating_ip";

// As `into`, for a member of the draft's part for OpenStack.
template <typename T, typename Parse>
auto into_openstack(T OpenstackSettings::*member, Parse parse) {
  return [member, parse](std::string_view text) -> Result<OptionAssignment> {
    auto value = parse(text);
    if (!value.ok()) {
      return value.error();
    }
    return OptionAssignment{[member, value = std::move(value).value()](HostDraft& draft) {
      draft.openstack.*member = value;
    }};
  };
}

Result<OpenstackMode> parse_mode(std::string_view value) {
  const std::string mode = lower_case(value);
  if (mode == "address_pair") return OpenstackMode::kAddressPair;
  if (mode == "floating_ip") return OpenstackMode::kFloatingIp;
  if (mode == "fixed_ip") return OpenstackMode::kFixedIp;
  return Error{Code::kConfig, fmt::format("'{}' is none of: address_pair, floating_ip, fixed_ip",
                                          printable(value))};
}

// A UUID as Neutron writes its ids, or empty.
Result<std::string> parse_id(std::string_view value) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const std::string id = lower_case(value);
  bool good = id.empty() || id.size() == kForm.size();
  for (std::size_t i = 0; good && i < id.size(); ++i) {
    const bool hex = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
    good = kForm[i] == '-' ? id[i] == '-' : hex;
  }
  if (good) return id;
  return Error{Code::kConfig,
               fmt::format("'{}' is not an id like 0f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9 "
                           "(openstack port list, openstack floating ip list)",
                           printable(value))};
}

}  // namespace

std::vector<KnownOption> openstack_options() {
  using S = OpenstackSettings;
  return {
      {"openstack_mode", "address_pair, floating_ip, fixed_ip", "address_pair",
       "How the address moves in OpenStack: on the hosts, whose ports allow it beforehand; a "
       "floating IP from port to port; or as one of the ports' own addresses.",
       into_openstack(&S::mode, parse_mode)},
      {"openstack_cloud", "NAME", "",
       "The entry of clouds.yaml; empty: OS_CLOUD, else the OS_* variables.",
       into_openstack(&S::cloud, parse_text)},
      {"openstack_region", "NAME", "",
       "The region; empty: as clouds.yaml or OS_REGION_NAME says, or the only one.",
       into_openstack(&S::region, parse_text)},
      {"openstack_port_id", "ID", "",
       "The host's own port; empty: the port that has the host's address.",
       into_openstack(&S::port_id, parse_id)},
      {"openstack_network_id", "ID", "",
       "The network in which that port is looked for; empty: any that the credentials see.",
       into_openstack(&S::network_id, parse_id)},
      {"openstack_floating_ip_id", "ID", "",
       "The floating IP; empty: the one with the address of writer_vip_cidr.",
       into_openstack(&S::floating_ip_id, parse_id)},
      {"openstack_ca", "PATH", "",
       "The certificate authorities that vouch for the cloud; empty: clouds.yaml's cacert or "
       "OS_CACERT, else the system's.",
       into_openstack(&S::ca_file, parse_path)},
  };
}

std::vector<OptionProblem> openstack_problems(const HostDraft& draft) {
  std::vector<OptionProblem> problems;
  const auto missing = [&problems](const char* key, const char* needed_by) {
    problems.push_back({key, "", needed_by});
  };
  if (draft.openstack.mode == OpenstackMode::kFloatingIp) {
    if (!draft.writer_vip && draft.openstack.floating_ip_id.empty()) {
      missing("openstack_floating_ip_id",
              "openstack_mode = floating_ip without the floating address in writer_vip_cidr");
    }
    if (draft.writer_vip && draft.writer_vip->is_v6) {
      problems.push_back({"writer_vip_cidr",
                          fmt::format("{} is IPv6, and {} moves IPv4 addresses only",
                                      draft.writer_vip->text(), kFloatingMode),
                          ""});
    }
    return problems;
  }
  const char* mode = draft.openstack.mode == OpenstackMode::kFixedIp
                         ? "openstack_mode = fixed_ip"
                         : "openstack_mode = address_pair";
  if (!draft.writer_vip) missing("writer_vip_cidr", mode);
  if (draft.cluster_interface.empty()) missing("cluster_interface", mode);
  return problems;
}

}  // namespace mha
