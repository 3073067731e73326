// A real Keystone and Neutron (tests/cloud/openstack_bed, by way of the fault proxy) with hosts on
// a real network.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "component/fault_proxy.h"
#include "component/real_clock.h"
#include "component/vip/cloud_world_base.h"
#include "component/vip/killed_program.h"
#include "component/vip/network_hosts.h"
#include "http/curl_http_client.h"

namespace mha {

// The bed and the proxy, started once for all worlds of a test program.
struct OpenstackBed {
  OpenstackBed();

  TestProcess process;
  nlohmann::json ready;
  FaultProxy proxy;
};

class RealOpenstackWorld : public CloudWorldBase {
 public:
  // nullptr where there is no bed, or no network.
  static std::unique_ptr<CloudWorld> make(OpenstackMode mode);

  Clock& clock() override { return clock_; }
  [[nodiscard]] CloudTraits traits() const override;
  std::set<std::string> api_holders() override;
  void give_to_third_machine() override;
  std::string id_of(const std::string& host) override { return text("/ports/" + host + "/id"); }
  void add_fault(FaultOrder order) override { bed_.proxy.add_fault(order); }
  void set_latency(Milliseconds latency) override { bed_.proxy.set_latency(latency); }
  void clear_faults() override { bed_.proxy.clear(); }
  int take_request_count() override { return bed_.proxy.take_count(); }
  void run_until_killed(int done, const std::function<void()>& program) override {
    run_until_killed_at(bed_.proxy, done, program);
  }

 protected:
  CloudHosts& hosts() override { return hosts_; }
  [[nodiscard]] std::string vip_address() const override;
  VipSite site_of(const std::string& host) override;
  std::unique_ptr<HttpClient> make_http(CloudKeys keys) override;
  std::optional<std::string> variable(CloudKeys keys, const std::string& name) override;

 private:
  using Json = nlohmann::json;

  RealOpenstackWorld(OpenstackMode mode, OpenstackBed& bed, std::unique_ptr<TestNetwork> network);

  [[nodiscard]] std::string text(const std::string& path) const;
  // As the project's owner, of the bed itself; "/ports/ID". A refusal fails the test.
  Json call(HttpMethod method, const std::string& path, const Json& body = nullptr);
  void log_in();
  Json port(const std::string& host);
  Json floating_ip();
  void set_pairs(const std::string& host, const std::vector<std::string>& addresses);
  void set_extra_address(const std::string& host, const std::string& address);
  void set_floating_ip(const std::string& host);

  OpenstackMode mode_;
  OpenstackBed& bed_;
  RealClock clock_;
  FakeLog quiet_;
  CurlHttpClient direct_{clock_, quiet_};
  NetworkHosts hosts_;
  std::string token_;
};

}  // namespace mha
