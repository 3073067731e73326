// The mail after a failover: what is seen of the hosts, and how it is told.
#include "core/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fake_cluster.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

HostFacts host(const std::string& name, std::optional<VipPresence> vip,
               std::optional<ReadOnly> read_only) {
  HostFacts facts;
  facts.host = name;
  facts.moves_a_vip = true;
  facts.vip = vip;
  if (!vip.has_value()) facts.vip_error = "SSH to '" + name + "': no answer";
  if (read_only.has_value()) facts.read_only = ReadOnlyState{*read_only, std::nullopt};
  if (!read_only.has_value()) facts.mysql_error = "MySQL on '" + name + "': connection refused";
  return facts;
}

const HostFacts kDead = host("db1", std::nullopt, std::nullopt);
const HostFacts kNew = host("db2", VipPresence::kPresent, ReadOnly::kOff);
const HostFacts kReplica = host("db3", VipPresence::kAbsent, ReadOnly::kOn);

ReportRequest request() { return {"db1", "db2", "db3,db4", "subject", "MHA says\nthis"}; }

JournalFile journal(const std::string& operation, const std::vector<json>& records) {
  JournalFile file{
      "/x",
      {{{"event", "operation"}, {"operation", operation}, {"time", "2024-01-01T00:00:00.000Z"}}}};
  for (json record : records) {
    record["time"] = "2024-01-01T00:00:01.250Z";
    file.records.push_back(std::move(record));
  }
  return file;
}

TEST(ReportTextTest, AGoodFailoverHasNoAlarm) {
  const std::string text =
      compose_report(request(), {kDead, kNew, kReplica},
                     {journal("hard_stop", {{{"event", "fence"}, {"fenced", true}}})});
  EXPECT_THAT(text, Not(HasSubstr("!!")));
  EXPECT_THAT(text, StartsWith("Original master: db1\nNew master:      db2\n"
                               "Replicas:        db3,db4\n"));
  EXPECT_THAT(text, HasSubstr("  db1:3306  virtual IP: not known (SSH to 'db1': no answer); takes "
                              "writes: not known (MySQL on 'db1': connection refused)\n"));
  EXPECT_THAT(text, HasSubstr("  db2:3306  virtual IP: HERE; takes writes: YES\n"));
  EXPECT_THAT(text, HasSubstr("  db3:3306  virtual IP: not here; takes writes: no (read_only)\n"));
  EXPECT_THAT(text, HasSubstr("virtual IP not on the dead master (read back)"));
  EXPECT_THAT(text, testing::EndsWith("MHA's report:\nMHA says\nthis\n"));
}

TEST(ReportTextTest, WhatWasNotFencedStandsFirst) {
  const std::string text = compose_report(
      request(), {kNew},
      {journal("hard_stop",
               {{{"event", "fact"}, {"mysqld_pids", "815"}},
                {{"event", "fence"}, {"fenced", false}, {"error", "no answer in time"}}})});
  EXPECT_THAT(text, StartsWith("!! "));
  EXPECT_THAT(text,
              HasSubstr("!! NOT FENCED: the virtual IP was not removed from db1: no answer in "
                        "time. It may still hold the address."));
  EXPECT_THAT(text, HasSubstr("!! mysqld was still running on db1 (pid 815)."));
  EXPECT_THAT(text, HasSubstr("virtual IP NOT removed from the dead master"));
}

TEST(ReportTextTest, HoldersAndWritersAreCounted) {
  const HostFacts also = host("db3", VipPresence::kPresent, ReadOnly::kOff);
  const std::string two = compose_report(request(), {kNew, also}, {});
  EXPECT_THAT(two, AllOf(HasSubstr("!! 2 hosts have the virtual IP."),
                         HasSubstr("!! 2 servers take writes.")));
  const std::string none = compose_report(request(), {kDead, kReplica}, {});
  EXPECT_THAT(none, AllOf(HasSubstr("!! No host that we could ask has the virtual IP."),
                          HasSubstr("!! No server that we could ask takes writes.")));
}

TEST(ReportTextTest, WhereNoAddressIsMovedNoneIsMissed) {
  HostFacts facts = host("db2", std::nullopt, ReadOnly::kOff);
  facts.moves_a_vip = false;
  const std::string text = compose_report(request(), {facts}, {});
  EXPECT_THAT(text, Not(HasSubstr("!!")));
  EXPECT_THAT(text, HasSubstr("virtual IP: not moved by us; takes writes: YES"));
}

TEST(ReportTextTest, WithoutAnyFacts) {
  ReportRequest bare;
  bare.orig_master_host = "db1";
  const std::string text = compose_report(bare, {}, {});
  EXPECT_THAT(text, AllOf(HasSubstr("New master:      none"), HasSubstr("Replicas:        none"),
                          HasSubstr("nothing: the configuration could not be read"),
                          Not(HasSubstr("What our programs did")), testing::EndsWith("\n")));
}

