// The operating systems of the hosts of a cloud world.
#pragma once

#include <fmt/core.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "fakes/stub_host.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"

namespace mha {

// Hosts "a" and "b", with an interface on which the address is put.
class CloudHosts {
 public:
  virtual ~CloudHosts() = default;
  [[nodiscard]] virtual std::string interface() const = 0;
  virtual std::unique_ptr<RemoteShell> shell(const std::string& host) = 0;
  virtual bool has(const std::string& host, const std::string& address) = 0;
  virtual void set_link_address(const std::string& host, const std::string& address) = 0;
  // Answers its neighbours no more.
  virtual void unplug(const std::string& host) = 0;
  // A machine that is none of the two answers for the address.
  virtual void let_third_answer(const std::string& address) = 0;
};

// Stubs of ip and arping: no root, no network.
class StubHosts : public CloudHosts {
 public:
  explicit StubHosts(const Clock& clock) : clock_(clock) {
    at("a").write("neighbours", at("b").folder().string() + "\n");
    at("b").write("neighbours", at("a").folder().string() + "\n");
  }
  [[nodiscard]] std::string interface() const override { return "lo"; }
  std::unique_ptr<RemoteShell> shell(const std::string& host) override {
    return std::make_unique<StubShell>(at(host), "host-" + host, clock_);
  }
  bool has(const std::string& host, const std::string& address) override {
    return hosts_.contains(host) && at(host).has_address(address);
  }
  void set_link_address(const std::string& host, const std::string& address) override {
    at(host).write("link", address + "\n");
  }
  void unplug(const std::string& host) override { at(host).write("unplugged", ""); }
  void let_third_answer(const std::string& address) override {
    for (const char* host : {"a", "b"}) {
      at(host).write("holder",
                     fmt::format("Unicast reply from {} [02:00:00:00:00:99]  0.6ms\n", address));
    }
  }

 private:
  StubHost& at(const std::string& host) { return hosts_.at(host); }

  const Clock& clock_;
  std::map<std::string, StubHost> hosts_ = make();
  static std::map<std::string, StubHost> make() {
    std::map<std::string, StubHost> made;
    made.try_emplace("a");
    made.try_emplace("b");
    return made;
  }
};

}  // namespace mha
