// The drivers of clouds hold to the contract over fake clouds, in each mode.
#include "component/vip/cloud_conformance.h"

#include "component/vip/cloud_fault_conformance.h"
#include "fake_aws_world.h"
#include "fake_openstack_world.h"

namespace mha {
namespace {

template <AwsMode kMode>
std::unique_ptr<CloudWorld> aws() {
  return std::make_unique<FakeAwsWorld>(kMode);
}
template <OpenstackMode kMode>
std::unique_ptr<CloudWorld> openstack() {
  return std::make_unique<FakeOpenstackWorld>(kMode);
}

#define MHA_CLOUD(name, world)                                               \
  INSTANTIATE_TEST_SUITE_P(name, CloudConformance, testing::Values(&world)); \
  INSTANTIATE_TEST_SUITE_P(name, CloudFaultConformance, testing::Values(&world))

MHA_CLOUD(FakeAwsSecondaryIp, aws<AwsMode::kSecondaryIp>);
MHA_CLOUD(FakeAwsEip, aws<AwsMode::kEip>);
MHA_CLOUD(FakeAwsRoute, aws<AwsMode::kRoute>);
MHA_CLOUD(FakeOpenstackAddressPair, openstack<OpenstackMode::kAddressPair>);
MHA_CLOUD(FakeOpenstackFloatingIp, openstack<OpenstackMode::kFloatingIp>);
MHA_CLOUD(FakeOpenstackFixedIp, openstack<OpenstackMode::kFixedIp>);

}  // namespace
}  // namespace mha
