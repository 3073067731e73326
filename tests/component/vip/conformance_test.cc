// The metal driver's real scripts on a real network hold to the contract.
#include "component/vip/conformance.h"

#include "component/vip/test_network.h"

namespace mha {
namespace {

class MetalWorld : public VipWorld {
 public:
  MetalWorld(std::unique_ptr<TestNetwork> network, Cidr vip) : metal_(std::move(network), vip) {}

  Clock& clock() override { return metal_.network().clock(); }
  std::unique_ptr<VipDriver> driver(const std::string& host) override {
    return metal_.driver(host);
  }
  std::unique_ptr<VipDriver> driver_without_session(const std::string& /*host*/) override {
    return metal_.driver_without_session();
  }
  bool has_address(const std::string& host) override { return metal_.has_address(host); }
  void give_to_third_machine() override {
    metal_.network().on("lan", "ip addr add " + metal_.place().vip.text() + " dev br0" +
                                   (metal_.place().vip.is_v6 ? " nodad" : ""));
  }
  void end_sessions() override { metal_.end_sessions(); }
  // A v6 address is taken over without duplicate address detection, and nothing else asks.
  bool tells_whom_it_took_over_from() override { return !metal_.place().vip.is_v6; }

 private:
  MetalOnNetwork metal_;
};

std::unique_ptr<VipWorld> world(const Cidr& vip) {
  std::unique_ptr<TestNetwork> network = TestNetwork::make();
  if (network == nullptr) return nullptr;
  return std::make_unique<MetalWorld>(std::move(network), vip);
}

INSTANTIATE_TEST_SUITE_P(MetalV4, VipConformance, testing::Values([] {
                           return world({"10.99.0.100", 24, false});
                         }));
INSTANTIATE_TEST_SUITE_P(MetalV6, VipConformance, testing::Values([] {
                           return world({"fd99::100", 64, true});
                         }));

}  // namespace
}  // namespace mha
