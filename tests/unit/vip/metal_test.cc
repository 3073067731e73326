// The metal driver over SSH that fails, and hosts that answer strangely.
#include "vip/metal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_shell.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPresent =
    "ip=/usr/sbin/ip\nchange=ok\nprobe=\n--addresses--\n"
    "2: eth0    inet 10.0.0.100/24 scope global secondary eth0\\       valid_lft forever\n";
constexpr const char* kAbsent = "ip=/usr/sbin/ip\n--addresses--\n";

class MetalTest : public testing::Test {
 protected:
  Deadline soon() { return clock_.deadline_after(Milliseconds{10000}); }
  void answer(const std::string& out, int exit_status = 0, const std::string& err = "") {
    shell_.fake_host().set_answer([=](const std::string&) -> Result<CommandOutput> {
      return CommandOutput{exit_status, out, err};
    });
  }
  // What each call of the driver answers.
  std::vector<Status> all_calls() {
    return {driver_->check(soon()),
            driver_->status(soon()).status(),
            driver_->other_holders(soon()).status(),
            driver_->assign(OtherHolder::kRefuse, soon()).status(),
            driver_->assign(OtherHolder::kTakeOver, soon()).status(),
            driver_->remove(soon())};
  }

  FakeClock clock_;
  FakeLog log_;
  FakeShell shell_{"db1"};
  MetalPlace place_{{"10.0.0.100", 24, false}, "eth0", true, NeighbourTalk::kProbeAndAnnounce};
  std::unique_ptr<VipDriver> driver_ = make_metal_driver(place_, "db1", &shell_, clock_, log_);
};

TEST_F(MetalTest, WithoutAShellOnlyTheCommandsByHandAreThere) {
  driver_ = make_metal_driver(place_, "db1", nullptr, clock_, log_);
  for (const Status& status : all_calls()) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kUnreachable);
    EXPECT_THAT(status.error().message, HasSubstr("db1"));
  }
  driver_->prepare_remove(soon());
  driver_->prepare_assign(soon());
  EXPECT_EQ(driver_->assign_by_hand(), "sudo ip addr add 10.0.0.100/24 dev eth0");
}

TEST_F(MetalTest, WhatSshSaysIsPassedOn) {
  for (const Code code : {Code::kTimeout, Code::kUnreachable}) {
    FakeShell shell("db1", [code](const std::string&) -> Result<CommandOutput> {
      return Error{code, "the session broke"};
    });
    const auto driver = make_metal_driver(place_, "db1", &shell, clock_, log_);
    const Result<VipPresence> status = driver->status(soon());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, code);
    EXPECT_THAT(status.error().message, HasSubstr("the session broke"));
  }
}

TEST_F(MetalTest, AScriptThatFailsIsAnErrorWithItsWords) {
  answer("ip=/usr/sbin/ip\n", 2, "Cannot open netlink socket\nmore");
  for (const Status& status : all_calls()) {
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message, AllOf(HasSubstr("db1"), HasSubstr("exit status 2"),
                                              HasSubstr("Cannot open netlink socket")));
    EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(MetalTest, AHostWithoutIpIsNamedWithTheRemedy) {
  answer("ip=\narping=\n--addresses--\n", 127, "sh: : not found");
  for (const Status& status : all_calls()) {
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message, HasSubstr("install iproute2"));
  }
}

// A login shell that greets, or a script that was cut: no addresses were read, so nothing is known.
TEST_F(MetalTest, AnAnswerWithoutAddressesIsNoAnswer) {
  for (const char* out : {"", "Welcome to db1!\n", "ip=/usr/sbin/ip\narping=\n"}) {
    answer(out);
    EXPECT_FALSE(driver_->status(soon()).ok()) << out;
    EXPECT_FALSE(driver_->remove(soon()).ok()) << out;
  }
}

TEST_F(MetalTest, AGreetingBeforeTheAnswerDoesNoHarm) {
  answer(std::string("Welcome to db1! PATH=/nowhere\n") + kPresent);
  ASSERT_TRUE(driver_->status(soon()).ok());
  EXPECT_EQ(driver_->status(soon()).value(), VipPresence::kPresent);
}

TEST_F(MetalTest, RemoveThatDoesNotRemoveIsAnErrorWithTheHostsWords) {
  answer(
      "ip=/usr/sbin/ip\nchange=sudo: a password is required\n--addresses--\n"
      "2: eth0    inet 10.0.0.100/24 scope global eth0\n");
  const Status removed = driver_->remove(soon());
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code, Code::kDenied);
  EXPECT_THAT(removed.error().message, AllOf(HasSubstr("sudo ip addr del 10.0.0.100/24 dev eth0"),
                                             HasSubstr("a password is required")));
}

