// The metal driver's scripts: one quoted word for sh, and syntax that sh accepts.
#include "vip/metal_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "component/real_clock.h"
#include "fakes/local_shell.h"

namespace mha {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<MetalPlace> places() {
  std::vector<MetalPlace> all;
  for (const bool v6 : {false, true}) {
    for (const bool sudo : {false, true}) {
      for (const NeighbourTalk talk :
           {NeighbourTalk::kNone, NeighbourTalk::kAnnounceOnly, NeighbourTalk::kProbeAndAnnounce}) {
        const Cidr vip = v6 ? Cidr{"fd00::100", 64, true} : Cidr{"10.0.0.100", 24, false};
        all.push_back({vip, "eth0.100", sudo, talk});
      }
    }
  }
  return all;
}

std::vector<std::string> scripts(const MetalPlace& place) {
  return {metal_check_script(place),
          metal_status_script(place),
          metal_remove_script(place, {place.vip.text()}, place.interface),
          metal_assign_script(place, "", OnAnswer::kStop),
          metal_assign_script(place, "nodad", OnAnswer::kGoOn),
          metal_prepared_remove_script(place),
          metal_prepared_assign_script(place, AskNetwork::kNow),
          metal_prepared_assign_script(place, AskNetwork::kDone),
          metal_probe_script(place)};
}

TEST(MetalScriptTest, ShAcceptsAllOfThem) {
  RealClock clock;
  LocalShell shell("here", clock);
  for (const MetalPlace& place : places()) {
    for (const std::string& script : scripts(place)) {
      ASSERT_THAT(script, StartsWith("sh -c '"));
      const Result<CommandOutput> checked =
          shell.run("sh -n" + script.substr(2), clock.deadline_after(Milliseconds{10000}));
      ASSERT_TRUE(checked.ok()) << checked.error().message;
      EXPECT_EQ(checked.value().exit_status, 0) << checked.value().err << "\n" << script;
    }
  }
}

TEST(MetalScriptTest, SudoOnlyWhereRequired) {
  for (const MetalPlace& place : places()) {
    for (const std::string& script : scripts(place)) {
      EXPECT_EQ(script.find("sudo -n") != std::string::npos, place.requires_sudo) << script;
    }
  }
}

TEST(MetalScriptTest, ArpingOnlyForV4AndWhereRequired) {
  for (const MetalPlace& place : places()) {
    const bool announces = !place.vip.is_v6 && place.talk != NeighbourTalk::kNone;
    const bool probes = !place.vip.is_v6 && place.talk == NeighbourTalk::kProbeAndAnnounce;
    for (const std::string& script : {metal_assign_script(place, "", OnAnswer::kStop),
                                      metal_prepared_assign_script(place, AskNetwork::kNow)}) {
      EXPECT_EQ(script.find(" -U ") != std::string::npos, announces) << script;
      EXPECT_EQ(script.find(" -D ") != std::string::npos, probes) << script;
    }
  }
}

// A cloud answers for addresses itself, and drops announcements.
TEST(MetalScriptTest, MuteNeighboursAreNeitherAskedNorTold) {
  for (MetalPlace place : places()) {
    place.talk = NeighbourTalk::kMute;
    for (const std::string& script : scripts(place)) {
      for (const char* part : {" -U ", " -D ", " -b ", "ping -6"}) {
        EXPECT_THAT(script, Not(HasSubstr(part)));
      }
    }
    // Nobody answers duplicate address detection either: it would only be waited for.
    EXPECT_EQ(metal_assign_script(place, "", OnAnswer::kStop).find("nodad") != std::string::npos,
              place.vip.is_v6);
    EXPECT_EQ(metal_batch_line(place, "add").find("nodad") != std::string::npos, place.vip.is_v6);
    EXPECT_THAT(metal_batch_line(place, "del"), Not(HasSubstr("nodad")));
  }
}

TEST(MetalScriptTest, StrangeNamesStayOneWord) {
  // Linux allows such names; the configuration does not, and quoting must not depend on that.
  const MetalPlace place{
      {"10.0.0.100", 24, false}, "e'$(reboot)", true, NeighbourTalk::kProbeAndAnnounce};
  EXPECT_EQ(metal_change_command(place, "add"),
            "sudo ip addr add 10.0.0.100/24 dev 'e'\\''$(reboot)'");
  RealClock clock;
  LocalShell shell("here", clock);
  for (const std::string& script : scripts(place)) {
    const Result<CommandOutput> checked =
        shell.run("sh -n" + script.substr(2), clock.deadline_after(Milliseconds{10000}));
    ASSERT_TRUE(checked.ok());
    EXPECT_EQ(checked.value().exit_status, 0) << checked.value().err;
  }
}

}  // namespace
}  // namespace mha
