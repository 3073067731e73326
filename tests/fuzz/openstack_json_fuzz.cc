// Answers of Keystone and of Neutron.
#include <nlohmann/json.hpp>

#include "fuzz/one_answer.h"
#include "vip/keystone.h"
#include "vip/neutron_api.h"
#include "vip/openstack_call.h"

namespace mha::fuzz {
namespace {

constexpr Milliseconds kTime{100};

std::optional<std::string> nothing(const std::string& /*name*/) { return std::nullopt; }

// A Keystone that is as it should be, before a Neutron that gives the one answer.
class GoodKeystone : public HttpClient {
 public:
  explicit GoodKeystone(HttpClient& neutron) : neutron_(neutron) {}

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    if (!request.url.ends_with("/auth/tokens")) return neutron_.send(request, deadline);
    return HttpResponse{201,
                        {{"x-subject-token", "planted-token"}},
                        R"({"token": {"expires_at": "2024-01-01T06:00:00.000000Z",
                            "issued_at": "2024-01-01T00:00:00.000000Z", "catalog": [{"type":
                            "network", "endpoints": [{"interface": "public", "region": "R",
                            "region_id": "R", "url": "https://net.example.com"}]}]}})"};
  }

 private:
  HttpClient& neutron_;
};

Result<OpenstackLogin> login() {
  OpenstackLogin one;
  one.source = "cloud 'prod' of /etc/openstack/clouds.yaml";
  one.auth_url = "https://id.example.com/v3";
  one.user_name = "dba";
  one.user_domain_id = "default";
  one.project_name = "db";
  one.secret = Secret{"planted-password"};
  one.interface = "public";
  return one;
}

// What the service itself says may be shown.
bool service_says_it = false;

void check(const Status& status) {
  if (status.ok()) return;
  const std::string& message = status.error().message;
  must_be_one_line(message);
  must(service_says_it || message.find("planted-") == std::string::npos,
       "neither token nor password is shown");
}

// One answer as the answer to each call.
class Calls {
 public:
  explicit Calls(std::string_view input) : answer_(input, clock_) {}

  void log_in() {
    KeystoneSession session(login, {answer_, environ_, clock_, log_});
    const auto access = session.access(soon());
    check(access.status());
    if (!access.ok()) return;
    must(!access.value().token.empty(), "who is logged in has a token");
    must(access.value().network_url.ends_with("/v2.0"), "the network's URL is one");
  }

  void look() {
    const auto port = api_.port("port-1", soon());
    check(port.status());
    if (port.ok()) change(port.value());
    check(api_.ports_with_address("10.0.1.100", "net-1", soon()).status());
    const auto address = api_.floating_ip("fip-1", soon());
    check(address.status());
    if (address.ok()) {
      const NeutronApi::Target target{"port-2", "10.0.1.7"};
      check(api_.put_floating_ip(address.value(), &target, soon()).status());
      check(api_.may_put_floating_ip(address.value(), soon()));
    }
    check(api_.floating_ips_with_address("203.0.113.5", soon()).status());
    check(api_.subnet("subnet-1", soon()).status());
  }

  void read_words() {
    const auto response = answer_.send({}, soon());
    must_be_one_line(said_by(response.value()));
    check(malformed({}, response.value()));
    check(no_answer_to_use({}, response.value()));
    static_cast<void>(error_type(response.value()));
  }

 private:
  void change(const NeutronPort& port) {
    const Cidr vip{"10.0.1.100", 32, false};
    static_cast<void>(port.lets_through(vip));
    check(api_.put_pairs(port, port.pairs_without(vip), soon()).status());
    check(api_.put_fixed_ips(port, port.fixed_ips_without(vip.address), soon()).status());
    check(api_.may_put_pairs(port, soon()));
    check(api_.may_put_fixed_ips(port, soon()));
  }
  Deadline soon() { return clock_.deadline_after(kTime); }

  FakeClock clock_;
  FakeLog log_;
  OneAnswer answer_;
  GoodKeystone cloud_{answer_};
  const Environ environ_ = nothing;
  KeystoneSession session_{login, {cloud_, environ_, clock_, log_}};
  NeutronApi api_{session_, {cloud_, environ_, clock_, log_}};
};

}  // namespace

void try_input(std::string_view input) {
  service_says_it = input.find("planted-") != std::string_view::npos;
  Calls calls(input);
  calls.log_in();
  calls.look();
  calls.read_words();
}

}  // namespace mha::fuzz
