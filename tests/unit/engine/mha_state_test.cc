// MHA's marks of past failovers, written and read.
#include "engine/mha_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "fakes/fake_clock.h"
#include "unit/core/state_folder.h"

namespace mha {
namespace {

class MhaStateTest : public testing::Test {
 protected:
  MhaStateTest() {
    cluster_.application = "app1";
    cluster_.workdir = folder_.path("masterha/app1");
  }
  [[nodiscard]] std::string mark(const std::string& suffix) const {
    return cluster_.workdir + "/app1.failover." + suffix;
  }

  StateFolder folder_;
  FakeClock clock_;
  Cluster cluster_;
};

TEST_F(MhaStateTest, ACompleteFailoverIsDatedAnew) {
  EXPECT_TRUE(read_failover_marks(cluster_, clock_).complete_file.empty());
  ASSERT_TRUE(write_failover_complete(cluster_, clock_).ok());
  EXPECT_EQ(read_whole(mark("complete")), "") << "as MHA leaves it";
  clock_.advance(std::chrono::minutes{479});
  EXPECT_EQ(read_failover_marks(cluster_, clock_).since, std::chrono::minutes{479});
  ASSERT_TRUE(write_failover_complete(cluster_, clock_).ok());
  const FailoverMarks marks = read_failover_marks(cluster_, clock_);
  EXPECT_EQ(marks.since, std::chrono::minutes{0});
  EXPECT_EQ(marks.complete_file, mark("complete"));
  EXPECT_EQ(marks.error_file, "");
}

TEST_F(MhaStateTest, AFailedOneIsMarkedAndIgnoringRemovesBoth) {
  ASSERT_TRUE(write_failover_error(cluster_, clock_).ok());
  ASSERT_TRUE(write_failover_complete(cluster_, clock_).ok());
  EXPECT_EQ(read_failover_marks(cluster_, clock_).error_file, mark("error"));
  ASSERT_TRUE(remove_failover_marks(cluster_).ok());
  EXPECT_TRUE(remove_failover_marks(cluster_).ok()) << "nothing to do";
  const FailoverMarks marks = read_failover_marks(cluster_, clock_);
  EXPECT_EQ(marks.error_file, "");
  EXPECT_FALSE(marks.since.has_value());
}

TEST_F(MhaStateTest, AWorkdirThatCannotBeMadeIsNamed) {
  write_whole(folder_.path("masterha"), "a file");
  const Status written = write_failover_error(cluster_, clock_);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("app1.failover.error"), std::string::npos);
}

}  // namespace
}  // namespace mha
