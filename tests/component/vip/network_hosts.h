// Hosts of a cloud world on a real network: the machines of a TestNetwork.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "component/vip/cloud_hosts.h"
#include "component/vip/test_network.h"

namespace mha {

class NetworkHosts : public CloudHosts {
 public:
  explicit NetworkHosts(std::unique_ptr<TestNetwork> network) : network_(std::move(network)) {}

  [[nodiscard]] std::string interface() const override { return "eth0"; }
  std::unique_ptr<RemoteShell> shell(const std::string& host) override {
    return std::make_unique<LocalShell>("host-" + host, network_->clock(), network_->prefix(host));
  }
  bool has(const std::string& host, const std::string& address) override {
    if (host != "a" && host != "b") return false;
    const std::string all = network_->on(host, "ip -o addr show");
    return all.find(" " + address + "/") != std::string::npos;
  }
  void set_link_address(const std::string& host, const std::string& address) override {
    network_->on(host, "ip link set eth0 address " + address);
  }
  void unplug(const std::string& host) override {
    network_->on("lan", "ip link set port-" + host + " down");
  }
  void let_third_answer(const std::string& address) override {
    network_->on("lan", "ip addr add " + address + "/24 dev br0");
  }

 private:
  std::unique_ptr<TestNetwork> network_;
};

}  // namespace mha
