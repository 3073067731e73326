// openstack_mode = floating_ip: one call moves it, and the holder is judged before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "unit/vip/openstack_world.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kGet = fmt::format("GET /v2.0/floatingips/{}", kFloating);
const std::string kPut = fmt::format("PUT /v2.0/floatingips/{}", kFloating);

class FloatingIpTest : public testing::Test {
 protected:
  void leads_to(const char* port, const char* address) {
    cloud_.change_floating_ip(kFloating, [&](auto& floating) {
      floating["port_id"] = port;
      floating["fixed_ip_address"] = address;
    });
  }

  OpenstackWorld world_{OpenstackMode::kFloatingIp};
  FakeOpenstack& cloud_ = world_.cloud;
};

TEST_F(FloatingIpTest, NeedsNoShellAndTouchesNoHost) {
  const auto a = world_.bare("a");
  EXPECT_EQ(a->shell_use(), ShellUse::kNone);
  EXPECT_TRUE(a->moves_an_address());
  const Status checked = a->check(world_.soon());
  EXPECT_TRUE(checked.ok()) << message_of(checked);
  EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kAbsent);
  ASSERT_TRUE(a->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortA);
  EXPECT_EQ(cloud_.floating_ip(kFloating)["fixed_ip_address"], "10.0.1.11");
  EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kPresent);
  EXPECT_THAT(world_.scripts, IsEmpty());
}

TEST_F(FloatingIpTest, MovesInOneCallAndReadsItBack) {
  leads_to(kPortA, "10.0.1.11");
  const auto b = world_.bare("b");
  EXPECT_EQ(b->status(world_.soon()).value(), VipPresence::kAbsent);
  EXPECT_THAT(b->other_holders(world_.soon()).value(), ElementsAre(kPortA));
  const std::size_t before = world_.faults.count();
  const auto assigned = b->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_TRUE(assigned.ok()) << message_of(assigned);
  EXPECT_THAT(assigned.value().warnings, IsEmpty());
  std::vector<std::string> calls = world_.faults.calls();
  calls.erase(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(before));
  // Whose port the holder is was not known before.
  EXPECT_THAT(calls, ElementsAre("GET /v2.0/ports", kPut, kGet));
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortB);
  EXPECT_THAT(b->other_holders(world_.soon()).value(), IsEmpty());
  EXPECT_THAT(b->own_identities(), ElementsAre(kPortB));
}

TEST_F(FloatingIpTest, AfterACheckMovingCostsTwoCalls) {
  leads_to(kPortA, "10.0.1.11");
  const auto a = world_.bare("a");
  const auto b = world_.bare("b");
  for (VipDriver* driver : {a.get(), b.get()}) {
    ASSERT_TRUE(driver->check(world_.soon()).ok());
    ASSERT_TRUE(driver->status(world_.soon()).ok());
  }
  const std::size_t before = world_.faults.count();
  ASSERT_TRUE(a->remove(world_.soon()).ok());
  EXPECT_EQ(world_.faults.count() - before, 2U);  // PUT, GET
  // b has seen the one before: it is refused once as stale, and read again.
  ASSERT_TRUE(b->assign(OtherHolder::kRefuse, world_.soon()).ok());
  EXPECT_EQ(world_.faults.count() - before, 6U);
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortB);
}

// Each waits in its call until the other has begun its own: one after the other would be a
// time-out.
TEST_F(FloatingIpTest, ThePortAndTheFloatingIpAreReadAtOnce) {
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  bool met = true;
  cloud_.set_on_call([&](const std::string& call) {
    if (call.find("/v2.0/") == std::string::npos) return;  // the login
    std::unique_lock lock{mutex};
    ++begun;
    changed.notify_all();
    if (!changed.wait_for(lock, std::chrono::seconds{20}, [&] { return begun >= 2; })) met = false;
  });
  const auto a = world_.bare("a");
  EXPECT_EQ(a->status(world_.soon()).value(), VipPresence::kAbsent);
  cloud_.set_on_call(nullptr);
  EXPECT_TRUE(met);
  EXPECT_EQ(begun, 2);
}

