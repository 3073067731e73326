// The AWS driver holds to the contract over EC2's calls (moto, made strict) and real hosts.
#include "component/vip/cloud_conformance.h"
#include "component/vip/cloud_fault_conformance.h"
#include "component/vip/real_aws_world.h"

namespace mha {
namespace {

template <AwsMode kMode>
std::unique_ptr<CloudWorld> aws() {
  return RealAwsWorld::make(kMode);
}

#define MHA_CLOUD(name, world)                                               \
  INSTANTIATE_TEST_SUITE_P(name, CloudConformance, testing::Values(&world)); \
  INSTANTIATE_TEST_SUITE_P(name, CloudFaultConformance, testing::Values(&world))

MHA_CLOUD(AwsSecondaryIp, aws<AwsMode::kSecondaryIp>);
MHA_CLOUD(AwsEip, aws<AwsMode::kEip>);
MHA_CLOUD(AwsRoute, aws<AwsMode::kRoute>);

}  // namespace
}  // namespace mha
