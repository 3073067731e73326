// The fake driver holds to what the real ones hold to, and so do those of clouds over fake clouds.
#include "component/vip/conformance.h"

#include "fake_aws_world.h"
#include "fake_openstack_world.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_shell.h"
#include "fakes/fake_vip.h"

namespace mha {
namespace {

class FakeVipWorld : public VipWorld {
 public:
  Clock& clock() override { return clock_; }
  std::unique_ptr<VipDriver> driver(const std::string& host) override {
    return std::make_unique<FakeVipDriver>(network_, host, &shell_);
  }
  std::unique_ptr<VipDriver> driver_without_session(const std::string& host) override {
    return std::make_unique<FakeVipDriver>(network_, host, nullptr);
  }
  bool has_address(const std::string& host) override { return network_.holders().contains(host); }
  void give_to_third_machine() override { network_.set_strangers({"02:00:00:00:00:99"}); }
  void end_sessions() override {}
  bool tells_whom_it_took_over_from() override { return true; }

 private:
  FakeClock clock_;
  FaultPlan faults_;
  FakeVipNetwork network_{faults_, &clock_};
  FakeShell shell_{"somewhere"};
};

template <AwsMode kMode>
std::unique_ptr<VipWorld> aws() {
  return std::make_unique<FakeAwsWorld>(kMode);
}

template <OpenstackMode kMode>
std::unique_ptr<VipWorld> openstack() {
  return std::make_unique<FakeOpenstackWorld>(kMode);
}

INSTANTIATE_TEST_SUITE_P(FakeOpenstack, VipConformance,
                         testing::Values(&openstack<OpenstackMode::kAddressPair>,
                                         &openstack<OpenstackMode::kFloatingIp>,
                                         &openstack<OpenstackMode::kFixedIp>));
INSTANTIATE_TEST_SUITE_P(FakeAws, VipConformance,
                         testing::Values(&aws<AwsMode::kSecondaryIp>, &aws<AwsMode::kEip>,
                                         &aws<AwsMode::kRoute>));
INSTANTIATE_TEST_SUITE_P(Fake, VipConformance, testing::Values([]() -> std::unique_ptr<VipWorld> {
                           return std::make_unique<FakeVipWorld>();
                         }));

}  // namespace
}  // namespace mha
