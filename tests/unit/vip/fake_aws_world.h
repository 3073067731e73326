// A fake region of EC2 with stub hosts, for the conformance suite.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "component/vip/cloud_world_base.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_ec2.h"

namespace mha {

// Refuses keys as EC2 does: before it looks at what is asked.
class KeysBeforeEc2 : public HttpClient {
 public:
  explicit KeysBeforeEc2(HttpClient& ec2) : ec2_(ec2) {}
  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    const std::string key = request.signature ? request.signature->access_key_id : "";
    if (key == "AKIAWRONG") {
      return FakeEc2::refusal(401, "AuthFailure", "AWS was not able to validate the credentials");
    }
    if (key == "AKIAPOOR" && !request.body.reveal().starts_with("Action=Describe")) {
      return FakeEc2::refusal(403, "UnauthorizedOperation",
                              "You are not authorized to perform this operation.");
    }
    return ec2_.send(request, deadline);
  }

 private:
  HttpClient& ec2_;
};

class FakeAwsWorld : public CloudWorldBase {
 public:
  explicit FakeAwsWorld(AwsMode mode) : mode_(mode) {
    ec2_.with_world([](FakeEc2::World& world) {
      const auto add = [&world](const std::string& host, const std::string& ip) {
        world.interfaces[id(host)] = {
            id(host), "i-0123456789abcde0" + host, "subnet-1", "vpc-1", {ip}, false};
      };
      add("a", "10.0.1.11");
      add("b", "10.0.1.12");
      add("c", "10.0.1.13");
      world.eips[kAllocation] = {"203.0.113.5", "", "", ""};
      world.tables[kTable1] = {"vpc-1", {}};
      world.tables[kTable2] = {"vpc-1", {}};
    });
  }

  Clock& clock() override { return clock_; }
  [[nodiscard]] CloudTraits traits() const override {
    CloudTraits traits;
    traits.has_os_part = mode_ != AwsMode::kEip;
    traits.moves_in_one_act = mode_ != AwsMode::kRoute;
    return traits;
  }
  std::set<std::string> api_holders() override {
    std::set<std::string> holders;
    const FakeEc2::World world = ec2_.world();
    const auto add = [&holders](const std::string& interface) {
      for (const char* host : {"a", "b", "third"}) {
        if (id(host) == interface) holders.insert(host);
      }
    };
    if (mode_ == AwsMode::kSecondaryIp) {
      for (const std::string& interface : ec2_.holders_of(vip_address())) add(interface);
    } else if (mode_ == AwsMode::kEip) {
      add(world.eips.at(kAllocation).interface_id);
    } else {
      for (const auto& [table, routes] : world.tables) {
        for (const auto& [destination, target] : routes.routes) add(target);
      }
    }
    return holders;
  }
  void give_to_third_machine() override {
    ec2_.with_world([this](FakeEc2::World& world) {
      if (mode_ == AwsMode::kSecondaryIp) world.interfaces[id("c")].ips.push_back(vip_address());
      if (mode_ == AwsMode::kEip) {
        world.eips[kAllocation] = {"203.0.113.5", "eipassoc-00000000000000099", id("c"),
                                   "10.0.1.13"};
      }
      if (mode_ == AwsMode::kRoute) {
        for (auto& [table, routes] : world.tables) routes.routes[vip_address() + "/32"] = id("c");
      }
    });
  }
  std::string id_of(const std::string& host) override { return id(host); }
  void add_fault(FaultOrder order) override { faulty_.add(order); }
  void set_latency(Milliseconds latency) override { faulty_.set_latency(latency); }
  void clear_faults() override { faulty_.clear(); }
  int take_request_count() override { return faulty_.take_count(); }

 protected:
  CloudHosts& hosts() override { return hosts_; }
  [[nodiscard]] std::string vip_address() const override {
    return mode_ == AwsMode::kRoute ? "10.99.0.100" : "10.0.1.100";
  }
  VipSite site_of(const std::string& host) override {
    VipSite site;
    site.host = "host-" + host;
    site.ip = host == "a" ? "10.0.1.11" : "10.0.1.12";
    site.settings.host = site.host;
    site.settings.file = "mha-helper.conf";
    site.settings.vip_type = VipType::kAws;
    site.settings.aws.mode = mode_;
    site.settings.aws.region = "eu-west-1";
    if (mode_ == AwsMode::kEip) site.settings.aws.allocation_id = kAllocation;
    if (mode_ == AwsMode::kRoute) site.settings.aws.route_table_ids = {kTable1, kTable2};
    if (mode_ != AwsMode::kEip) {
      site.settings.writer_vip = Cidr{vip_address(), 24, false};
      site.settings.cluster_interface = hosts_.interface();
    }
    return site;
  }
  std::unique_ptr<HttpClient> make_http(CloudKeys /*keys*/) override {
    return std::make_unique<LentHttp>(faulty_);
  }
  std::optional<std::string> variable(CloudKeys keys, const std::string& name) override {
    if (name == "AWS_ACCESS_KEY_ID") {
      return keys == CloudKeys::kGood ? "AKIAGOOD"
                                      : (keys == CloudKeys::kPoor ? "AKIAPOOR" : "AKIAWRONG");
    }
    if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
    return std::nullopt;
  }

 private:
  static constexpr const char* kAllocation = "eipalloc-0123456789abcdef0";
  static constexpr const char* kTable1 = "rtb-0123456789abcdef1";
  static constexpr const char* kTable2 = "rtb-0123456789abcdef2";

  static std::string id(const std::string& host) {
    return "eni-0123456789abcdef" + (host == "third" ? "c" : host);
  }

  AwsMode mode_;
  FakeClock clock_;
  StubHosts hosts_{clock_};
  FaultPlan plan_;
  FakeEc2 ec2_{plan_, clock_};
  KeysBeforeEc2 keys_{ec2_};
  FaultyHttp faulty_{keys_,
                     clock_,
                     {503,
                      "<Response><Errors><Error><Code>RequestLimitExceeded</Code>"
                      "<Message>Request limit exceeded.</Message></Error></Errors></Response>"}};
};

}  // namespace mha