TEST_F(FloatingIpTest, AssignAndRemoveAreIdempotent) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon()).ok());
    EXPECT_EQ(cloud_.floating_port(kFloating), kPortA);
  }
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(world_.bare("a")->remove(world_.soon()).ok());
    EXPECT_EQ(cloud_.floating_port(kFloating), "");
  }
}

TEST_F(FloatingIpTest, RemoveLeavesItToAnother) {
  leads_to(kPortA, "10.0.1.11");
  const auto a = world_.bare("a");
  ASSERT_TRUE(a->status(world_.soon()).ok());
  leads_to(kPortB, "10.0.1.12");  // meanwhile
  ASSERT_TRUE(a->remove(world_.soon()).ok());
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortB);
}

TEST_F(FloatingIpTest, AThirdPortKeepsItUnlessTold) {
  leads_to(kPortC, "10.0.1.13");
  const auto refused = world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr(kPortC), HasSubstr("neither master"),
                                             HasSubstr("openstack floating ip unset --port")));
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortC);
  const auto taken = world_.bare("a")->assign(OtherHolder::kTakeOver, world_.soon());
  ASSERT_TRUE(taken.ok());
  EXPECT_THAT(taken.value().warnings, ElementsAre(HasSubstr(kPortC)));
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortA);
}

// It comes to a third machine after it was judged, and before it was moved.
TEST_F(FloatingIpTest, TheHolderIsJudgedAnewWhereItHasChanged) {
  bool meddled = false;
  cloud_.set_on_call([&](const std::string& call) {
    if (call == kPut && !std::exchange(meddled, true)) leads_to(kPortC, "10.0.1.13");
  });
  EXPECT_EQ(world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon()).error().code,
            Code::kRefused);
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortC);
}

TEST_F(FloatingIpTest, AnotherManagerThatMovesItOnIsSeen) {
  bool moved = false;
  cloud_.set_on_call([&](const std::string& call) {
    if (call == kGet && cloud_.floating_port(kFloating) == kPortA && !std::exchange(moved, true)) {
      leads_to(kPortB, "10.0.1.12");
    }
  });
  const auto assigned = world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_THAT(assigned.error().message, HasSubstr("another manager"));
  EXPECT_EQ(cloud_.floating_port(kFloating), kPortB);
}

TEST_F(FloatingIpTest, CheckNamesEveryProblem) {
  world_.settings.openstack.floating_ip_id = kFloating;
  world_.settings.writer_vip = Cidr{"203.0.113.99", 32, false};
  cloud_.make_read_only();
  cloud_.add_fixed_ip(kPortB, "10.0.1.77");
  cloud_.change_port(kPortB, [](auto& port) { port["fixed_ips"][0]["ip_address"] = "10.0.1.78"; });
  world_.settings.openstack.port_id = kPortB;
  const Status checked = world_.bare("a")->check(world_.soon());
  EXPECT_THAT(message_of(checked),
              AllOf(HasSubstr("403"), HasSubstr("writer_vip_cidr is 203.0.113.99"),
                    HasSubstr("10.0.1.78, 10.0.1.77"), HasSubstr("given the same port")));
}

TEST_F(FloatingIpTest, CheckChangesNothing) {
  leads_to(kPortA, "10.0.1.11");
  const FakeOpenstack::Json before = cloud_.floating_ip(kFloating);
  EXPECT_TRUE(world_.bare("a")->check(world_.soon()).ok());
  EXPECT_TRUE(world_.bare("b")->check(world_.soon()).ok());
  EXPECT_EQ(cloud_.floating_ip(kFloating), before);
}

TEST_F(FloatingIpTest, AnUnknownAddressIsNamed) {
  world_.settings.writer_vip = Cidr{"203.0.113.99", 32, false};
  const Status checked = world_.bare("a")->check(world_.soon());
  EXPECT_THAT(message_of(checked),
              AllOf(HasSubstr("floating IP 203.0.113.99: no floating IPs have this address"),
                    HasSubstr("openstack_floating_ip_id in /etc/mha-helper/app.conf")));
}

