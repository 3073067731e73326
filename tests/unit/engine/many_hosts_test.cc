// What is asked of every host is asked of all at the same time: a switch takes as long as with the
// slowest of them, however many there are.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

constexpr int kHosts = 8;

// Keeps the first call of a kind on each host waiting until as many hosts as are expected have got
// theirs: with one after the other, that never comes.
class Meeting {
 public:
  // Calls that contain `call`, once as many as are expected have come that contain `after`.
  Meeting(std::string call, std::size_t expected, std::string after = "")
      : call_(std::move(call)), expected_(expected), after_(std::move(after)) {}

  void see(const std::string& call) {
    std::unique_lock lock{mutex_};
    if (!after_.empty() && call.find(after_) != std::string::npos) ++before_;
    const bool open = after_.empty() || before_ >= expected_;
    if (!open || call.find(call_) == std::string::npos) return;
    // "mysql db1:3306 state"
    const std::string host = call.substr(0, call.find(' ', call.find(' ') + 1));
    if (!there_.insert(host).second) return;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds{5}, [this] { return there_.size() >= expected_; });
  }

  [[nodiscard]] std::size_t size() const { return there_.size(); }
  [[nodiscard]] bool complete() const { return there_.size() == expected_; }

 private:
  const std::string call_;
  const std::size_t expected_;
  const std::string after_;
  std::size_t before_ = 0;
  std::set<std::string> there_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

class ManyHostsTest : public testing::Test {
 protected:
  ManyHostsTest() {
    for (int number = 4; number <= kHosts; ++number) {
      const std::string host = fmt::format("db{}", number);
      cluster_.add_host(host);
      cluster_.mysql.follow(host + ":3306", "db1:3306", GtidUse::kAuto);
    }
  }

  // A switch in which that many hosts get such a call at the same time.
  void expect_together(Meeting& meeting) {
    cluster_.faults.on_begin = [&meeting](const std::string& call) { meeting.see(call); };
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = cluster_.run();
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
    EXPECT_TRUE(meeting.complete()) << meeting.size();
    EXPECT_LT(took, std::chrono::seconds{4}) << "one waited until its time was over";
  }

  EngineCluster cluster_;
};

TEST_F(ManyHostsTest, AreConnectedTo) {
  Meeting meeting{" connect ", kHosts};
  expect_together(meeting);
}

TEST_F(ManyHostsTest, AreLookedAt) {
  Meeting meeting{" state", kHosts};
  expect_together(meeting);
}

TEST_F(ManyHostsTest, AreLocked) {
  Meeting meeting{" take_lock ", kHosts};
  expect_together(meeting);
}

TEST_F(ManyHostsTest, AreRepointed) {
  Meeting meeting{" replicate_from ", kHosts - 1};
  expect_together(meeting);
}

// The new master is not asked for its state any more.
TEST_F(ManyHostsTest, AreReadBack) {
  Meeting meeting{" state", kHosts - 1, " start_replica"};
  expect_together(meeting);
}

}  // namespace
}  // namespace mha
