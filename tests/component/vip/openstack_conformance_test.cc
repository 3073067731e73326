// The OpenStack driver holds to the contract over a real Keystone and Neutron and real hosts.
#include "component/vip/cloud_conformance.h"
#include "component/vip/cloud_fault_conformance.h"
#include "component/vip/real_openstack_world.h"

namespace mha {
namespace {

template <OpenstackMode kMode>
std::unique_ptr<CloudWorld> openstack() {
  return RealOpenstackWorld::make(kMode);
}

#define MHA_CLOUD(name, world)                                               \
  INSTANTIATE_TEST_SUITE_P(name, CloudConformance, testing::Values(&world)); \
  INSTANTIATE_TEST_SUITE_P(name, CloudFaultConformance, testing::Values(&world))

MHA_CLOUD(OpenstackAddressPair, openstack<OpenstackMode::kAddressPair>);
MHA_CLOUD(OpenstackFloatingIp, openstack<OpenstackMode::kFloatingIp>);
MHA_CLOUD(OpenstackFixedIp, openstack<OpenstackMode::kFixedIp>);

}  // namespace
}  // namespace mha
