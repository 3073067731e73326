// A token of Keystone, v3, and where the network service is.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"
#include "vip/cloud_ports.h"
#include "vip/openstack_login.h"

namespace mha {

struct CloudAccess {
  Secret token;
  std::string network_url;  // Neutron's, with /v2.0 at its end
  std::string ca_file;
  std::string source;  // of the login, for messages
};

// One login, shared by all drivers of a cloud and region. Thread-safe. The login is read at the
// first use, so that a mistake in clouds.yaml is an error of check() and not of the program's
// start.
class KeystoneSession {
 public:
  using ReadLogin = std::function<Result<OpenstackLogin>()>;

  KeystoneSession(ReadLogin read_login, CloudPorts ports);

  // What was had before, while it holds: until a minute before it expires, or a tenth of its time
  // where that is less; measured from its arrival, so that a wrong wall clock does no harm. Else
  // one call (POST /v3/auth/tokens); who asks meanwhile waits for it, up to his own deadline.
  // Errors: kConfig (login, catalog: which file, which key), kDenied (refused), and those of
  // HttpClient.
  Result<CloudAccess> access(Deadline deadline);

  // A service has answered 401: this token will not be given out again.
  void reject(const CloudAccess& rejected);

 private:
  struct Token {
    CloudAccess access;
    TimePoint good_until;
  };

  Result<Token> fetch(Deadline deadline);
  [[nodiscard]] Result<Token> read_answer(const OpenstackLogin& login, const HttpRequest& request,
                                          const HttpResponse& response) const;

  const ReadLogin read_login_;
  const CloudPorts ports_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool fetching_ = false;       // by one thread, with mutex_ not held
  std::optional<Token> token_;  // under mutex_
};

// For the tests: the network service's URL of a catalog (Keystone API v3, "Service catalog").
// kConfig where interface and region do not lead to exactly one.
Result<std::string> network_url_in(const nlohmann::json& catalog, const OpenstackLogin& login);

}  // namespace mha
