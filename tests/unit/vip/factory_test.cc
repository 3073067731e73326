// Which driver a host's settings get, and what the one for no address does: nothing.
#include "vip/factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_shell.h"

namespace mha {
namespace {

class FactoryTest : public testing::Test {
 protected:
  std::unique_ptr<VipDriver> driver() {
    return drivers_.make({settings_, "db1", ""}, nullptr, &shell_);
  }

  FakeClock clock_;
  FakeLog log_;
  FakeShell shell_{"db1"};
  HostSettings settings_;

 private:
  class NoHttp : public HttpClient {
   public:
    Result<HttpResponse> send(const HttpRequest& request, Deadline /*deadline*/) override {
      return Error{Code::kUnreachable, request.url};
    }
  };
  NoHttp http_;
  Environ environ_ = [](const std::string& /*name*/) { return std::nullopt; };
  VipDrivers drivers_{{http_, environ_, clock_, log_}};
};

TEST_F(FactoryTest, NoneMovesNothingAndAsksNobody) {
  const std::unique_ptr<VipDriver> none = driver();
  const Deadline passed{clock_.now()};
  EXPECT_EQ(none->provider(), "none");
  EXPECT_FALSE(none->moves_an_address());
  EXPECT_TRUE(none->check(passed).ok());
  EXPECT_EQ(none->status(passed).value(), VipPresence::kAbsent);
  EXPECT_TRUE(none->other_holders(passed).value().empty());
  EXPECT_TRUE(none->assign(OtherHolder::kRefuse, passed).ok());
  EXPECT_TRUE(none->remove(passed).ok());
  none->prepare_remove(passed);
  none->prepare_assign(passed);
  EXPECT_EQ(none->assign_by_hand(), "");
  EXPECT_EQ(none->remove_by_hand(), "");
  EXPECT_TRUE(shell_.fake_host().commands().empty());
}

TEST_F(FactoryTest, MetalGetsItsPlaceFromTheSettings) {
  settings_.vip_type = VipType::kMetal;
  settings_.writer_vip = Cidr{"10.0.0.100", 24, false};
  settings_.cluster_interface = "eth0";
  EXPECT_EQ(driver()->provider(), "metal");
  EXPECT_TRUE(driver()->moves_an_address());
  EXPECT_EQ(driver()->assign_by_hand(), "sudo ip addr add 10.0.0.100/24 dev eth0");
  EXPECT_EQ(driver()->remove_by_hand(), "sudo ip addr del 10.0.0.100/24 dev eth0");
  settings_.requires_sudo = false;
  EXPECT_EQ(driver()->assign_by_hand(), "ip addr add 10.0.0.100/24 dev eth0");
}

TEST_F(FactoryTest, OpenstackGetsADriverForEachMode) {
  settings_.vip_type = VipType::kOpenstack;
  settings_.writer_vip = Cidr{"10.0.0.100", 24, false};
  settings_.cluster_interface = "eth0";
  settings_.openstack.port_id = "00000000-0000-4000-8000-000000000001";
  for (const auto& [mode, use] : {std::pair{OpenstackMode::kAddressPair, ShellUse::kWanted},
                                  {OpenstackMode::kFixedIp, ShellUse::kWanted},
                                  {OpenstackMode::kFloatingIp, ShellUse::kNone}}) {
    settings_.openstack.mode = mode;
    EXPECT_EQ(driver()->provider(), "openstack");
    EXPECT_EQ(driver()->shell_use(), use);
    // Nothing is asked of anybody before it is needed; then the missing login is named.
    EXPECT_THAT(driver()->check(Deadline{clock_.now()}).error().message,
                testing::HasSubstr("openstack_cloud: it is not set"));
  }
}

}  // namespace
}  // namespace mha
