// The calls of Neutron that the drivers need, typed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "vip/cloud_ports.h"
#include "vip/keystone.h"
#include "vip/neutron_types.h"

namespace mha {

// What became of a change that was asked for with If-Match.
template <typename T>
struct Written {
  enum class How {
    kDone,
    kStale,  // 412: it has been changed since it was read, so nothing was done; read it again
    kTaken,  // 409: another port has the address, so nothing was done
  };
  How how = How::kDone;
  std::optional<T> now;  // with kDone: as the answer describes it
};

// One call each, beside the token's, which is asked for again once where it is not accepted. Sent
// again within the deadline where that may help: each may be executed twice, since a change holds
// only for the revision that was read. Thread-safe. Errors: kDenied (401 after a new token, 403:
// the rule's name and whom to ask), kRefused (404 and other answers that stand, malformed ones),
// kConfig (login), kUnreachable (network, 429 and 5xx until the end), kTimeout; after the last two
// a change may have been made.
class NeutronApi {
 public:
  NeutronApi(KeystoneSession& session, CloudPorts ports) : session_(session), ports_(ports) {}

  Result<NeutronPort> port(const std::string& id, Deadline deadline);
  // Those that have it among their fixed_ips; of any network where that is empty.
  Result<std::vector<NeutronPort>> ports_with_address(const std::string& address,
                                                      const std::string& network_id,
                                                      Deadline deadline);
  // PUT replaces the whole list.
  Result<Written<NeutronPort>> put_pairs(const NeutronPort& as_read,
                                         const std::vector<AddressPair>& pairs, Deadline deadline);
  Result<Written<NeutronPort>> put_fixed_ips(const NeutronPort& as_read,
                                             const std::vector<FixedIp>& fixed_ips,
                                             Deadline deadline);

  Result<NeutronFloatingIp> floating_ip(const std::string& id, Deadline deadline);
  Result<std::vector<NeutronFloatingIp>> floating_ips_with_address(const std::string& address,
                                                                   Deadline deadline);
  // Nullptr: away from every port.
  struct Target {
    std::string port_id;
    std::string fixed_address;
  };
  Result<Written<NeutronFloatingIp>> put_floating_ip(const NeutronFloatingIp& as_read,
                                                     const Target* target, Deadline deadline);

  Result<NeutronSubnet> subnet(const std::string& id, Deadline deadline);

  // Whether the change would be permitted, by asking for what is there already under a revision
  // that cannot be: the policy is looked at first (403), and an answer of 412 or 200 is a yes. At
  // most the revision is counted up (tried with Neutron 21).
  Status may_put_pairs(const NeutronPort& as_read, Deadline deadline);
  Status may_put_fixed_ips(const NeutronPort& as_read, Deadline deadline);
  Status may_put_floating_ip(const NeutronFloatingIp& as_read, Deadline deadline);

 private:
  struct Answer {
    HttpRequest request;
    HttpResponse response;
  };
  // `revision` of a PUT; nullopt of a GET.
  Result<Answer> call(HttpMethod method, const std::string& path, const nlohmann::json& body,
                      std::optional<std::int64_t> revision, Deadline deadline);
  Result<Answer> get(const std::string& path, Deadline deadline);
  template <typename T, typename Parse>
  Result<Written<T>> put(const std::string& path, const nlohmann::json& body, std::int64_t revision,
                         Parse parse, Deadline deadline);

  KeystoneSession& session_;
  const CloudPorts ports_;
};

}  // namespace mha
