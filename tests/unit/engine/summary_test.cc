// A summary, to the journal and back.
#include "engine/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "unit/core/state_folder.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OperationSummary, ComesBackFromTheJournal) {
  const StateFolder folder;
  FakeClock clock;
  FakeLog log;
  std::string path;
  {
    auto journal = create_file_journal(folder.path(), "failover", "db1_3306",
                                       {{"orig_master", {{"host", "db1"}, {"port", 3307}}}}, clock);
    ASSERT_TRUE(journal.ok());
    path = journal.value()->path();
    OperationSummary summary;
    summary.orig_master = "db1:3307";
    summary.new_master = "db2";
    summary.downtime = Milliseconds{1250};
    summary.salvaged = {"0-1-7", "0-1-8"};
    summary.lost = {"0-1-9"};
    summary.saved_file = "/var/log/masterha/app1/saved";
    summary.fence = "NOT FENCED: nobody answers";
    summary.leftovers = {"rebuild db1"};
    note_summary(*journal.value(), summary, log);
  }
  const Result<JournalFile> read = read_journal(path);
  ASSERT_TRUE(read.ok());
  const OperationSummary found = summary_of(read.value());
  EXPECT_EQ(found.orig_master, "db1:3307");
  EXPECT_EQ(found.new_master, "db2");
  EXPECT_EQ(found.downtime, Milliseconds{1250});
  EXPECT_THAT(found.salvaged, ElementsAre("0-1-7", "0-1-8"));
  EXPECT_THAT(found.lost, ElementsAre("0-1-9"));
  EXPECT_EQ(found.saved_file, "/var/log/masterha/app1/saved");
  EXPECT_EQ(found.fence, "NOT FENCED: nobody answers");
  EXPECT_THAT(found.leftovers, ElementsAre("rebuild db1"));
  EXPECT_EQ(found.journal, path);
}

TEST(OperationSummary, OfAKilledRunTheHeaderTells) {
  const JournalFile killed{"/x",
                           {{{"event", "operation"},
                             {"orig_master", {{"host", "db1"}, {"port", 3306}}},
                             {"new_master", {{"host", "db2"}, {"port", 3307}}}}}};
  const OperationSummary summary = summary_of(killed);
  EXPECT_EQ(summary.orig_master, "db1");
  EXPECT_EQ(summary.new_master, "db2:3307");
  EXPECT_FALSE(summary.downtime.has_value());
}

TEST(OperationSummary, WhatIsOfAnotherTypeStaysEmpty) {
  const OperationSummary summary = summary_from_json(
      {{"orig_master", 1}, {"downtime_ms", "long"}, {"lost", {1, "0-1-2"}}, {"salvaged", "x"}});
  EXPECT_EQ(summary.orig_master, "");
  EXPECT_FALSE(summary.downtime.has_value());
  EXPECT_THAT(summary.lost, ElementsAre("0-1-2"));
  EXPECT_THAT(summary.salvaged, IsEmpty());
}

}  // namespace
}  // namespace mha
