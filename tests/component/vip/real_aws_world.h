// A region of EC2 (tests/cloud/aws_bed, by way of the fault proxy) with hosts on a real network.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <pugixml.hpp>
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
struct AwsBed {
  AwsBed();

  TestProcess process;
  nlohmann::json ready;
  FaultProxy proxy;
};

class RealAwsWorld : public CloudWorldBase {
 public:
  // nullptr where there is no bed, or no network.
  static std::unique_ptr<CloudWorld> make(AwsMode mode);

  Clock& clock() override { return clock_; }
  [[nodiscard]] CloudTraits traits() const override;
  std::set<std::string> api_holders() override;
  void give_to_third_machine() override;
  std::string id_of(const std::string& host) override;
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
  using Parameters = std::map<std::string, std::string>;

  RealAwsWorld(AwsMode mode, AwsBed& bed, std::unique_ptr<TestNetwork> network);

  [[nodiscard]] const nlohmann::json& world() const { return bed_.ready.at("world"); }
  [[nodiscard]] std::string text(const std::string& path) const;
  // Asked of the bed itself. What is refused is an answer as well.
  pugi::xml_document call(const std::string& action, const Parameters& parameters);
  // Ids of the interfaces that the address leads to.
  std::set<std::string> holding_interfaces();
  void take_from_everybody();

  AwsMode mode_;
  AwsBed& bed_;
  RealClock clock_;
  FakeLog quiet_;
  CurlHttpClient direct_{clock_, quiet_};
  NetworkHosts hosts_;
};

}  // namespace mha
