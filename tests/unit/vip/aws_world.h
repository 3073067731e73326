// Two hosts of a cluster in a fake region of EC2, and a third machine that is none of ours.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "fakes/fake_clock.h"
#include "fakes/fake_ec2.h"
#include "fakes/fake_log.h"
#include "fakes/fake_shell.h"
#include "vip/factory.h"

namespace mha {

inline constexpr const char* kVip = "10.0.1.100";
inline constexpr const char* kOverlay = "192.168.77.10";
inline constexpr const char* kA = "eni-0000000000000000a";
inline constexpr const char* kB = "eni-0000000000000000b";
inline constexpr const char* kThird = "eni-0000000000000000c";
inline constexpr const char* kEip = "eipalloc-00000001";
inline constexpr const char* kPublic = "198.51.100.7";
inline constexpr const char* kTable1 = "rtb-00000001";
inline constexpr const char* kTable2 = "rtb-00000002";
inline constexpr const char* kTable3 = "rtb-00000003";

class AwsTest : public testing::Test {
 protected:
  AwsTest() {
    ec2_.with_world([](FakeEc2::World& world) {
      world.interfaces[kA] = {kA, "i-0000000a", "subnet-1", "vpc-1", {"10.0.1.11"}, false};
      world.interfaces[kB] = {kB, "i-0000000b", "subnet-1", "vpc-1", {"10.0.1.12"}, false};
      world.interfaces[kThird] = {kThird, "i-0000000c", "subnet-1", "vpc-1", {"10.0.1.13"}, false};
      world.eips[kEip] = {kPublic, "", "", ""};
      for (const char* table : {kTable1, kTable2, kTable3}) world.tables[table] = {"vpc-1", {}};
    });
    environment_ = {{"AWS_ACCESS_KEY_ID", "AKIATEST"},
                    {"AWS_SECRET_ACCESS_KEY", "TOPSECRET"},
                    {"HOME", "/nonexistent"}};
    settings_.file = "/etc/mha-helper/app1.conf";
    settings_.vip_type = VipType::kAws;
    settings_.aws.region = "eu-west-1";
    settings_.cluster_interface = "ens5";
    settings_.requires_sudo = false;
    for (const char* host : {"a", "b"}) {
      hosts_[host] = std::make_shared<FakeShellHost>(
          host, [this, host](const std::string& script) { return on_host(host, script); });
      shells_[host] = std::make_unique<FakeShell>(hosts_[host]);
    }
  }

  void use_mode(AwsMode mode) {
    settings_.aws.mode = mode;
    settings_.writer_vip.reset();
    if (mode == AwsMode::kSecondaryIp) settings_.writer_vip = Cidr{kVip, 24, false};
    if (mode == AwsMode::kEip) settings_.aws.allocation_id = kEip;
    if (mode == AwsMode::kRoute) {
      settings_.writer_vip = Cidr{kOverlay, 24, false};
      settings_.aws.route_table_ids = {kTable1, kTable2, kTable3};
    }
  }

  [[nodiscard]] VipSite site(const std::string& host) const {
    HostSettings own = settings_;
    own.host = host;
    return {own, host, host == "a" ? "10.0.1.11" : "10.0.1.12"};
  }
  std::unique_ptr<VipDriver> driver(const std::string& host) {
    const VipSite other = site(host == "a" ? "b" : "a");
    return drivers_->make(site(host), &other, shells_[host].get());
  }
  std::unique_ptr<VipDriver> driver_without_shell(const std::string& host) {
    const VipSite other = site(host == "a" ? "b" : "a");
    return drivers_->make(site(host), &other, nullptr);
  }
  // As another program would begin: it has read no credentials yet.
  void new_program() {
    drivers_ = std::make_unique<VipDrivers>(CloudPorts{ec2_, environ_, clock_, log_});
  }
  [[nodiscard]] const Environ& environ_of_test() const { return environ_; }
  Deadline soon() { return clock_.deadline_after(Milliseconds{10000}); }

