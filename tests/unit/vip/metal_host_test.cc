// The metal driver's real scripts on a host whose ip, arping and sudo are stubs: what it says where
// something is missing or forbidden.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "component/real_clock.h"
#include "fakes/fake_log.h"
#include "fakes/stub_host.h"
#include "vip/metal.h"

namespace mha {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSudoDenied = R"(#!/bin/sh
echo 'sudo: a password is required' >&2
exit 1
)";

class MetalHostTest : public testing::Test {
 protected:
  std::unique_ptr<VipDriver> driver() {
    shell_ = host_.shell("db1", clock_);
    return make_metal_driver(place_, "db1", shell_.get(), clock_, log_);
  }
  Deadline soon() { return clock_.deadline_after(Milliseconds{20000}); }

  RealClock clock_;
  FakeLog log_;
  StubHost host_;
  // An interface that every machine has.
  MetalPlace place_{{"10.0.0.100", 24, false}, "lo", true, NeighbourTalk::kProbeAndAnnounce};
  std::unique_ptr<LocalShell> shell_;
};

TEST_F(MetalHostTest, AllIsWell) {
  const Status checked = driver()->check(soon());
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_TRUE(log_.lines().empty()) << log_.lines().front().text;
}

TEST_F(MetalHostTest, SudoThatAsksForAPasswordIsDeniedWithTheRemedy) {
  host_.stub("sudo", kSudoDenied);
  const auto denied = driver();
  const Status checked = denied->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kDenied);
  EXPECT_THAT(checked.error().message,
              AllOf(HasSubstr("host 'db1'"), HasSubstr("sudo: a password is required"),
                    HasSubstr("sudoers")));
  EXPECT_FALSE(denied->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(host_.text_of("addresses"), "lo 127.0.0.1/8\n");
}

TEST_F(MetalHostTest, NoSudoAtAllIsDenied) {
  host_.without("sudo");
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kDenied);
  EXPECT_THAT(checked.error().message, HasSubstr("sudo"));
}

TEST_F(MetalHostTest, WithoutSudoWhereNoneIsRequired) {
  host_.without("sudo");
  place_.requires_sudo = false;
  const auto root = driver();
  EXPECT_TRUE(root->check(soon()).ok());
  EXPECT_TRUE(root->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(host_.text_of("addresses"), "lo 127.0.0.1/8\nlo 10.0.0.100/24\n");
  EXPECT_TRUE(root->remove(soon()).ok());
  EXPECT_EQ(host_.text_of("addresses"), "lo 127.0.0.1/8\n");
}

TEST_F(MetalHostTest, AnInterfaceThatIsNotThereIsNamed) {
  place_.interface = "eth99";
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kRefused);
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("'eth99'"), HasSubstr("cluster_interface")));
}

TEST_F(MetalHostTest, WithoutArpingTheAddressWorksAndThatIsSaid) {
  host_.without("arping");
  const auto quiet = driver();
  EXPECT_TRUE(quiet->check(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "arping was not found; install iputils-arping"));
  EXPECT_TRUE(quiet->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(host_.text_of("addresses"), HasSubstr("lo 10.0.0.100/24"));
}

TEST_F(MetalHostTest, ArpingThatSudoForbidsIsSaid) {
  host_.stub("sudo",
             "#!/bin/sh\nshift\ncase \"$1\" in *arping) echo 'sudo: not allowed' >&2; exit 1;; "
             "esac\nexec \"$@\"\n");
  EXPECT_TRUE(driver()->check(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "sudo: not allowed"));
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "sudoers"));
}

TEST_F(MetalHostTest, WhereArpingIsNotRequiredItIsNotRun) {
  place_.talk = NeighbourTalk::kNone;
  const auto quiet = driver();
  EXPECT_TRUE(quiet->check(soon()).ok());
  EXPECT_TRUE(quiet->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(host_.text_of("asked"), Not(HasSubstr("arping")));
  EXPECT_TRUE(log_.lines().empty() || !log_.has(LogLevel::kWarning, ""));
}

TEST_F(MetalHostTest, WithoutIpNothingIsDone) {
  host_.without("ip");
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("install iproute2"));
}

// The scripts ask the network in the background: what they use for that is gone afterwards.
TEST_F(MetalHostTest, NothingIsLeftInTheTemporaryFolder) {
  host_.stub("arping",
             "#!/bin/sh\ncase \"$*\" in *-D*) sleep 0.3; "
             "echo ended >>\"$(dirname \"$0\")/../ended\";; esac\n");
  const auto metal = driver();
  ASSERT_TRUE(metal->assign(OtherHolder::kRefuse, soon()).ok());
  ASSERT_TRUE(metal->other_holders(soon()).ok());
  ASSERT_TRUE(metal->remove(soon()).ok());
  metal->prepare_assign(soon());
  ASSERT_TRUE(metal->assign(OtherHolder::kRefuse, soon()).ok());
  metal->prepare_remove(soon());
  ASSERT_TRUE(metal->remove(soon()).ok());
  metal->prepare_assign(soon());
  shell_.reset();  // what was prepared is not used
  const Deadline deadline = soon();
  const auto probes_ended = [this] {
    const std::string ended = host_.text_of("ended");
    return std::count(ended.begin(), ended.end(), '\n');
  };
  while (probes_ended() < 4 && !clock_.passed(deadline)) clock_.sleep_for(Milliseconds{20});
  ASSERT_EQ(probes_ended(), 4);
  // What the script does after its arping takes a moment; nothing may come back then.
  const Deadline settled = clock_.deadline_after(Milliseconds{200});
  while (!clock_.passed(settled)) {
    clock_.sleep_for(Milliseconds{20});
  }
  EXPECT_TRUE(fs::is_empty(host_.folder() / "tmp"))
      << fs::directory_iterator(host_.folder() / "tmp")->path();
}

}  // namespace
}  // namespace mha