TEST(ReportTextTest, TheTimelineTellsWhatWasDoneAndWhen) {
  const std::string text = compose_report(
      request(), {kNew},
      {journal(
          "hard_start",
          {{{"event", "step_begin"}, {"step", "ensure_writable db2"}},
           {{"event", "step_done"}, {"step", "ensure_writable db2"}},
           {{"event", "point_of_no_return"}},
           {{"event", "step_failed"}, {"step", "ensure_vip_present db2"}, {"error", "no answer"}},
           {{"event", "end"}, {"ending", 10}}})});
  EXPECT_THAT(text,
              HasSubstr("What our programs did (UTC):\n"
                        "  2024-01-01T00:00:00.000Z  hard_start began\n"
                        "  2024-01-01T00:00:01.250Z  ensure_writable db2 done\n"
                        "  2024-01-01T00:00:01.250Z  the new master takes writes\n"
                        "  2024-01-01T00:00:01.250Z  ensure_vip_present db2 FAILED: no answer\n"
                        "  2024-01-01T00:00:01.250Z  ended with exit code 10\n"));
}

TEST(ReportTextTest, UndoneStepsAreTold) {
  const std::string text = compose_report(
      request(), {kNew},
      {journal("hard_start", {{{"event", "undo_done"}, {"step", "a"}},
                              {{"event", "undo_failed"}, {"step", "b"}, {"error", "stuck"}}})});
  EXPECT_THAT(text, AllOf(HasSubstr("a undone"), HasSubstr("b could not be undone: stuck")));
}

class ReportFactsTest : public testing::Test {
 protected:
  FakeCluster cluster_;
  Environment environment_ = cluster_.environment();
};

TEST_F(ReportFactsTest, WhatIsSeenIsWhatIsThere) {
  cluster_.next_server().read_only.read_only = ReadOnly::kOff;
  cluster_.orig_server().health = FakeHealth::kDown;
  cluster_.ssh.set_health("db1", FakeHealth::kDown);
  cluster_.vip.set_holders({"db2"});
  const std::vector<HostFacts> facts =
      gather_facts({cluster_.orig(), cluster_.next()}, Milliseconds{8000}, environment_);
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0].host, "db1");
  EXPECT_FALSE(facts[0].vip.has_value());
  EXPECT_FALSE(facts[0].read_only.has_value());
  EXPECT_THAT(facts[0].vip_error, HasSubstr("connection refused"));
  EXPECT_THAT(facts[0].mysql_error, HasSubstr("connection refused"));
  EXPECT_EQ(facts[1].vip, VipPresence::kPresent);
  EXPECT_EQ(facts[1].read_only->read_only, ReadOnly::kOff);
}

TEST_F(ReportFactsTest, SilentHostsCostThePatienceOnce) {
  cluster_.orig_server().health = FakeHealth::kSilent;
  cluster_.silence_ssh("db1");
  const std::vector<HostFacts> facts =
      gather_facts({cluster_.orig(), cluster_.orig()}, Milliseconds{8000}, environment_);
  EXPECT_EQ(cluster_.clock.elapsed(), Milliseconds{8000});
  for (const HostFacts& one : facts) {
    EXPECT_FALSE(one.vip.has_value());
    EXPECT_FALSE(one.read_only.has_value());
  }
}

TEST_F(ReportFactsTest, WithoutAVirtualIpThereIsNoSsh) {
  cluster_.settings.vip_type = VipType::kNone;
  const std::vector<HostFacts> facts =
      gather_facts({cluster_.orig()}, Milliseconds{8000}, environment_);
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_FALSE(facts[0].moves_a_vip);
  EXPECT_THAT(facts[0].vip_error, IsEmpty());
  EXPECT_LT(position(cluster_.faults.calls(), "mysql"), cluster_.faults.count());
  EXPECT_EQ(position(cluster_.faults.calls(), "ssh"), cluster_.faults.count());
}

// A dead master's host answers nobody; the cloud knows where the address leads.
TEST_F(ReportFactsTest, InACloudItsInterfaceTellsOfAHostThatIsNotReached) {
  cluster_.vip.be_a_cloud();
  cluster_.silence_ssh("db1");
  const std::vector<HostFacts> facts =
      gather_facts({cluster_.orig()}, Milliseconds{8000}, environment_);
  EXPECT_EQ(facts.front().vip, VipPresence::kPresent);
  EXPECT_TRUE(facts.front().vip_by_provider);
  EXPECT_THAT(compose_report(request(), facts, {}),
              HasSubstr("virtual IP: HERE (by the cloud's word; the host was not reached)"));
}

TEST_F(ReportFactsTest, OfNoHostsNothingIsSeen) {
  EXPECT_THAT(gather_facts({}, Milliseconds{8000}, environment_), IsEmpty());
}

TEST_F(ReportFactsTest, TheHooksJournalsAreFoundOldestFirst) {
  EXPECT_THAT(failover_journals("db1", 3306, environment_), IsEmpty());
  hard_stop(cluster_.orig(), Milliseconds{5000}, environment_);
  cluster_.clock.advance(Milliseconds{1000});
  hard_start(cluster_.hard(), environment_);
  const std::vector<JournalFile> found = failover_journals("db1", 3306, environment_);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].records.front()["operation"], "hard_stop");
  EXPECT_EQ(found[1].records.front()["operation"], "hard_start");
  EXPECT_THAT(failover_journals("db1", 3307, environment_), IsEmpty());
  cluster_.clock.advance(std::chrono::hours{2});
  EXPECT_THAT(failover_journals("db1", 3306, environment_), IsEmpty()) << "another failover's";
}

}  // namespace
}  // namespace mha
