// A small real network of the test's own: three machines on one switch, each a network namespace.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "component/real_clock.h"
#include "fakes/fake_log.h"
#include "fakes/local_shell.h"
#include "vip/metal.h"

namespace mha {

// Machines "a" and "b" have an interface eth0; "lan" is the neighbour that looks at them, and the
// switch itself (br0). Addresses 10.99.0.1, .2, .3 and fd99::1, ::2, ::3. Everything goes when this
// goes, and what a killed test left goes when the next one begins.
class TestNetwork {
 public:
  // nullptr where we may not make namespaces: skipped on a laptop, a failure where CI is set.
  static std::unique_ptr<TestNetwork> make();
  ~TestNetwork();
  TestNetwork(const TestNetwork&) = delete;
  TestNetwork& operator=(const TestNetwork&) = delete;

  // To be put before a command so that it runs on that machine.
  [[nodiscard]] std::vector<std::string> prefix(const std::string& machine) const;
  // Output of a shell command on that machine; one that fails is a failure of the test.
  std::string on(const std::string& machine, const std::string& command);
  // Of eth0, in lower case.
  std::string link_address(const std::string& machine);
  // What the neighbour has in its table for an address: a link address, "" where there is none.
  std::string neighbour_entry(const std::string& address);
  // Names of programs that run on that machine.
  std::vector<std::string> running(const std::string& machine);

  // Polls until it holds or the time is over; whether it held.
  template <typename Condition>
  bool eventually(Condition condition, Milliseconds within = Milliseconds{5000}) {
    const Deadline deadline = clock_.deadline_after(within);
    while (!condition()) {
      if (clock_.passed(deadline)) return false;
      clock_.sleep_for(Milliseconds{10});
    }
    return true;
  }
  RealClock& clock() { return clock_; }

 private:
  explicit TestNetwork(std::string name) : name_(std::move(name)) {}
  bool set_up();
  Result<CommandOutput> run(const std::vector<std::string>& prefix, const std::string& command);

  std::string name_;
  RealClock clock_;
};

// The metal driver on machines of a TestNetwork, as root without sudo.
class MetalOnNetwork {
 public:
  explicit MetalOnNetwork(std::unique_ptr<TestNetwork> network, Cidr vip)
      : network_(std::move(network)),
        place_{std::move(vip), "eth0", false, NeighbourTalk::kProbeAndAnnounce} {}

  [[nodiscard]] TestNetwork& network() { return *network_; }
  [[nodiscard]] FakeLog& log() { return log_; }
  [[nodiscard]] MetalPlace& place() { return place_; }

  // As place() is now. A session of its own, that lives as long as this object.
  std::unique_ptr<VipDriver> driver(const std::string& machine) {
    shells_.push_back(std::make_unique<LocalShell>("host-" + machine, network_->clock(),
                                                   network_->prefix(machine)));
    return make_metal_driver(place_, "host-" + machine, shells_.back().get(), network_->clock(),
                             log_);
  }
  // Ends the sessions, as a program's end does.
  void end_sessions() { shells_.clear(); }
  std::unique_ptr<VipDriver> driver_without_session() {
    return make_metal_driver(place_, "host", nullptr, network_->clock(), log_);
  }
  bool has_address(const std::string& machine) {
    const std::string all = network_->on(machine, "ip -o addr show");
    return all.find(" " + place_.vip.address + "/") != std::string::npos ||
           all.find(" " + place_.vip.address + " ") != std::string::npos;
  }
  Deadline soon() { return network_->clock().deadline_after(Milliseconds{10000}); }

 private:
  std::unique_ptr<TestNetwork> network_;
  FakeLog log_;
  MetalPlace place_;
  std::vector<std::unique_ptr<LocalShell>> shells_;
};

// A test of the metal driver with machine "a" as the host; skipped without a network.
class MetalNetworkTest : public testing::Test {
 protected:
  explicit MetalNetworkTest(Cidr vip) {
    std::unique_ptr<TestNetwork> network = TestNetwork::make();
    if (network != nullptr) metal_ = std::make_unique<MetalOnNetwork>(std::move(network), vip);
  }
  void SetUp() override {
    if (metal_ == nullptr) GTEST_SKIP() << "network namespaces need root";
    driver_ = metal_->driver("a");
  }

  TestNetwork& network() { return metal_->network(); }
  Deadline soon() { return metal_->soon(); }
  // As place() is now.
  void renew_driver() { driver_ = metal_->driver("a"); }
  VipPresence seen() {
    const Result<VipPresence> presence = driver_->status(soon());
    EXPECT_TRUE(presence.ok()) << presence.error().message;
    return presence.ok() ? presence.value() : VipPresence::kAbsent;
  }

  std::unique_ptr<MetalOnNetwork> metal_;
  std::unique_ptr<VipDriver> driver_;
};

}  // namespace mha