// The kernel said yes, and the address is still there: what was read back counts.
TEST_F(MetalTest, ReadingBackCountsNotTheExitStatus) {
  answer(kPresent);
  EXPECT_FALSE(driver_->remove(soon()).ok());
  answer(kAbsent);
  EXPECT_FALSE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
}

TEST_F(MetalTest, TheLogHasTheCommandAsAPersonWouldTypeIt) {
  answer(kAbsent);
  ASSERT_TRUE(driver_->remove(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kInfo,
                       "Executing command on 'db1': sudo ip addr del 10.0.0.100/24 dev eth0"));
  answer(kPresent);
  ASSERT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kInfo,
                       "Executing command on 'db1': sudo ip addr add 10.0.0.100/24 dev eth0"));
}

// The kernel takes the address, and no client comes by.
TEST_F(MetalTest, AnInterfaceThatIsDownIsNoPlaceForTheAddress) {
  const std::string checked = "ip=/usr/sbin/ip\nsudo=ok\nlink=02:00:00:00:00:01\nndisc_notify=1\n";
  for (const std::string state : {"down", "lowerlayerdown"}) {
    answer(checked + "operstate=" + state + "\n--addresses--\n");
    const Status refused = driver_->check(soon());
    ASSERT_FALSE(refused.ok()) << state;
    EXPECT_EQ(refused.error().code, Code::kRefused);
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("db1"), HasSubstr("'eth0' is down"),
                                               HasSubstr("sudo ip link set eth0 up")));
    // Where the address is already, it is to be taken away.
    answer(checked + "operstate=" + state + "\n" + kPresent);
    EXPECT_TRUE(driver_->check(soon()).ok());
    EXPECT_TRUE(log_.has(LogLevel::kWarning, "'eth0' is down"));
    for (const OtherHolder holder : {OtherHolder::kRefuse, OtherHolder::kTakeOver}) {
      const Result<VipAssignment> assigned = driver_->assign(holder, soon());
      ASSERT_FALSE(assigned.ok()) << state;
      EXPECT_EQ(assigned.error().code, Code::kUnreachable);
      EXPECT_THAT(assigned.error().message,
                  AllOf(HasSubstr("10.0.0.100 was added to 'eth0', which is down"),
                        HasSubstr("sudo ip link set eth0 up")));
    }
  }
  for (const std::string state : {"up", "unknown", "dormant", ""}) {
    answer(checked + "operstate=" + state + "\n--addresses--\n");
    EXPECT_TRUE(driver_->check(soon()).ok()) << state;
    answer("operstate=" + state + "\n" + kPresent);
    EXPECT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok()) << state;
  }
  // The host has it on another interface, which is up for all that is known.
  answer(std::string("operstate=down\nip=/usr/sbin/ip\nchange=ok\n--addresses--\n") +
         "3: eth1    inet 10.0.0.100/24 scope global eth1\n");
  EXPECT_TRUE(driver_->assign(OtherHolder::kRefuse, soon()).ok());
}

TEST_F(MetalTest, AHolderIsNamedByItsLinkAddress) {
  answer(
      "ip=/usr/sbin/ip\nprobe=Unicast reply from 10.0.0.100 [1E:EB:7E:DD:68:E6]  0.522ms\n"
      "--addresses--\n");
  EXPECT_THAT(driver_->other_holders(soon()).value(), ElementsAre("1e:eb:7e:dd:68:e6"));
  const Result<VipAssignment> refused = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("1e:eb:7e:dd:68:e6"));
}

TEST_F(MetalTest, DadThatNeverEndsCostsTheDeadline) {
  place_.vip = {"fd00::100", 64, true};
  driver_ = make_metal_driver(place_, "db1", &shell_, clock_, log_);
  answer(
      "ip=/usr/sbin/ip\nchange=ok\n--addresses--\n"
      "2: eth0    inet6 fd00::100/64 scope global tentative \\\n");
  const Result<VipAssignment> assigned = driver_->assign(OtherHolder::kRefuse, soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
  EXPECT_GE(clock_.elapsed(), Milliseconds{10000});
  EXPECT_LE(clock_.elapsed(), Milliseconds{10100});
}

}  // namespace
}  // namespace mha
