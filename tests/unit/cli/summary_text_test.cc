// How an operation's end is told.
#include "cli/summary_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

OperationSummary both() {
  OperationSummary summary;
  summary.orig_master = "db1";
  summary.new_master = "db2";
  return summary;
}

Outcome outcome(Ending ending) {
  Outcome made;
  made.ending = ending;
  return made;
}

TEST(SummaryText, OfASwitch) {
  OperationSummary summary = both();
  summary.downtime = std::chrono::microseconds{18'340};
  summary.journal = "/var/lib/mha-helper/switchover-1.journal";
  EXPECT_THAT(summary_lines(OperationKind::kSwitch, summary, outcome(Ending::kDone)),
              ElementsAre("db2 is the master now, instead of db1; clients waited for 18.3 ms",
                          "journal: /var/lib/mha-helper/switchover-1.journal"));
  summary.downtime.reset();
  EXPECT_THAT(summary_lines(OperationKind::kSwitch, summary, outcome(Ending::kUndone)).front(),
              "db2 was to become the master instead of db1, and did not");
  EXPECT_THAT(summary_lines(OperationKind::kSwitch, {}, outcome(Ending::kUndone)), IsEmpty());
}

TEST(SummaryText, OfAFailoverThatSavedSomeAndLostSome) {
  OperationSummary summary = both();
  summary.downtime = Milliseconds{1312};
  summary.fence = "NOT FENCED: nobody answers";
  for (int i = 1; i <= 22; ++i) summary.salvaged.push_back("0-1-" + std::to_string(i));
  summary.lost = {"0-1-23"};
  summary.saved_file = "/tmp/saved";
  const std::vector<std::string> lines =
      summary_lines(OperationKind::kFailover, summary, outcome(Ending::kIncomplete));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0],
            "db2 is the master now, instead of db1; clients could write 1.312 s after this began");
  EXPECT_EQ(lines[1], "the old master: NOT FENCED: nobody answers");
  EXPECT_THAT(lines[2], HasSubstr("22 transactions: 0-1-1, 0-1-2,"));
  EXPECT_THAT(lines[2], HasSubstr("0-1-20 and 2 more, which the journal lists"));
  EXPECT_EQ(lines[3], "LOST: 1 transaction: 0-1-23");
  EXPECT_EQ(lines[4], "what no replica had is kept in /tmp/saved");
}

TEST(SummaryText, WhatIsLeftToDoIsToldOnce) {
  OperationSummary summary = both();
  summary.leftovers = {"rebuild db1", "mend db3"};
  Outcome done = outcome(Ending::kIncomplete);
  done.leftovers = {"mend db3"};
  EXPECT_THAT(left_to_do(summary, done), ElementsAre("mend db3", "rebuild db1"));
}

TEST(SummaryText, ForMachines) {
  OperationSummary summary = both();
  summary.downtime = Milliseconds{20};
  Outcome undone = outcome(Ending::kNotUndone);
  undone.headline = Error{Code::kTimeout, "db1 does not answer"};
  const nlohmann::json document = result_json(summary, undone);
  EXPECT_EQ(document, (nlohmann::json{{"exit_code", 21},
                                      {"orig_master", "db1"},
                                      {"new_master", "db2"},
                                      {"downtime_ms", 20.0},
                                      {"leftovers", nlohmann::json::array()},
                                      {"error", "db1 does not answer"}}));
}

}  // namespace
}  // namespace mha