  // Where the mode's address leads to by EC2, each interface once.
  [[nodiscard]] std::vector<std::string> holders() const {
    const FakeEc2::World world = ec2_.world();
    if (settings_.aws.mode == AwsMode::kSecondaryIp) return ec2_.holders_of(kVip);
    std::set<std::string> ids;
    if (settings_.aws.mode == AwsMode::kEip) ids.insert(world.eips.at(kEip).interface_id);
    for (const std::string& table : settings_.aws.route_table_ids) {
      const auto& routes = world.tables.at(table).routes;
      const auto found = routes.find(std::string(kOverlay) + "/32");
      if (found != routes.end()) ids.insert(found->second);
    }
    ids.erase("");
    return {ids.begin(), ids.end()};
  }
  void give_by_ec2(const std::string& interface_id) {
    ec2_.with_world([&](FakeEc2::World& world) {
      if (settings_.aws.mode == AwsMode::kSecondaryIp) {
        for (auto& [id, one] : world.interfaces) {
          std::erase(one.ips, kVip);
          if (id == interface_id) one.ips.emplace_back(kVip);
        }
      }
      if (settings_.aws.mode == AwsMode::kEip) {
        world.eips[kEip] = {kPublic, "eipassoc-0000000f", interface_id,
                            world.interfaces[interface_id].ips.front()};
      }
      for (const std::string& table : settings_.aws.route_table_ids) {
        world.tables[table].routes[std::string(kOverlay) + "/32"] = interface_id;
      }
    });
  }
  // The address as `ip addr` on the host would show it; "" where it is not there.
  [[nodiscard]] std::string on_os(const std::string& host) const {
    const std::lock_guard lock{mutex_};
    const auto found = addresses_.find(host);
    return found == addresses_.end() ? "" : found->second;
  }
  void set_on_os(const std::string& host, const std::string& cidr) {
    const std::lock_guard lock{mutex_};
    addresses_[host] = cidr;
  }

  FakeClock clock_;
  FakeLog log_;
  FaultPlan faults_;
  FakeEc2 ec2_{faults_, clock_};
  HostSettings settings_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::shared_ptr<FakeShellHost>> hosts_;
  std::map<std::string, std::unique_ptr<FakeShell>> shells_;

 private:
  Result<CommandOutput> on_host(const std::string& host, const std::string& script) {
    const std::lock_guard lock{mutex_};
    const Cidr& vip = *settings_.writer_vip;
    const bool alone = settings_.aws.mode == AwsMode::kRoute;
    const std::string cidr =
        fmt::format("{}/{}", vip.address, alone ? (vip.is_v6 ? 128 : 32) : vip.prefix_length);
    if (script.find("addr add") != std::string::npos && script.find(cidr) != std::string::npos) {
      addresses_[host] = cidr;
    }
    if (script.find("addr del") != std::string::npos) addresses_[host] = "";
    std::string out =
        "ip=/usr/sbin/ip\nsudo=ok\nlink=02:00:00:00:00:01\nchange=ok\n--addresses--\n";
    if (!addresses_[host].empty()) {
      out += fmt::format("2: ens5    inet{} {} scope global ens5\n", vip.is_v6 ? "6" : "",
                         addresses_[host]);
    }
    return CommandOutput{0, out, ""};
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> addresses_;
  Environ environ_ = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::nullopt : std::optional<std::string>{found->second};
  };
  std::unique_ptr<VipDrivers> drivers_ =
      std::make_unique<VipDrivers>(CloudPorts{ec2_, environ_, clock_, log_});
};

inline const std::vector<AwsMode>& all_aws_modes() {
  static const std::vector<AwsMode> modes = {AwsMode::kSecondaryIp, AwsMode::kEip, AwsMode::kRoute};
  return modes;
}

inline std::string name_of(AwsMode mode) {
  if (mode == AwsMode::kSecondaryIp) return "SecondaryIp";
  return mode == AwsMode::kEip ? "Eip" : "Route";
}

}  // namespace mha