// Call k fails once, before or after it was executed: the end is the same.
TEST_F(FloatingIpTest, SweepOfAssignAndRemove) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1; k <= 6; ++k) {
      for (const char* first : {kPortA, ""}) {
        OpenstackWorld world{OpenstackMode::kFloatingIp};
        if (*first != '\0') {
          world.cloud.change_floating_ip(kFloating, [](auto& floating) {
            floating["port_id"] = kPortA;
            floating["fixed_ip_address"] = "10.0.1.11";
          });
        }
        world.faults.fail_call(k, when, Error{Code::kUnreachable, "connection reset"});
        const auto assigned = world.bare("b")->assign(OtherHolder::kRefuse, world.soon());
        EXPECT_TRUE(assigned.ok()) << k << ": " << message_of(assigned);
        EXPECT_EQ(world.cloud.floating_port(kFloating), kPortB) << k;
        world.faults.fail_call(world.faults.count() + k, when,
                               Error{Code::kUnreachable, "connection reset"});
        const Status removed = world.bare("b")->remove(world.soon());
        EXPECT_TRUE(removed.ok()) << k << ": " << message_of(removed);
        EXPECT_EQ(world.cloud.floating_port(kFloating), "") << k;
      }
    }
  }
}

TEST_F(FloatingIpTest, AHungCloudCostsTheDeadlineAndIsATimeout) {
  cloud_.hang("PUT");
  const auto assigned = world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon());
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code, Code::kTimeout);
  EXPECT_LE(world_.clock.elapsed(), Milliseconds{20000});
  EXPECT_EQ(
      world_.bare("a")->assign(OtherHolder::kRefuse, Deadline{world_.clock.now()}).error().code,
      Code::kTimeout);
}

TEST_F(FloatingIpTest, BusyAnswersAreTriedAgainAndOthersAreNot) {
  for (const int status : {503, 500, 429}) {
    cloud_.answer_instead("floatingips", HttpResponse{status, {}, "busy"}, 2);
    ASSERT_TRUE(world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon()).ok()) << status;
    ASSERT_TRUE(world_.bare("a")->remove(world_.soon()).ok());
  }
  cloud_.answer_instead(
      kPut, HttpResponse{400, {}, R"({"NeutronError": {"type": "T", "message": "no"}})"}, 9);
  const std::size_t before = world_.faults.count();
  EXPECT_THAT(message_of(world_.bare("a")->assign(OtherHolder::kRefuse, world_.soon())),
              HasSubstr("status 400 T: no; this call changed nothing"));
  EXPECT_LE(world_.faults.count() - before, 3U);
}

TEST_F(FloatingIpTest, AnswersThatAreNoneAreNeverASuccess) {
  for (const char* body :
       {"", "{", "[]", "{\"floatingip\": {}}", "{\"floatingip\": null}", "<html>",
        "{\"floatingip\": {\"id\": 7, \"floating_ip_address\": [], "
        "\"revision_number\": \"x\"}}"}) {
    for (const std::string& call : {kPut, kGet}) {
      OpenstackWorld world{OpenstackMode::kFloatingIp};
      world.settings.openstack.floating_ip_id = kFloating;
      world.cloud.answer_instead(call, HttpResponse{200, {}, body}, 99);
      const auto assigned = world.bare("a")->assign(OtherHolder::kRefuse, world.soon());
      ASSERT_FALSE(assigned.ok()) << call << " " << body;
      EXPECT_THAT(assigned.error().message, HasSubstr("malformed"));
    }
  }
}

TEST_F(FloatingIpTest, CommandsByHand) {
  world_.settings.openstack.cloud = "";
  world_.settings.openstack.port_id = kPortA;
  EXPECT_EQ(world_.bare("a")->assign_by_hand(),
            fmt::format("openstack floating ip set --port {} {}", kPortA, kPublic));
  EXPECT_EQ(world_.bare("a")->remove_by_hand(),
            fmt::format("openstack floating ip unset --port {}", kPublic));
}

}  // namespace
}  // namespace mha
