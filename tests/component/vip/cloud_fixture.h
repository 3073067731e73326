// What the conformance tests of cloud drivers share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "component/vip/cloud_world.h"

namespace mha {

class CloudConformance : public testing::TestWithParam<MakeCloudWorld> {
 protected:
  using Names = std::set<std::string>;

  void SetUp() override {
    world_ = GetParam()();
    if (world_ == nullptr) {
      GTEST_SKIP() << "it has said why";
    }
    a_ = world_->driver("a");
    b_ = world_->driver("b");
  }

  Deadline within(Milliseconds span) { return world_->clock().deadline_after(span); }
  Deadline soon() { return within(Milliseconds{20000}); }
  Status assign(VipDriver& driver, OtherHolder other = OtherHolder::kRefuse) {
    return driver.assign(other, soon()).status();
  }
  VipPresence seen(VipDriver& driver) {
    const Result<VipPresence> presence = driver.status(soon());
    EXPECT_TRUE(presence.ok()) << presence.status().error().message;
    return presence.ok() ? presence.value() : VipPresence::kAbsent;
  }
  std::unique_ptr<VipDriver> fresh(const std::string& host, CloudKeys keys = CloudKeys::kGood) {
    return world_->fresh_driver(host, keys, ShellUse::kWanted);
  }
  std::unique_ptr<VipDriver> blind(const std::string& host, CloudKeys keys = CloudKeys::kGood) {
    return world_->fresh_driver(host, keys, ShellUse::kNone);
  }

  // By API as well as by OS: this host and no other.
  void expect_held_by(const std::string& host) {
    const std::string other = host == "a" ? "b" : "a";
    const CloudTraits traits = world_->traits();
    const Names by_api = world_->api_holders();
    if (traits.moves_by_api) {
      EXPECT_EQ(by_api, Names{host});
    } else {
      EXPECT_TRUE(by_api.contains(host)) << host;
    }
    if (!traits.has_os_part) return;
    EXPECT_TRUE(world_->os_has(host)) << host;
    EXPECT_FALSE(by_api.contains(other) && world_->os_has(other)) << other;
  }
  void expect_held_by_nobody() {
    EXPECT_FALSE(world_->os_has("a"));
    EXPECT_FALSE(world_->os_has("b"));
    if (world_->traits().has_os_part) return;
    EXPECT_EQ(world_->api_holders(), Names{});
  }
  static void expect_ok(const Status& status) {
    EXPECT_TRUE(status.ok()) << to_string(status.error().code) << ": " << status.error().message;
  }
  static void expect_denied(const Status& status) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kDenied) << status.error().message;
    EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
  }

  std::unique_ptr<CloudWorld> world_;
  std::unique_ptr<VipDriver> a_;
  std::unique_ptr<VipDriver> b_;
};

}  // namespace mha
