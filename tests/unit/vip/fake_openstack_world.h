// A fake OpenStack cloud with stub hosts, for the conformance suite.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "component/vip/cloud_world_base.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_openstack.h"

namespace mha {

// The user "poor" may only look.
class RolesBeforeOpenstack : public HttpClient {
 public:
  explicit RolesBeforeOpenstack(HttpClient& cloud) : cloud_(cloud) {}
  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    if (request.method == HttpMethod::kPut && is_poor(request)) {
      return FakeOpenstack::refusal(403, "PolicyNotAuthorized",
                                    "(rule:update_port) is disallowed by policy");
    }
    Result<HttpResponse> answer = cloud_.send(request, deadline);
    const bool logs_in = request.method == HttpMethod::kPost && answer.ok();
    if (logs_in && request.body.reveal().find("\"poor\"") != std::string::npos) {
      const std::lock_guard lock{mutex_};
      poor_tokens_.insert(answer.value().header("x-subject-token"));
    }
    return answer;
  }

 private:
  bool is_poor(const HttpRequest& request) {
    const std::lock_guard lock{mutex_};
    return request.secret_headers.size() == 1 &&
           poor_tokens_.contains(request.secret_headers.front().value.reveal());
  }

  HttpClient& cloud_;
  std::mutex mutex_;
  std::set<std::string> poor_tokens_;
};

class FakeOpenstackWorld : public CloudWorldBase {
 public:
  explicit FakeOpenstackWorld(OpenstackMode mode) : mode_(mode) {
    cloud_.add_port(port("a"), "network-1", "10.0.1.11", "server-a");
    cloud_.add_port(port("b"), "network-1", "10.0.1.12", "server-b");
    cloud_.add_port(port("third"), "network-1", "10.0.1.13", "server-c");
    cloud_.add_floating_ip(kFloating, "203.0.113.10");
    if (mode == OpenstackMode::kAddressPair) {
      for (const char* host : {"a", "b"}) cloud_.set_pairs(port(host), {vip_address()});
    }
    for (const char* host : {"a", "b"}) {
      hosts_.set_link_address(host, cloud_.port(port(host))["mac_address"]);
    }
  }

  Clock& clock() override { return clock_; }
  [[nodiscard]] CloudTraits traits() const override {
    CloudTraits traits;
    traits.has_os_part = mode_ != OpenstackMode::kFloatingIp;
    traits.moves_by_api = mode_ != OpenstackMode::kAddressPair;
    return traits;
  }
  std::set<std::string> api_holders() override {
    std::set<std::string> holders;
    for (const char* host : {"a", "b", "third"}) {
      const bool has =
          mode_ == OpenstackMode::kAddressPair ? cloud_.has_pair(port(host), vip_address())
          : mode_ == OpenstackMode::kFixedIp   ? cloud_.has_fixed_ip(port(host), vip_address())
                                               : cloud_.floating_port(kFloating) == port(host);
      if (has) holders.insert(host);
    }
    return holders;
  }
  void give_to_third_machine() override {
    if (mode_ == OpenstackMode::kAddressPair) hosts_.let_third_answer(vip_address());
    if (mode_ == OpenstackMode::kFixedIp) cloud_.add_fixed_ip(port("third"), vip_address());
    if (mode_ == OpenstackMode::kFloatingIp) {
      cloud_.change_floating_ip(kFloating, [](FakeOpenstack::Json& ip) {
        ip["port_id"] = port("third");
        ip["fixed_ip_address"] = "10.0.1.13";
      });
    }
  }
  std::string id_of(const std::string& host) override { return port(host); }
  void add_fault(FaultOrder order) override { faulty_.add(order); }
  void set_latency(Milliseconds latency) override { faulty_.set_latency(latency); }
  void clear_faults() override { faulty_.clear(); }
  int take_request_count() override { return faulty_.take_count(); }

 protected:
  CloudHosts& hosts() override { return hosts_; }
  [[nodiscard]] std::string vip_address() const override { return "10.0.1.100"; }
  VipSite site_of(const std::string& host) override {
    VipSite site;
    site.host = "host-" + host;
    site.ip = host == "a" ? "10.0.1.11" : "10.0.1.12";
    site.settings.host = site.host;
    site.settings.file = "mha-helper.conf";
    site.settings.vip_type = VipType::kOpenstack;
    site.settings.openstack.mode = mode_;
    if (mode_ == OpenstackMode::kFloatingIp) {
      site.settings.openstack.floating_ip_id = kFloating;
    } else {
      site.settings.writer_vip = Cidr{vip_address(), 24, false};
      site.settings.cluster_interface = hosts_.interface();
    }
    return site;
  }
  std::unique_ptr<HttpClient> make_http(CloudKeys /*keys*/) override {
    return std::make_unique<LentHttp>(faulty_);
  }
  std::optional<std::string> variable(CloudKeys keys, const std::string& name) override {
    if (name == "OS_AUTH_URL") return "https://id.example.com";
    if (name == "OS_USERNAME") return keys == CloudKeys::kPoor ? "poor" : "dba";
    if (name == "OS_PASSWORD") return keys == CloudKeys::kWrong ? "wrong" : "secret-password";
    if (name == "OS_PROJECT_NAME") return "db";
    if (name == "HOME") return "/nonexistent";
    return std::nullopt;
  }

 private:
  static constexpr const char* kFloating = "ffffffff-0000-4000-8000-000000000004";

  static std::string port(const std::string& host) {
    if (host == "a") return "aaaaaaaa-0000-4000-8000-000000000001";
    if (host == "b") return "bbbbbbbb-0000-4000-8000-000000000002";
    return "cccccccc-0000-4000-8000-000000000003";
  }

  OpenstackMode mode_;
  FakeClock clock_;
  StubHosts hosts_{clock_};
  FaultPlan plan_;
  FakeOpenstack cloud_{plan_, clock_};
  RolesBeforeOpenstack roles_{cloud_};
  FaultyHttp faulty_{
      roles_, clock_, {429, R"({"error": {"code": 429, "title": "Too Many Requests"}})"}};
};

}  // namespace mha
